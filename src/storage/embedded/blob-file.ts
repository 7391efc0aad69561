import { createHash } from 'node:crypto';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { Crc64 } from '../crc64.js';
import { throwIfAborted } from '../storage-abort.js';
import { OssError } from './oss-error.js';

/*
 * A blob file holds the bytes first and what is known about them last:
 *
 *   content | record (JSON, UTF-8) | length of the record (4 bytes, big endian) | "CCBLOB1\n"
 *
 * So content and record are one file, written, synced and renamed together: neither can exist without the other,
 * overwriting is one rename, and a torn file is recognised by its missing end.
 */
const MAGIC = Buffer.from('CCBLOB1\n', 'latin1');
const FOOTER_BYTES = 4 + MAGIC.length;
const MAX_RECORD_BYTES = 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

/** Size and checksums of a blob's content. */
export interface BlobDigest {
  readonly sizeBytes: number;
  /** Upper-case hexadecimal. */
  readonly md5: string;
  /** Unsigned decimal. */
  readonly crc64: string;
}

/** Where a blob goes and what it must be like. */
export interface BlobTarget<R> {
  readonly path: string;
  readonly maxBytes: number;
  readonly expectedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The record to append; throws to refuse the content. */
  readonly describe: (digest: BlobDigest) => R;
}

/** Streams content into a new blob file and syncs it to disk. When it fails, the file is gone. */
export async function writeBlob<R>(source: AsyncIterable<Uint8Array>, target: BlobTarget<R>): Promise<R> {
  return writeFileOrRemove(target.path, async (handle) => {
    const md5 = createHash('md5');
    const crc = new Crc64();
    for await (const bytes of source) {
      throwIfAborted(target.signal);
      if (crc.sizeBytes + bytes.length > target.maxBytes) throw new OssError('EntityTooLarge');
      md5.update(bytes);
      crc.update(bytes);
      await writeAll(handle, bytes);
    }
    if (target.expectedBytes !== undefined && crc.sizeBytes !== target.expectedBytes) throw new OssError('IncompleteBody');
    return finish(handle, target.describe({ sizeBytes: crc.sizeBytes, md5: md5.digest('hex').toUpperCase(), crc64: crc.digest() }));
  });
}

/** Joins the contents of blob files to a new one; their checksums are known, so nothing is computed. */
export async function joinBlobs<R>(sources: readonly { path: string; sizeBytes: number }[], target: { path: string; record: R }): Promise<R> {
  return writeFileOrRemove(target.path, async (handle) => {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (const source of sources) {
      const from = await open(source.path, 'r');
      try {
        for (let at = 0; at < source.sizeBytes; ) {
          const { bytesRead } = await from.read(buffer, 0, Math.min(COPY_BYTES, source.sizeBytes - at), at);
          if (bytesRead === 0) throw new OssError('InternalError', 'A stored part is shorter than its record.');
          await writeAll(handle, buffer.subarray(0, bytesRead));
          at += bytesRead;
        }
      } finally {
        await from.close();
      }
    }
    return finish(handle, target.record);
  });
}

/** The record of a blob file, or `undefined` when the file is torn or none of ours. The caller checks its shape. */
export async function readRecord(handle: FileHandle): Promise<unknown> {
  const { size } = await handle.stat();
  if (size < FOOTER_BYTES) return undefined;
  // Most records fit into the last kilobyte, so that one read is enough.
  const tail = await readAt(handle, Math.max(0, size - 1024), Math.min(size, 1024));
  if (!tail.subarray(tail.length - MAGIC.length).equals(MAGIC)) return undefined;
  const length = tail.readUInt32BE(tail.length - FOOTER_BYTES);
  if (length > MAX_RECORD_BYTES || length + FOOTER_BYTES > size) return undefined;
  const inTail = tail.length - FOOTER_BYTES - length;
  const bytes = inTail >= 0 ? tail.subarray(inTail, inTail + length) : await readAt(handle, size - FOOTER_BYTES - length, length);
  const record = parsed(bytes.toString('utf8'));
  const { sizeBytes } = (record ?? {}) as { sizeBytes?: unknown };
  return sizeBytes === size - FOOTER_BYTES - length ? record : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // damaged: one file must not keep the others from being served
  }
}

/** Makes a rename or removal in a directory last (no effect where directories cannot be synced: Windows). */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeFileOrRemove<R>(path: string, write: (handle: FileHandle) => Promise<R>): Promise<R> {
  const handle = await open(path, 'wx', 0o600);
  try {
    const result = await write(handle);
    await handle.close();
    return result;
  } catch (error) {
    await handle.close();
    await rm(path, { force: true });
    throw error;
  }
}

async function finish<R>(handle: FileHandle, record: R): Promise<R> {
  const json = Buffer.from(JSON.stringify(record), 'utf8');
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.writeUInt32BE(json.length);
  MAGIC.copy(footer, 4);
  await writeAll(handle, Buffer.concat([json, footer]));
  await handle.datasync();
  return record;
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const result = await handle.write(bytes, written, bytes.length - written);
    written += result.bytesWritten;
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let read = 0; read < length; ) {
    const { bytesRead } = await handle.read(buffer, read, length - read, position + read);
    if (bytesRead === 0) throw new OssError('InternalError', 'A stored file became shorter while it was read.');
    read += bytesRead;
  }
  return buffer;
}
