import { join } from 'node:path';
import type { StoreFile, StoreFileSystem } from './store-file-system.js';

const NAME = 'disk-reserve';

const NO_SPACE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether an error of the file system says that there is no space. */
function isNoSpace(error: unknown): boolean {
  return NO_SPACE.has((error as NodeJS.ErrnoException).code);
}

const TOO_MANY_FILES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE']);

/** Whether an error of the file system says that too many files are open: nothing was done, and it passes. */
export function isTooManyFiles(error: unknown): boolean {
  return TOO_MANY_FILES.has((error as NodeJS.ErrnoException | undefined)?.code);
}

/** Whether an error of the file system says that something has run short that may be there again later. */
export function isShortage(error: unknown): boolean {
  return isNoSpace(error) || isTooManyFiles(error);
}

const CHUNK = Buffer.alloc(1024 * 1024);

/**
 * Space that is kept on the disk for giving space back: when the disk is full it is given up, so that what was done
 * with messages can be recorded and segments can be cleaned. Mail is taken again when it is held again.
 */
export class DiskReserve {
  readonly #fileSystem: StoreFileSystem;
  readonly #path: string;
  readonly #bytes: number;
  #state: 'none' | 'held' | 'released' = 'none';

  /** @param bytes what cleaning one segment needs */
  constructor(fileSystem: StoreFileSystem, directory: string, bytes: number) {
    this.#fileSystem = fileSystem;
    this.#path = join(directory, NAME);
    this.#bytes = bytes;
  }

  /** Bytes it takes now. */
  get bytes(): number {
    return this.#state === 'held' ? this.#bytes : 0;
  }

  /** Its space may be in use, and has to be held again before mail is taken. */
  get isReleased(): boolean {
    return this.#state === 'released';
  }

  /** Takes the space, or finds it taken by an earlier process. @throws Error of the file system, `ENOSPC` among them */
  async hold(): Promise<void> {
    if (this.#state === 'held') return;
    if (!(await this.#isThere())) await this.#write();
    this.#state = 'held';
  }

  /** Gives the space up, if it is held. @returns whether there is more space now */
  async release(): Promise<boolean> {
    if (this.#state !== 'held') return false;
    this.#state = 'released';
    await this.#fileSystem.unlink(this.#path);
    return true;
  }

  /** Counts as released when there is no space: an earlier process may have given it up. */
  async holdOrRelease(): Promise<void> {
    try {
      await this.hold();
    } catch (error) {
      if (!isShortage(error)) throw error;
      this.#state = 'released';
    }
  }

  async #isThere(): Promise<boolean> {
    let file: StoreFile;
    try {
      file = await this.#fileSystem.open(this.#path, 'read');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    const size = await file.size();
    await file.close();
    if (size === this.#bytes) return true;
    await this.#fileSystem.unlink(this.#path);
    return false;
  }

  async #write(): Promise<void> {
    const file = await this.#fileSystem.open(this.#path, 'create');
    try {
      for (let written = 0; written < this.#bytes; ) written += await file.write(CHUNK, 0, Math.min(CHUNK.length, this.#bytes - written), written);
    } catch (error) {
      await file.close();
      await this.#fileSystem.unlink(this.#path);
      throw error;
    }
    await file.close();
  }
}
