import { lstat, mkdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { assertRelativePath, CrossCommError, type AttachmentType } from '../../protocol/index.js';
import type { FileStorage } from '../file-storage.js';
import { downloadFile } from './download-file.js';
import { downloadFolder } from './download-folder.js';
import { withRetries } from './retry.js';
import { isSameFile } from './same-file.js';
import { prepareDirectory, prepareTarget } from './safe-target.js';
import type { TransferOptions } from './transfer.options.js';

/** An attachment of a received message; nothing in it is trusted. */
export interface DownloadAttachmentRequest extends TransferOptions {
  readonly msgType: AttachmentType;
  /** The message's `oss_key`. */
  readonly ossKey: string;
  /** The listener's download directory; created when missing. */
  readonly directory: string;
  /** Milliseconds since the epoch; names the folder of a folder message. */
  readonly nowMs: number;
}

/** More equal names than this mean that something is wrong. */
const MOST_COLLISIONS = 10_000;

/** Local paths that a running download in this process is going to fill. */
const reserved = new Set<string>();

/**
 * Downloads a message's attachment, laid out as the Python client does it, and returns the local path:
 *
 * - file, image: `<directory>/<the whole key>`. A file that is there already is returned when it is identical;
 *   beside a different one the new one gets `_2`, `_3`, ... before its extension.
 * - folder: below `<directory>/folder_<unix seconds>/<the whole key>/`; returns `<directory>/folder_<unix seconds>`,
 *   with `_2`, `_3`, ... when that exists.
 *
 * Keys of the Java client work as well: files at the top of the bucket, folders without `/` at the end.
 *
 * @throws CrossCommError `CC_UNSAFE_PATH` when the key is no safe path; nothing is written then
 * @throws CrossCommError as `downloadFile` and `downloadFolder`
 */
export async function downloadAttachment(storage: FileStorage, request: DownloadAttachmentRequest): Promise<string> {
  return request.msgType === 'folder' ? folderAttachment(storage, request) : fileAttachment(storage, request);
}

async function fileAttachment(storage: FileStorage, request: DownloadAttachmentRequest): Promise<string> {
  const { ossKey: key, directory, signal } = request;
  assertRelativePath(key);
  const info = await withRetries(() => storage.head(key, signal ? { signal } : {}), request);
  const first = await prepareTarget(resolve(directory), key);
  for (const path of candidates(first)) {
    if (reserved.has(path)) continue;
    reserved.add(path);
    try {
      if (await isSameFile(storage, { path, info, signal })) return path;
      if (await exists(path)) continue;
      await downloadFile(storage, { ...transferOptions(request), key, targetPath: path });
      return path;
    } finally {
      reserved.delete(path);
    }
  }
  throw new CrossCommError('CC_STORAGE_FAILED', `Too many files are named like "${first}".`);
}

async function folderAttachment(storage: FileStorage, request: DownloadAttachmentRequest): Promise<string> {
  const { ossKey, nowMs } = request;
  const relative = assertRelativePath(ossKey.endsWith('/') ? ossKey.slice(0, -1) : ossKey);
  const root = resolve(request.directory);
  await mkdir(root, { recursive: true });
  for (const path of candidates(join(root, `folder_${Math.floor(nowMs / 1000)}`))) {
    const created = await mkdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw new CrossCommError('CC_STORAGE_FAILED', { detail: `"${path}" cannot be created (${error.code}).`, cause: error });
      },
    );
    if (!created) continue;
    const directory = await prepareDirectory(path, relative.split('/'));
    await downloadFolder(storage, { ...transferOptions(request), prefix: `${relative}/`, directory });
    return path;
  }
  throw new CrossCommError('CC_STORAGE_FAILED', `Too many folders of one second are in "${root}".`);
}

/** `a/b.txt`, `a/b_2.txt`, `a/b_3.txt`, ... */
function* candidates(path: string): Iterable<string> {
  yield path;
  const extension = extname(path);
  const stem = path.slice(0, path.length - extension.length);
  for (let number = 2; number < MOST_COLLISIONS; number++) yield `${stem}_${number}${extension}`;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false, // what cannot be looked at cannot be in the way either; writing will tell
  );
}

function transferOptions(request: DownloadAttachmentRequest): TransferOptions {
  const { msgType: _type, ossKey: _key, directory: _directory, nowMs: _now, ...options } = request;
  return options;
}
