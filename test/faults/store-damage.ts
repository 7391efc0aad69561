import { cp, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeededRandom } from './random.js';

/**
 * What a crash, a power cut or a bad disk leaves of a file from byte `at` on: nothing (`cut`), zeros (`zeros`), anything
 * (`garbage`), or all but that one byte (`garbled`).
 */
export interface Damage {
  readonly kind: 'cut' | 'zeros' | 'garbage' | 'garbled';
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

export async function damageFile(path: string, { kind, at }: Damage, random: SeededRandom): Promise<void> {
  const { size } = await stat(path);
  const file = await open(path, 'r+');
  const rest = Buffer.alloc(size - at);
  await file.read(rest, 0, rest.length, at);
  // certainly another byte than the one that was there
  if (kind === 'garbled') rest[0] = (rest[0] as number) ^ 0x20;
  if (kind === 'garbage') for (const [i, byte] of rest.entries()) rest[i] = i === 0 ? byte ^ random.integer(1, 255) : random.integer(0, 255);
  if (kind === 'zeros') rest.fill(0);
  if (kind === 'cut') await file.truncate(at);
  else await file.write(rest, 0, rest.length, at);
  await file.close();
}
