import { Readable } from 'node:stream';
import { CrossCommError, type ErrorCode } from '../../protocol/index.js';
import {
  FileStorage,
  type GetOptions,
  type ListOptions,
  type ObjectInfo,
  type PartUpload,
  type PutOptions,
  type SignedUrlRequest,
  type StorageCallOptions,
  type UploadedPart,
} from '../file-storage.js';
import { abortedError, orAbort, throwIfAborted } from '../storage-abort.js';
import type { StoreCredentials } from './generate-credentials.js';
import type { MultipartStore } from './multipart-store.js';
import type { ObjectStore } from './object-store.js';
import { OssError } from './oss-error.js';
import { presignPath } from './presign-path.js';

/** What the driver works on. */
export interface EmbeddedStorageParts {
  readonly objects: ObjectStore;
  readonly uploads: MultipartStore;
  readonly credentials: StoreCredentials;
  readonly bucket: string;
  /** Put in front of signed paths; see `StorageOptions.publicBaseUrl`. */
  readonly publicBaseUrl?: string | undefined;
}

const PAGE_KEYS = 1_000;

/** The embedded object store as a {@link FileStorage}, inside the hub's process and without HTTP. */
export class EmbeddedFileStorage extends FileStorage {
  readonly driver = 'embedded';

  constructor(private readonly parts: EmbeddedStorageParts) {
    super();
  }

  async put(key: string, body: Readable, { sizeBytes, signal }: PutOptions): Promise<ObjectInfo> {
    return attempt(signal, () => {
      const work = this.parts.objects.put(key, body, { expectedBytes: sizeBytes, signal });
      return orAbort(work, signal, () => body.destroy());
    }).then(toInfo);
  }

  async get(key: string, { start, end, signal }: GetOptions = {}): Promise<{ info: ObjectInfo; body: Readable }> {
    return attempt(signal, async () => {
      const object = await this.parts.objects.open(key);
      const { sizeBytes } = object.record;
      const first = start ?? 0;
      const last = Math.min(end ?? sizeBytes - 1, sizeBytes - 1);
      if (sizeBytes > 0 && (first >= sizeBytes || last < first)) {
        await object.close();
        throw new OssError('InvalidRange');
      }
      const body = sizeBytes === 0 ? Readable.from([]) : object.read({ start: first, end: last });
      if (sizeBytes === 0) await object.close();
      if (signal) destroyOnAbort(body, signal);
      return { info: toInfo(object.record), body };
    });
  }

  async head(key: string, { signal }: StorageCallOptions = {}): Promise<ObjectInfo> {
    return toInfo(await attempt(signal, () => this.parts.objects.head(key)));
  }

  async *list(prefix: string, { startAfter = '', signal }: ListOptions = {}): AsyncIterable<ObjectInfo> {
    for (let after: string | undefined = startAfter; after !== undefined; ) {
      throwIfAborted(signal);
      const page = this.parts.objects.page({ prefix, after, delimiter: '', max: PAGE_KEYS });
      for (const entry of page.entries) yield toInfo(entry);
      after = page.next;
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    await attempt(undefined, async () => {
      for (const key of keys) await this.parts.objects.delete(key);
    });
  }

  async beginMultipart(key: string): Promise<string> {
    return (await attempt(undefined, () => this.parts.uploads.begin(key))).uploadId;
  }

  async putPart(part: PartUpload): Promise<UploadedPart> {
    const { key, uploadId, partNumber, body, sizeBytes, signal } = part;
    return attempt(signal, () => {
      const work = this.parts.uploads.putPart(body, { key, uploadId, partNumber, expectedBytes: sizeBytes, signal });
      return orAbort(work, signal, () => body.destroy());
    }).then(toPart);
  }

  async listParts(key: string, uploadId: string): Promise<readonly UploadedPart[]> {
    return attempt(undefined, async () => this.parts.uploads.parts(key, uploadId).map(toPart));
  }

  async completeMultipart(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<ObjectInfo> {
    return toInfo(await attempt(undefined, () => this.parts.uploads.complete(key, uploadId, { parts })));
  }

  async abortMultipart(key: string, uploadId: string): Promise<void> {
    await attempt(undefined, async () => {
      await this.parts.uploads.abort(key, uploadId).catch((error: unknown) => {
        if (!(error instanceof OssError && error.code === 'NoSuchUpload')) throw error;
      });
    });
  }

  async signUrl(request: SignedUrlRequest): Promise<string> {
    const { bucket, credentials, publicBaseUrl } = this.parts;
    const path = presignPath(request, { bucket, credentials, nowMs: Date.now() });
    return publicBaseUrl === undefined ? path : `${publicBaseUrl.replace(/\/+$/, '')}${path}`;
  }
}

function toInfo({ key, sizeBytes, etag, crc64, lastModifiedMs }: Required<ObjectInfo>): ObjectInfo {
  return { key, sizeBytes, etag, crc64, lastModifiedMs };
}

function toPart({ partNumber, etag, sizeBytes }: UploadedPart): UploadedPart {
  return { partNumber, etag, sizeBytes };
}

function destroyOnAbort(body: Readable, signal: AbortSignal): void {
  const onAbort = (): void => void body.destroy(abortedError(signal));
  if (signal.aborted) onAbort();
  else {
    signal.addEventListener('abort', onAbort, { once: true });
    body.once('close', () => signal.removeEventListener('abort', onAbort));
  }
}

const CODES: Partial<Record<string, ErrorCode>> = {
  NoSuchKey: 'CC_FILE_NOT_FOUND',
  NoSuchUpload: 'CC_FILE_NOT_FOUND',
  InvalidObjectName: 'CC_UNSAFE_PATH',
  AccessDenied: 'CC_STORAGE_DENIED',
  BadDigest: 'CC_CHECKSUM_MISMATCH',
  InvalidPart: 'CC_INVALID_CONTENT',
  InvalidPartOrder: 'CC_INVALID_CONTENT',
  EntityTooLarge: 'CC_LIMIT_REACHED',
  TooManyUploads: 'CC_LIMIT_REACHED',
};

async function attempt<T>(signal: AbortSignal | undefined, operation: () => Promise<T>): Promise<T> {
  throwIfAborted(signal);
  try {
    return await operation();
  } catch (error) {
    if (signal?.aborted) throw abortedError(signal);
    if (error instanceof CrossCommError) throw error;
    const code = error instanceof OssError ? (CODES[error.code] ?? 'CC_STORAGE_FAILED') : 'CC_STORAGE_FAILED';
    throw new CrossCommError(code, { detail: describe(error), cause: error });
  }
}

function describe(error: unknown): string {
  if (error instanceof OssError) return error.message;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return `The store's disk reports ${code ?? 'an error'}.`;
}
