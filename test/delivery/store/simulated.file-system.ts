import { basename } from 'node:path';
import type { StoreFile, StoreFileSystem } from '../../../src/delivery/store/index.js';

/** A write that is not synced. */
interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Buffer;
}

/** Contents as programs see them, and as a loss of power would leave them at best and worst. */
class Inode {
  current = Buffer.alloc(0);
  durable = Buffer.alloc(0);
  unsynced: (UnsyncedWrite | { readonly truncatedTo: number })[] = [];
}

const SECTOR_BYTES = 512;

export type FileOperation = 'open' | 'read' | 'write' | 'datasync' | 'truncate' | 'copy' | 'rename' | 'unlink' | 'syncDirectory';

/** A disk in memory: full when told so, failing when told so, and able to lose its power. */
export class SimulatedFileSystem implements StoreFileSystem {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #isDead = false;
  capacityBytes = Infinity;
  /** Most bytes that one write takes. */
  maxWriteBytes = Infinity;
  /** Called before each operation; what it throws is how the operation fails. */
  beforeEach: (operation: FileOperation, name: string) => void = () => undefined;

  get names(): string[] {
    return [...this.#names.keys()].sort();
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const { current } of this.#names.values()) bytes += current.length;
    return bytes;
  }

  contents(name: string): Buffer {
    return Buffer.from(this.#inode(name).current);
  }

  replace(name: string, bytes: Buffer): void {
    const inode = new Inode();
    inode.current = Buffer.from(bytes);
    inode.durable = inode.current;
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  delete(name: string): void {
    this.#names.delete(name);
    this.#durableNames.delete(name);
  }

  /** The disk as the next process finds it after this one was killed. Nothing of this one goes on. */
  afterKill(): SimulatedFileSystem {
    return this.#successor((inode) => inode.current, this.#names);
  }

  /** The disk after a loss of power: what was not synced is there, lost or zeroed, sector by sector. */
  afterPowerLoss(random: () => number): SimulatedFileSystem {
    const names = new Map(this.#durableNames);
    for (const [name, inode] of this.#names) if (random() < 0.5) names.set(name, inode);
    for (const name of this.#durableNames.keys()) if (!this.#names.has(name) && random() < 0.5) names.delete(name);
    return this.#successor((inode) => torn(inode, random), names);
  }

  async makeDirectory(): Promise<void> {}

  list(): Promise<string[]> {
    return Promise.resolve(this.names);
  }

  async open(path: string, mode: 'create' | 'write' | 'read'): Promise<StoreFile> {
    const name = basename(path);
    await this.#before('open', name);
    const existing = this.#names.get(name);
    if (mode === 'create' && existing !== undefined) throw failure('EEXIST');
    if (mode !== 'create' && existing === undefined) throw failure('ENOENT');
    const inode = existing ?? new Inode();
    this.#names.set(name, inode);
    return this.#file(name, inode);
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#before('copy', basename(from));
    const inode = new Inode();
    inode.current = Buffer.from(this.#inode(basename(from)).current);
    inode.durable = inode.current;
    this.#names.set(basename(to), inode);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#before('rename', basename(from));
    this.#names.set(basename(to), this.#inode(basename(from)));
    this.#names.delete(basename(from));
  }

  async unlink(path: string): Promise<void> {
    await this.#before('unlink', basename(path));
    this.#inode(basename(path));
    this.#names.delete(basename(path));
  }

  async syncDirectory(): Promise<void> {
    await this.#before('syncDirectory', '');
    this.#durableNames = new Map(this.#names);
  }

  lock(): ReturnType<StoreFileSystem['lock']> {
    return Promise.resolve({ release: () => Promise.resolve() });
  }

  #file(name: string, inode: Inode): StoreFile {
    return {
      read: async (buffer, offset, length, position) => {
        await this.#before('read', name);
        return inode.current.copy(buffer, offset, position, position + length);
      },
      write: async (buffer, offset, length, position) => {
        await this.#before('write', name);
        // until the answer the buffer must not change
        await new Promise((resolve) => setImmediate(resolve));
        const space = this.capacityBytes - this.usedBytes + Math.max(0, inode.current.length - position);
        const taken = Math.min(length, this.maxWriteBytes, space);
        if (taken <= 0) throw failure('ENOSPC');
        const bytes = Buffer.from(buffer.subarray(offset, offset + taken));
        inode.current = overlaid(inode.current, position, bytes);
        inode.unsynced.push({ position, bytes });
        return taken;
      },
      datasync: async () => {
        await this.#before('datasync', name);
        inode.durable = inode.current;
        inode.unsynced = [];
      },
      truncate: async (length) => {
        await this.#before('truncate', name);
        inode.current = Buffer.from(inode.current.subarray(0, length));
        inode.unsynced.push({ truncatedTo: length });
      },
      size: () => Promise.resolve(inode.current.length),
      close: () => Promise.resolve(),
    };
  }

  async #before(operation: FileOperation, name: string): Promise<void> {
    await Promise.resolve();
    if (!this.#isDead) this.beforeEach(operation, name);
    // the process is gone: nothing is answered any more
    if (this.#isDead) await new Promise(() => undefined);
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw failure('ENOENT');
    return inode;
  }

  #successor(contentsOf: (inode: Inode) => Buffer, names: ReadonlyMap<string, Inode>): SimulatedFileSystem {
    this.#isDead = true;
    const next = new SimulatedFileSystem();
    for (const [name, inode] of names) next.replace(name, contentsOf(inode));
    return next;
  }
}

/** An error as the system gives it. */
export function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

function overlaid(under: Buffer, position: number, bytes: Buffer): Buffer<ArrayBuffer> {
  const result = Buffer.alloc(Math.max(under.length, position + bytes.length));
  under.copy(result);
  bytes.copy(result, position);
  return result;
}

function torn(inode: Inode, random: () => number): Buffer {
  let bytes = inode.durable;
  for (const change of inode.unsynced) {
    if ('truncatedTo' in change) {
      if (random() < 0.5) bytes = Buffer.from(bytes.subarray(0, change.truncatedTo));
      continue;
    }
    for (let at = 0; at < change.bytes.length; at += SECTOR_BYTES) {
      const sector = change.bytes.subarray(at, at + SECTOR_BYTES);
      const fate = random();
      if (fate < 0.4) bytes = overlaid(bytes, change.position + at, sector);
      // the length is known, the contents are not
      else if (fate < 0.6) bytes = overlaid(bytes, change.position + at, Buffer.alloc(sector.length));
    }
  }
  return bytes;
}
