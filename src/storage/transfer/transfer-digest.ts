import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Transform, type TransformCallback } from 'node:stream';
import { CrossCommError } from '../../protocol/index.js';
import { Crc64 } from '../crc64.js';
import type { ObjectInfo } from '../file-storage.js';

const READ_BYTES = 256 * 1024;

/** Size and checksums of some bytes; `md5` is upper-case hexadecimal, as OSS writes an etag. */
export interface ByteDigest {
  readonly sizeBytes: number;
  readonly crc64: string;
  readonly md5: string;
}

/** Passes bytes through, counts them and computes both checksums. */
export class DigestStream extends Transform {
  private readonly crc = new Crc64();
  private readonly hash = createHash('md5');

  constructor(private readonly onBytes?: (count: number) => void) {
    super({ readableHighWaterMark: READ_BYTES, writableHighWaterMark: READ_BYTES });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.crc.update(chunk);
    this.hash.update(chunk);
    this.onBytes?.(chunk.length);
    done(null, chunk);
  }

  /** Call once, after the last byte. */
  digest(): ByteDigest {
    return { sizeBytes: this.crc.sizeBytes, crc64: this.crc.digest(), md5: this.hash.digest('hex').toUpperCase() };
  }
}

/** A byte range of a local file; `end` is inclusive. */
export interface FileRange {
  readonly start: number;
  readonly end: number;
}

/** Both checksums of a local file, or of a part of it. */
export async function digestFile(path: string, options: { range?: FileRange; signal?: AbortSignal | undefined } = {}): Promise<ByteDigest> {
  const crc = new Crc64();
  const hash = createHash('md5');
  const empty = options.range !== undefined && options.range.end < options.range.start;
  if (!empty) {
    const stream = createReadStream(path, { ...options.range, highWaterMark: READ_BYTES, ...(options.signal ? { signal: options.signal } : {}) });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      crc.update(chunk);
      hash.update(chunk);
    }
  }
  return { sizeBytes: crc.sizeBytes, crc64: crc.digest(), md5: hash.digest('hex').toUpperCase() };
}

/**
 * Whether bytes are those of an object: by CRC-64 when the storage reports one, by the etag when it is an MD5,
 * else by size alone.
 */
export function matchesObject(digest: ByteDigest, info: ObjectInfo): boolean {
  if (digest.sizeBytes !== info.sizeBytes) return false;
  if (info.crc64 !== undefined) return digest.crc64 === info.crc64;
  if (/^[0-9A-F]{32}$/i.test(info.etag)) return digest.md5 === info.etag.toUpperCase();
  return true;
}

/** @throws CrossCommError `CC_CHECKSUM_MISMATCH` when the bytes are not those of the object */
export function assertMatchesObject(digest: ByteDigest, info: ObjectInfo): void {
  if (matchesObject(digest, info)) return;
  const stored = `${info.sizeBytes} bytes and crc64 ${info.crc64 ?? 'unknown'}`;
  const detail = `Object "${info.key}" has ${stored}, transferred were ${digest.sizeBytes} bytes and crc64 ${digest.crc64}.`;
  throw new CrossCommError('CC_CHECKSUM_MISMATCH', detail);
}
