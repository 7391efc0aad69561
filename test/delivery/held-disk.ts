import { MailStore, type StoreFile } from '../../src/delivery/store/index.js';
import { NODE_STORE_FILE_SYSTEM } from '../../src/delivery/store/store-file-system.js';
import type { TestHub, TestHubOptions } from '../../src/testing/index.js';
import { onCleanUp } from '../support/clean-up.js';
import { mailClient, type MailLogin } from '../support/mail-client.js';
import { openHub } from '../support/open-hub.js';

/** A disk that does not end a commit before it is told how. */
export class HeldDisk {
  /** What goes on when the disk is told to, with the error it is to fail with. */
  #waiting: ((error?: Error) => void)[] | undefined;
  #error: Error | undefined;
  #heldOperation: 'write' | 'datasync' = 'datasync';

  /** From now on nothing becomes durable. */
  hold(operation: 'write' | 'datasync' = 'datasync'): void {
    this.#waiting ??= [];
    this.#heldOperation = operation;
  }

  /** Goes on as disks do. */
  release(): void {
    this.#error = undefined;
    this.#goOn();
  }

  /** Has no space until it is released, or fails for good. */
  fail(code: 'ENOSPC' | 'EIO'): void {
    this.#error = Object.assign(new Error(code), { code });
    this.#goOn(this.#error);
  }

  #goOn(error?: Error): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const resume of waiting) resume(error);
  }

  watch(file: StoreFile): StoreFile {
    const [write, datasync] = [file.write.bind(file), file.datasync.bind(file)];
    file.write = async (...args) => this.#before('write').then(() => write(...args));
    file.datasync = async () => this.#before('datasync').then(datasync);
    return file;
  }

  async #before(operation: 'write' | 'datasync'): Promise<void> {
    if (operation !== this.#heldOperation) return;
    if (this.#error !== undefined) throw this.#error;
    if (this.#waiting === undefined) return;
    await new Promise<void>((resolve, reject) => this.#waiting?.push((error) => (error === undefined ? resolve() : reject(error))));
  }
}

/** A hub whose mail is on a disk that the test holds. */
export async function openHubOnHeldDisk(options: TestHubOptions = {}): Promise<{ readonly hub: TestHub; readonly disk: HeldDisk }> {
  const disk = new HeldDisk();
  const original = { ...NODE_STORE_FILE_SYSTEM };
  NODE_STORE_FILE_SYSTEM.open = async (path, mode) => disk.watch(await original.open(path, mode));
  onCleanUp(() => Object.assign(NODE_STORE_FILE_SYSTEM, original));
  const hub = await openHub(options);
  // a hub that ends waits for its disk
  onCleanUp(() => disk.release());
  return { hub, disk };
}

/** Resolves when all that the hub has recorded is on disk, so that what it records from now on is what the test sends. */
export function settled(hub: TestHub): Promise<void> {
  return hub.app.get(MailStore).flush();
}

type MailClient = Awaited<ReturnType<typeof mailClient>>;

/** Alice and bob are logged in, and nothing becomes durable any more. */
export async function heldPair(options: TestHubOptions = {}, operation?: 'write' | 'datasync', bobs: MailLogin = {}): Promise<{ hub: TestHub; disk: HeldDisk; alice: MailClient; bob: MailClient }> {
  const { hub, disk } = await openHubOnHeldDisk(options);
  const [alice, bob] = [await mailClient(hub.url, 'alice'), await mailClient(hub.url, 'bob', bobs)];
  await settled(hub);
  disk.hold(operation);
  return { hub, disk, alice, bob };
}
