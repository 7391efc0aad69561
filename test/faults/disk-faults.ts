import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectPath } from '../support/project-path.js';

const SOURCE = projectPath('test', 'faults', 'preload', 'disk-faults.c');

/** Makes the disk of one hub process fail, by a library that is loaded before its C library. Needs a C compiler. */
export class DiskFaults {
  readonly #control: string;
  readonly #log: string;

  private constructor(
    directory: string,
    private readonly dataDir: string,
    private readonly library: string,
  ) {
    this.#control = join(directory, 'disk-control');
    this.#log = join(directory, 'disk-log');
  }

  /** @param directory where library, control file and log go @param dataDir what fails */
  static async prepare(directory: string, dataDir: string): Promise<DiskFaults> {
    const library = join(directory, 'disk-faults.so');
    try {
      await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl']);
    } catch (error) {
      throw new Error('The disk faults could not be compiled. Install a C compiler (Debian: gcc libc6-dev).', { cause: error });
    }
    await mkdir(dataDir, { recursive: true });
    return new DiskFaults(directory, dataDir, library);
  }

  /** Environment of the hub process. */
  get env(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: this.library,
      FAULT_DISK_DIR: this.dataDir,
      FAULT_DISK_CONTROL: this.#control,
      FAULT_DISK_LOG: this.#log,
      // calls made through io_uring would pass the library by
      UV_USE_IO_URING: '0',
    };
  }

  /** From now on syncs fail with EIO, or writes with ENOSPC. */
  async begin(fault: 'fsync' | 'full'): Promise<void> {
    // in one step, so that the hub never reads half a word
    await writeFile(`${this.#control}.new`, fault);
    await rename(`${this.#control}.new`, this.#control);
  }

  async end(): Promise<void> {
    await rm(this.#control, { force: true });
  }

  /**
   * Takes away from the files of a dead hub what no sync had made safe, as a power cut does: files whose folder was not
   * synced after their creation, and bytes beyond the size at the last sync.
   * @returns bytes taken away from the log
   */
  async cutPower(): Promise<number> {
    const entries = new Set<number>();
    const sizes = new Map<number, number>();
    const log = existsSync(this.#log) ? await readFile(this.#log, 'utf8') : '';
    for (const line of log.split('\n')) {
      const [kind, inode, size] = line.split(' ');
      if (kind === 'entry') entries.add(Number(inode));
      else if (kind === 'file') sizes.set(Number(inode), Number(size));
    }
    let bytes = 0;
    for (const file of await readdir(this.dataDir, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      const { ino, size } = await stat(path);
      const safe = entries.has(ino) ? (sizes.get(ino) ?? 0) : 0;
      if (safe >= size && entries.has(ino)) continue;
      if (entries.has(ino)) {
        await truncate(path, safe);
        // what is not the log holds no messages
        if (file.name.endsWith('.log')) bytes += size - safe;
      } else await rm(path);
    }
    return bytes;
  }
}
