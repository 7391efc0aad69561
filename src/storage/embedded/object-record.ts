import { utf8ByteLength } from '../../protocol/index.js';
import type { ObjectInfo } from '../file-storage.js';
import { OssError } from './oss-error.js';

/** What the store keeps about an object besides its bytes. */
export interface ObjectRecord extends ObjectInfo {
  readonly crc64: string;
  /** As OSS names it: uploaded whole, or in parts. */
  readonly type: 'Normal' | 'Multipart';
  readonly contentType: string;
  /** Headers that come back on GET: `cache-control`, `content-encoding`, ..., `x-oss-meta-*`; lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the uploader says about an object. */
export interface ObjectDescription {
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Content type of objects for which none was given, as in OSS. */
export const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

const MAX_KEY_BYTES = 1_023;

/**
 * Returns the key when OSS would accept it: 1 to 1,023 bytes of UTF-8 that do not begin with `/` or `\`.
 * Everything else is allowed, `..` too: on disk a key is only ever a hash.
 * @throws OssError `InvalidObjectName`
 */
export function assertObjectKey(key: string): string {
  const tooLong = key.length > MAX_KEY_BYTES || utf8ByteLength(key) > MAX_KEY_BYTES;
  // encodeURIComponent refuses half surrogate pairs, which are no UTF-8.
  if (key === '' || tooLong || key.startsWith('/') || key.startsWith('\\') || !isUtf8(key)) throw new OssError('InvalidObjectName');
  return key;
}

/** Whether a parsed record has the shape of an object's. */
export function isObjectRecord(value: unknown): value is ObjectRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<Record<keyof ObjectRecord, unknown>>;
  return (
    typeof record.key === 'string' &&
    typeof record.sizeBytes === 'number' &&
    typeof record.etag === 'string' &&
    typeof record.crc64 === 'string' &&
    typeof record.lastModifiedMs === 'number' &&
    typeof record.contentType === 'string' &&
    (record.type === 'Normal' || record.type === 'Multipart') &&
    typeof record.headers === 'object' &&
    record.headers !== null
  );
}

function isUtf8(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
