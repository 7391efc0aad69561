import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CrossCommError } from '../../protocol/index.js';
import { DigestStream } from './transfer-digest.js';

/** Opens a byte range of a file as a stream that computes checksums on the way. `end` is inclusive. */
export function openRange(range: { path: string; start: number; end: number }, onBytes?: (count: number) => void): DigestStream {
  const body = new DigestStream(onBytes);
  if (range.end < range.start) {
    body.end();
    return body;
  }
  // The consumer of `body` sees a read error as the error of `body`; there is nothing to add here.
  pipeline(createReadStream(range.path, { start: range.start, end: range.end, highWaterMark: 256 * 1024 }), body, () => undefined);
  return body;
}

/** Runs a storage call that consumes `body`; the file is closed whatever happens, and read errors get their own text. */
export async function putAndClose<T>(body: DigestStream, call: () => Promise<T>): Promise<T> {
  let readError: Error | undefined;
  body.on('error', (error) => (readError ??= error));
  try {
    return await call();
  } catch (error) {
    if (readError !== undefined && !(error instanceof CrossCommError && error.code === 'CC_ABORTED') && isFileError(readError))
      throw new CrossCommError('CC_STORAGE_FAILED', { detail: `The local file cannot be read (${readError.message}).`, cause: readError });
    throw error;
  } finally {
    body.destroy();
  }
}

function isFileError(error: Error): boolean {
  return (error as NodeJS.ErrnoException).syscall === 'read' || (error as NodeJS.ErrnoException).syscall === 'open';
}
