import { assertRelativePath, CrossCommError } from '../../protocol/index.js';
import type { FileStorage, ObjectInfo } from '../file-storage.js';
import { throwIfAborted } from '../storage-abort.js';
import { runBounded } from './bounded-pool.js';
import { downloadFile } from './download-file.js';
import { FolderProgress } from './folder-progress.js';
import { isSameFile } from './same-file.js';
import { prepareDirectory, prepareTarget } from './safe-target.js';
import { TRANSFER_DEFAULTS, type TransferOptions } from './transfer.options.js';
import type { FolderResult } from './upload-folder.js';

/** Which folder to download, and where to. */
export interface DownloadFolderRequest extends TransferOptions {
  /** Key prefix; a missing `/` at its end is added, so that `jdir` never takes `jdir2/...` along. */
  readonly prefix: string;
  /** Local directory that will hold the folder's content; created when missing. */
  readonly directory: string;
}

/**
 * Downloads all objects below a prefix, many at one time. Every name of the listing is checked before the first
 * byte is written. A local file that is the object already is kept, so a cut download goes on where it stopped;
 * another file at the same place is replaced. Keys that end with `/` become folders.
 *
 * A prefix without objects is an empty folder (Python uploads nothing for one), not an error.
 *
 * @throws CrossCommError `CC_UNSAFE_PATH` when a key would leave the directory or cannot be a local name
 * @throws CrossCommError as {@link downloadFile}
 */
export async function downloadFolder(storage: FileStorage, request: DownloadFolderRequest): Promise<FolderResult> {
  throwIfAborted(request.signal);
  const prefix = request.prefix.endsWith('/') ? request.prefix : `${request.prefix}/`;
  const objects: Wanted[] = [];
  for await (const info of storage.list(prefix, request.signal ? { signal: request.signal } : {})) {
    const wanted = toWanted(info, prefix);
    if (wanted) objects.push(wanted);
  }
  const files = objects.filter((wanted) => !wanted.isFolder);
  const bytes = files.reduce((sum, wanted) => sum + wanted.info.sizeBytes, 0);
  const progress = new FolderProgress({ totalBytes: bytes, totalFiles: files.length }, request.onProgress);
  const { onProgress: _, ...options } = request;

  await prepareDirectory(request.directory, []);
  const concurrency = request.concurrency ?? TRANSFER_DEFAULTS.fileConcurrency;
  await runBounded(objects, { concurrency, signal: request.signal }, async ({ info, relativePath, isFolder }, signal) => {
    if (isFolder) {
      await prepareDirectory(request.directory, relativePath.split('/'));
      return;
    }
    const targetPath = await prepareTarget(request.directory, relativePath);
    const onProgress = progress.forFile();
    if (await isSameFile(storage, { path: targetPath, info, signal }))
      onProgress({ transferredBytes: info.sizeBytes, totalBytes: info.sizeBytes, doneFiles: 1, totalFiles: 1 });
    else await downloadFile(storage, { ...options, key: info.key, known: info, targetPath, signal, concurrency: 2, onProgress });
    progress.fileDone();
  });
  return { files: files.length, bytes };
}

interface Wanted {
  readonly info: ObjectInfo;
  readonly relativePath: string;
  readonly isFolder: boolean;
}

function toWanted(info: ObjectInfo, prefix: string): Wanted | undefined {
  if (!info.key.startsWith(prefix)) throw new CrossCommError('CC_STORAGE_FAILED', 'The storage listed an object outside the folder.');
  const relative = info.key.slice(prefix.length);
  if (relative === '') return undefined; // the marker of the folder itself
  const isFolder = relative.endsWith('/');
  return { info, relativePath: assertRelativePath(isFolder ? relative.slice(0, -1) : relative), isFolder };
}
