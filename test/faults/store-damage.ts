import { cp, open, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a crash, a power cut or a bad disk leaves of a file from byte `at` on: nothing (`cut`), zeros (`zeros`), or all
 * but that one byte (`garbled`).
 */
export interface Damage {
  readonly kind: 'cut' | 'zeros' | 'garbled';
  readonly at: number;
}

/** Copies a data directory without the sockets in it. */
export async function copyDataDir(from: string, to: string): Promise<void> {
  await cp(from, to, {
    recursive: true,
    filter: async (source) => {
      const found = await stat(source);
      return found.isFile() || found.isDirectory();
    },
  });
}

/** Sizes of all files below a directory, by path relative to it. */
export async function fileSizes(directory: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    sizes.set(path.slice(directory.length + 1), (await stat(path)).size);
  }
  return sizes;
}

export async function damageFile(path: string, { kind, at }: Damage): Promise<void> {
  const { size } = await stat(path);
  if (kind === 'garbled') {
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    await file.write(Buffer.from([(byte[0] as number) ^ 0x20]), 0, 1, at);
    await file.close();
    return;
  }
  await truncate(path, at);
  if (kind === 'zeros') await truncate(path, size);
}
