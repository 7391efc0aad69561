import type { Readable } from 'node:stream';

/** What a storage knows about one object. */
export interface ObjectInfo {
  /** The full object key. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes, upper-case hexadecimal; the MD5 of the content unless it was uploaded in parts (`<md5>-<count>`). */
  readonly etag: string;
  /** CRC-64/XZ of the content as an unsigned decimal (OSS: `x-oss-hash-crc64ecma`); absent when the storage has none. */
  readonly crc64?: string;
  /** Milliseconds since the epoch. */
  readonly lastModifiedMs: number;
}

/** One finished part of a multipart upload. */
export interface UploadedPart {
  /** 1 to 10,000. */
  readonly partNumber: number;
  /** MD5 of the part, upper-case hexadecimal, without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
}

/** What a signed URL shall allow. */
export interface SignedUrlRequest {
  readonly method: 'GET' | 'PUT';
  readonly key: string;
  /** Seconds from now for which the URL is valid. */
  readonly expiresSeconds: number;
  /** Further query parameters that are signed, e.g. `partNumber` and `uploadId`. */
  readonly query?: Readonly<Record<string, string>>;
}

/** Options every operation understands. */
export interface StorageCallOptions {
  /** Ends the operation with `CC_ABORTED`. */
  readonly signal?: AbortSignal;
}

export interface PutOptions extends StorageCallOptions {
  /** Exact length of the body; a body of another length fails. */
  readonly sizeBytes: number;
}

export interface GetOptions extends StorageCallOptions {
  /** First byte, default 0. */
  readonly start?: number;
  /** Last byte, inclusive; default the last byte of the object. */
  readonly end?: number;
}

export interface ListOptions extends StorageCallOptions {
  /** List only keys behind this one. */
  readonly startAfter?: string;
}

/** One part to store; `body` carries exactly `sizeBytes` bytes. */
export interface PartUpload extends StorageCallOptions {
  readonly key: string;
  readonly uploadId: string;
  readonly partNumber: number;
  readonly body: Readable;
  readonly sizeBytes: number;
}

/**
 * Where files, images and folders lie: the port that transfers, hub and SDK use. Also its own Nest injection token.
 *
 * Every method may fail with `CC_STORAGE_DENIED` (keys or rights), `CC_STORAGE_FAILED` (the storage or the way to it)
 * or `CC_ABORTED` (the signal); those that name an object or upload also with `CC_FILE_NOT_FOUND`.
 */
export abstract class FileStorage {
  /** `oss` or `embedded`; shown in logs. */
  abstract readonly driver: string;

  /** Stores one object; it appears whole or not at all. */
  abstract put(key: string, body: Readable, options: PutOptions): Promise<ObjectInfo>;

  /** Opens one object; the caller reads or destroys `body`. `info` always describes the whole object. */
  abstract get(key: string, options?: GetOptions): Promise<{ info: ObjectInfo; body: Readable }>;

  /** @throws CrossCommError `CC_FILE_NOT_FOUND` when there is no such object */
  abstract head(key: string, options?: StorageCallOptions): Promise<ObjectInfo>;

  /** All objects whose key begins with `prefix`, in the order of the keys' UTF-8 bytes, page after page. */
  abstract list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;

  /** Removes objects; keys that do not exist are no error. */
  abstract remove(keys: readonly string[]): Promise<void>;

  /** Begins a multipart upload and returns its id. */
  abstract beginMultipart(key: string): Promise<string>;

  /** Stores one part; a second upload of the same number replaces the first. */
  abstract putPart(part: PartUpload): Promise<UploadedPart>;

  /** The parts stored so far, by number. */
  abstract listParts(key: string, uploadId: string): Promise<readonly UploadedPart[]>;

  /** Joins the parts, in the order of their numbers, to the object. */
  abstract completeMultipart(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<ObjectInfo>;

  /** Gives a multipart upload up and removes its parts; an unknown upload is no error. */
  abstract abortMultipart(key: string, uploadId: string): Promise<void>;

  /**
   * A URL that allows one operation without keys until it expires. Absolute for `oss`; `embedded` returns path and
   * query, beginning with `/`, unless a public base URL is configured.
   */
  abstract signUrl(request: SignedUrlRequest): Promise<string>;
}
