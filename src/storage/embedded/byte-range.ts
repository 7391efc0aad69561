import { OssError } from './oss-error.js';

/** A part of an object; both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The range a `Range` header asks for: `bytes=1-2`, `bytes=1-`, `bytes=-2`. `undefined` means the whole object: no
 * header, one that is malformed or has several ranges (OSS answers those with the whole object too), an empty object.
 *
 * @throws OssError `InvalidRange` when nothing of the object lies in the range
 */
export function parseRange(header: string, sizeBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (!match || sizeBytes === 0) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') {
    const count = Math.min(Number(last), sizeBytes);
    if (count === 0) throw new OssError('InvalidRange');
    return { start: sizeBytes - count, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= sizeBytes) throw new OssError('InvalidRange');
  return { start, end };
}
