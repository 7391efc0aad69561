import type { FileStorage, ObjectInfo } from '../file-storage.js';
import { throwIfAborted } from '../storage-abort.js';
import { openRange, putAndClose } from './file-body.js';
import { assertUnchanged, localFileState, type LocalFileState } from './local-file.js';
import { withRetries } from './retry.js';
import { assertMatchesObject } from './transfer-digest.js';
import { TRANSFER_DEFAULTS } from './transfer.options.js';
import { uploadParts } from './upload-parts.js';
import type { UploadFileRequest } from './upload-request.js';

/**
 * Uploads a file: in one request up to `partSizeBytes`, else in parallel parts, each retried with back-off.
 * What the storage holds in the end is compared with the bytes that were read, by checksum.
 *
 * @throws CrossCommError `CC_FILE_NOT_FOUND` when there is no such file
 * @throws CrossCommError `CC_CHECKSUM_MISMATCH` when the file changed meanwhile, or arrived damaged
 * @throws CrossCommError `CC_ABORTED` when the signal fired; `CC_STORAGE_DENIED`, `CC_STORAGE_FAILED`
 */
export async function uploadFile(storage: FileStorage, request: UploadFileRequest): Promise<ObjectInfo> {
  throwIfAborted(request.signal);
  const state = await localFileState(request.path);
  report(request, state, 0);
  const limit = request.partSizeBytes ?? TRANSFER_DEFAULTS.partSizeBytes;
  const info = state.sizeBytes <= limit ? await uploadWhole(storage, request, state) : await uploadParts(storage, request, state);
  request.onProgress?.({ transferredBytes: state.sizeBytes, totalBytes: state.sizeBytes, doneFiles: 1, totalFiles: 1 });
  return info;
}

async function uploadWhole(storage: FileStorage, request: UploadFileRequest, state: LocalFileState): Promise<ObjectInfo> {
  const { key, path, signal } = request;
  return withRetries(async () => {
    let sent = 0;
    const body = openRange({ path, start: 0, end: state.sizeBytes - 1 }, (count) => report(request, state, (sent += count)));
    const info = await putAndClose(body, () => storage.put(key, body, { sizeBytes: state.sizeBytes, ...(signal ? { signal } : {}) }));
    try {
      await assertUnchanged(path, state);
      assertMatchesObject(body.digest(), info);
    } catch (error) {
      await storage.remove([key]);
      throw error;
    }
    return info;
  }, request);
}

function report(request: UploadFileRequest, state: LocalFileState, transferredBytes: number): void {
  request.onProgress?.({ transferredBytes, totalBytes: state.sizeBytes, doneFiles: 0, totalFiles: 1 });
}
