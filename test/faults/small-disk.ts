import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real file system of a few megabytes, in memory. */
export interface SmallDisk {
  unmount(): Promise<void>;
}

/** @returns undefined where this process may not mount anything: then the disk must be made to look full otherwise */
export async function mountSmallDisk(directory: string, megabytes: number): Promise<SmallDisk | undefined> {
  await mkdir(directory, { recursive: true });
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]);
  } catch {
    return undefined;
  }
  return {
    unmount: async () => {
      await run('umount', ['-l', directory]);
    },
  };
}
