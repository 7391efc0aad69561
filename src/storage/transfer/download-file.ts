import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CrossCommError } from '../../protocol/index.js';
import { combineCrc64, Crc64 } from '../crc64.js';
import type { FileStorage, ObjectInfo } from '../file-storage.js';
import { throwIfAborted } from '../storage-abort.js';
import { runBounded } from './bounded-pool.js';
import { PartialFile } from './partial-file.js';
import { withRetries } from './retry.js';
import { assertMatchesObject, digestFile } from './transfer-digest.js';
import { TRANSFER_DEFAULTS, type TransferOptions } from './transfer.options.js';

/** What to download, and where to. */
export interface DownloadFileRequest extends TransferOptions {
  readonly key: string;
  /** Local path of the file to be; missing directories are created. It is trusted: see `downloadAttachment` for keys from the wire. */
  readonly targetPath: string;
  /** Whether a failed or aborted download of a large file leaves its `.part` file, so that the next call goes on. Default true. */
  readonly keepPartial?: boolean;
  /** The object as a listing has just shown it; saves asking for it again. */
  readonly known?: ObjectInfo;
}

/** Targets being written in this process: two downloads into one `.part` file would ruin each other. */
const busyTargets = new Set<string>();

/**
 * Downloads an object to `<targetPath>.part`, in parallel ranges when it is large, checks it by checksum and only then
 * renames it; an existing file at the target is replaced in that moment, a symbolic link there is replaced, not followed.
 *
 * @throws CrossCommError `CC_FILE_NOT_FOUND` when there is no such object
 * @throws CrossCommError `CC_CHECKSUM_MISMATCH` when it arrived damaged (the target is untouched)
 * @throws CrossCommError `CC_ABORTED` when the signal fired; `CC_STORAGE_DENIED`, `CC_STORAGE_FAILED`
 */
export async function downloadFile(storage: FileStorage, request: DownloadFileRequest): Promise<ObjectInfo> {
  throwIfAborted(request.signal);
  const target = resolve(request.targetPath);
  if (busyTargets.has(target)) throw new CrossCommError('CC_STORAGE_FAILED', `"${target}" is being downloaded already.`);
  busyTargets.add(target);
  try {
    const info = request.known ?? (await withRetries(() => storage.head(request.key, request.signal ? { signal: request.signal } : {}), request));
    await mkdir(dirname(target), { recursive: true });
    const chunkBytes = request.partSizeBytes ?? TRANSFER_DEFAULTS.partSizeBytes;
    const partial = await PartialFile.open(target, info, chunkBytes);
    let keep = request.keepPartial ?? true;
    try {
      await fetchChunks(storage, { request, info, partial, chunkBytes, reported: { crc64: info.crc64 } });
      await partial.moveToTarget();
    } catch (error) {
      if (error instanceof CrossCommError && error.code === 'CC_CHECKSUM_MISMATCH') keep = false;
      await partial.close(keep);
      throw error;
    }
    request.onProgress?.({ transferredBytes: info.sizeBytes, totalBytes: info.sizeBytes, doneFiles: 1, totalFiles: 1 });
    return info;
  } catch (error) {
    throw asTransferError(error, target);
  } finally {
    busyTargets.delete(target);
  }
}

interface Fetch {
  readonly request: DownloadFileRequest;
  readonly info: ObjectInfo;
  readonly partial: PartialFile;
  readonly chunkBytes: number;
  /** Listings carry no CRC-64; then it is taken from the first answer that does. */
  readonly reported: { crc64: string | undefined };
}

async function fetchChunks(storage: FileStorage, fetch: Fetch): Promise<void> {
  const { request, info, partial, chunkBytes } = fetch;
  const count = Math.ceil(info.sizeBytes / chunkBytes);
  const resumed = partial.done.size > 0;
  const missing = Array.from({ length: count }, (_, chunk) => chunk).filter((chunk) => !partial.done.has(chunk));
  const checksums: Crc64[] = [];
  let transferredBytes = (count - missing.length) * chunkBytes;
  const report = (bytes: number): void => {
    transferredBytes += bytes;
    request.onProgress?.({ transferredBytes, totalBytes: info.sizeBytes, doneFiles: 0, totalFiles: 1 });
  };
  report(0);
  const concurrency = request.concurrency ?? TRANSFER_DEFAULTS.partConcurrency;
  await runBounded(missing, { concurrency, signal: request.signal }, async (chunk, signal) => {
    checksums[chunk] = await withRetries(() => fetchChunk(storage, { ...fetch, chunk, signal, report }), { ...request, signal });
    await partial.complete(chunk);
  });
  const { crc64: expected } = fetch.reported;
  const object = expected === undefined ? info : { ...info, crc64: expected };
  // Chunks of an earlier run were never seen by this one, so the file itself is read again.
  if (resumed || expected === undefined) return assertMatchesObject(await digestFile(partial.path, { signal: request.signal }), object);
  const crc64 = checksums.reduce((crc, part) => combineCrc64(crc, part.digest(), part.sizeBytes), '0');
  assertMatchesObject({ sizeBytes: checksums.reduce((sum, part) => sum + part.sizeBytes, 0), crc64, md5: '' }, object);
}

interface FetchChunk extends Fetch {
  readonly chunk: number;
  readonly signal: AbortSignal;
  readonly report: (bytes: number) => void;
}

async function fetchChunk(storage: FileStorage, fetch: FetchChunk): Promise<Crc64> {
  const { info, partial, chunkBytes, chunk, signal, report } = fetch;
  const start = chunk * chunkBytes;
  const end = Math.min(start + chunkBytes, info.sizeBytes) - 1;
  const whole = start === 0 && end === info.sizeBytes - 1;
  const { info: current, body } = await storage.get(info.key, whole ? { signal } : { start, end, signal });
  const crc = new Crc64();
  fetch.reported.crc64 ??= current.crc64;
  try {
    if (current.etag !== info.etag) throw new CrossCommError('CC_CHECKSUM_MISMATCH', `Object "${info.key}" changed while it was downloaded.`);
    for await (const bytes of body as AsyncIterable<Buffer>) {
      throwIfAborted(signal);
      if (start + crc.sizeBytes + bytes.length > end + 1) throw new CrossCommError('CC_STORAGE_FAILED', 'The storage sent more bytes than asked for.');
      await writeAll(partial, bytes, start + crc.sizeBytes);
      crc.update(bytes);
      report(bytes.length);
    }
    if (crc.sizeBytes !== end - start + 1) throw new CrossCommError('CC_STORAGE_FAILED', 'The storage ended the object early.');
    return crc;
  } catch (error) {
    report(-crc.sizeBytes);
    throw asTransferError(error, partial.path);
  } finally {
    body.destroy();
  }
}

async function writeAll(partial: PartialFile, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const result = await partial.handle.write(bytes, written, bytes.length - written, position + written);
    written += result.bytesWritten;
  }
}

/** Local disk errors become `CC_STORAGE_FAILED`; what the file system calls a link in the way, `CC_UNSAFE_PATH`. */
function asTransferError(error: unknown, path: string): unknown {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (error instanceof CrossCommError || code === undefined) return error;
  if (code === 'ELOOP') return new CrossCommError('CC_UNSAFE_PATH', { detail: `A symbolic link stands at "${path}".`, cause: error });
  const isLocal = (error as NodeJS.ErrnoException).path !== undefined || code === 'ENOSPC';
  const detail = isLocal ? `"${path}" could not be written (${code}).` : `The download of "${path}" broke off (${code}).`;
  return new CrossCommError('CC_STORAGE_FAILED', { detail, cause: error });
}
