import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { assertRelativePath, CrossCommError } from '../../protocol/index.js';

/** One thing to upload from a folder; the relative path uses slashes. */
export interface FolderEntry {
  readonly kind: 'file' | 'empty-folder';
  readonly relativePath: string;
  readonly path: string;
  /** 0 for an empty folder. */
  readonly sizeBytes: number;
}

/**
 * Everything in a folder: its files, and those sub-folders that are empty.
 *
 * Symbolic links: one to a file inside the folder counts as that file; one that leaves the folder, points nowhere or
 * leads to a folder (which could run in a circle) is refused. So are names that a receiver could not store on every
 * system, and sockets, devices and pipes.
 *
 * @throws CrossCommError `CC_UNSAFE_PATH` as above; `CC_FILE_NOT_FOUND` when `root` is not a folder
 */
export async function listLocalFolder(root: string): Promise<FolderEntry[]> {
  const found = await stat(root).catch(() => undefined); // any reason: the message below names the path
  if (!found?.isDirectory()) throw new CrossCommError('CC_FILE_NOT_FOUND', `There is no folder "${root}".`);
  const entries: FolderEntry[] = [];
  await walk({ realRoot: await realpath(root), entries }, root, '');
  return entries;
}

interface Walk {
  readonly realRoot: string;
  readonly entries: FolderEntry[];
}

async function walk(context: Walk, directory: string, relative: string): Promise<void> {
  const names = await readdir(directory, { withFileTypes: true });
  if (names.length === 0 && relative !== '') context.entries.push({ kind: 'empty-folder', relativePath: relative, path: directory, sizeBytes: 0 });
  for (const name of names) {
    const path = join(directory, name.name);
    const relativePath = assertRelativePath(relative === '' ? name.name : `${relative}/${name.name}`);
    if (name.isDirectory()) {
      await walk(context, path, relativePath);
      continue;
    }
    if (name.isSymbolicLink()) await assertLinkInside(context, path);
    const file = await stat(path);
    if (!file.isFile()) throw new CrossCommError('CC_UNSAFE_PATH', `"${path}" is neither a file nor a folder.`);
    context.entries.push({ kind: 'file', relativePath, path, sizeBytes: file.size });
  }
}

async function assertLinkInside({ realRoot }: Walk, path: string): Promise<void> {
  const real = await realpath(path).catch(() => undefined); // a link to nowhere is refused like one to outside
  if (real === undefined || !real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep))
    throw new CrossCommError('CC_UNSAFE_PATH', `The symbolic link "${path}" leads out of the folder.`);
}
