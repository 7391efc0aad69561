import { constants, fdatasync, write } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { acquireDataDir, type DataDirLock } from './data-dir-lock.js';

/** An open file of the store. All positions and lengths are bytes. */
export interface StoreFile {
  /** @returns how many bytes were read; fewer than asked for at the end of the file */
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** @returns how many bytes were written; may be fewer than asked for */
  write(buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  /** Resolves when what was written survives a loss of power. */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  /** Whether it still has a name: what is written to a deleted file is gone with its last user. */
  isNamed(): Promise<boolean>;
  close(): Promise<void>;
}

/** All that the store does to disks; tests put faults in here. */
export interface StoreFileSystem {
  /** Makes it and the folders it is in, durably; fine when it is there. */
  makeDirectory(directory: string): Promise<void>;
  list(directory: string): Promise<string[]>;
  /** `create` fails when there is such a file already; `write` and `read` when there is none. */
  open(path: string, mode: 'create' | 'write' | 'read'): Promise<StoreFile>;
  copy(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes names in it durable: created, renamed and deleted files. */
  syncDirectory(directory: string): Promise<void>;
  /** @throws CrossCommError `CC_DATA_DIR_IN_USE` when another process still has it after `waitMs` */
  lock(directory: string, waitMs: number): Promise<DataDirLock>;
}

const FLAGS = {
  create: constants.O_CREAT | constants.O_EXCL | constants.O_RDWR,
  write: constants.O_RDWR,
  read: constants.O_RDONLY,
} as const;

class NodeStoreFile implements StoreFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async read(buffer: Buffer, offset: number, length: number, position: number): Promise<number> {
    return (await this.#handle.read(buffer, offset, length, position)).bytesRead;
  }

  // these two are called for every commit, and the handle's own cost a third more
  write(buffer: Buffer, offset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#handle.fd, buffer, offset, length, position, (error, written) => (error === null ? resolve(written) : reject(error)));
    });
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle.fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async isNamed(): Promise<boolean> {
    return (await this.#handle.stat()).nlink > 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** The file system of this machine. */
export const NODE_STORE_FILE_SYSTEM: StoreFileSystem = {
  async makeDirectory(directory) {
    const made = await mkdir(directory, { recursive: true });
    const top = dirname(resolve(made ?? directory));
    for (let folder = dirname(resolve(directory)); ; folder = dirname(folder)) {
      await syncDirectory(folder).catch((error: NodeJS.ErrnoException) => {
        // a folder that one may write to, and not read, cannot be synced
        if (error.code !== 'EACCES') throw error;
      });
      if (folder === top) return;
    }
  },
  list: (directory) => readdir(directory),
  async open(path, mode) {
    return new NodeStoreFile(await open(path, FLAGS[mode], 0o600));
  },
  copy: (from, to) => copyFile(from, to),
  rename,
  unlink,
  syncDirectory,
  lock: acquireDataDir,
};

async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open folders, and writes their entries through
  if (process.platform === 'win32') return;
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
