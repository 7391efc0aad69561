import { Readable } from 'node:stream';
import type { FileStorage } from '../file-storage.js';
import { throwIfAborted } from '../storage-abort.js';
import { runBounded } from './bounded-pool.js';
import { FolderProgress } from './folder-progress.js';
import { listLocalFolder } from './local-folder.js';
import { withRetries } from './retry.js';
import { TRANSFER_DEFAULTS, type TransferOptions } from './transfer.options.js';
import { uploadFile } from './upload-file.js';

/** Which folder to upload, and below which prefix. */
export interface UploadFolderRequest extends TransferOptions {
  /** Key prefix, e.g. from `folderObjectPrefix`; a missing `/` at its end is added. */
  readonly prefix: string;
  /** Local path of the folder. */
  readonly path: string;
}

/** What a folder transfer moved. */
export interface FolderResult {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Uploads a folder, many files at one time. Keys are `<prefix><relative path>` with slashes.
 *
 * An empty sub-folder becomes an empty object whose key ends with `/`. OSS consoles do the same, and the Python
 * receiver skips such keys (`OssManager.download_directory`), so it loses the empty folder and nothing else.
 * An empty top folder uploads nothing, as with Python; its receiver still creates it.
 *
 * When it fails, what was uploaded so far stays; uploading to the same prefix again completes it.
 *
 * @throws CrossCommError `CC_UNSAFE_PATH` for links that leave the folder and for names that not every system can store
 * @throws CrossCommError as {@link uploadFile}
 */
export async function uploadFolder(storage: FileStorage, request: UploadFolderRequest): Promise<FolderResult> {
  throwIfAborted(request.signal);
  const prefix = request.prefix.endsWith('/') ? request.prefix : `${request.prefix}/`;
  const entries = await listLocalFolder(request.path);
  const files = entries.filter((entry) => entry.kind === 'file').length;
  const bytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
  const progress = new FolderProgress({ totalBytes: bytes, totalFiles: files }, request.onProgress);
  const { onProgress: _, ...options } = request;

  await runBounded(entries, { concurrency: request.concurrency ?? TRANSFER_DEFAULTS.fileConcurrency, signal: request.signal }, async (entry, signal) => {
    const key = `${prefix}${entry.relativePath}`;
    if (entry.kind === 'empty-folder') {
      await withRetries(() => storage.put(`${key}/`, Readable.from([]), { sizeBytes: 0, signal }), { ...options, signal });
      return;
    }
    await uploadFile(storage, { ...options, key, path: entry.path, signal, concurrency: 2, onProgress: progress.forFile() });
    progress.fileDone();
  });
  return { files, bytes };
}
