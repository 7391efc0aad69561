import { lstat, mkdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { assertRelativePath, CrossCommError } from '../../protocol/index.js';

/**
 * The local path for a slash-separated relative path from the wire, below `root`; the directories on the way are
 * created. A symbolic link on the way is followed only when it stays inside `root`.
 *
 * @throws CrossCommError `CC_UNSAFE_PATH` when the path is not safe or would leave `root`; nothing is created then
 */
export async function prepareTarget(root: string, relativePath: string): Promise<string> {
  const parts = assertRelativePath(relativePath).split('/');
  const name = parts.pop() as string;
  const directory = await prepareDirectory(root, parts);
  return join(directory, name);
}

/** Creates `root` and the directories below it one by one, and returns the innermost one. Same rules as above. */
export async function prepareDirectory(root: string, parts: readonly string[]): Promise<string> {
  if (parts.length > 0) assertRelativePath(parts.join('/'));
  await mkdir(root, { recursive: true });
  const realRoot = await realpath(root);
  let directory = root;
  for (const part of parts) {
    directory = join(directory, part);
    await mkdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw new CrossCommError('CC_STORAGE_FAILED', { detail: `"${directory}" cannot be created (${error.code}).`, cause: error });
    });
    await assertDirectoryInside(directory, realRoot);
  }
  return directory;
}

async function assertDirectoryInside(directory: string, realRoot: string): Promise<void> {
  const found = await lstat(directory);
  if (found.isDirectory()) return;
  if (!found.isSymbolicLink()) throw new CrossCommError('CC_STORAGE_FAILED', `"${directory}" is a file where a folder is needed.`);
  const real = await realpath(directory).catch(() => undefined); // a link to nowhere leads outside as well
  const prefix = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
  if (real === undefined || !(real + sep).startsWith(prefix))
    throw new CrossCommError('CC_UNSAFE_PATH', `The symbolic link "${directory}" leads out of the download directory.`);
}
