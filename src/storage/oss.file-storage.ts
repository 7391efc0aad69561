import type OSS from 'ali-oss';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { CrossCommError } from '../protocol/index.js';
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
} from './file-storage.js';
import { parseOssEndpoint, type OssEndpoint } from './oss-endpoint.js';
import { fromOssFailure } from './oss-failure.js';
import { abortedError, orAbort, throwIfAborted } from './storage-abort.js';

/** A bucket and the keys to it. */
export interface OssStorageOptions {
  /** Address of the region (or of the embedded store), e.g. `https://oss-cn-hangzhou.aliyuncs.com`. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** E.g. `oss-cn-hangzhou`; by default taken from the endpoint. Needed for V4 signatures on hosts of your own. */
  readonly region?: string;
  /** `/<bucket>/<key>` instead of `<bucket>.<host>/<key>`; default: unless the host is Alibaba's. */
  readonly pathStyle?: boolean;
  /** Longest wait for an answer that carries no body of ours, milliseconds; uploads get more by their size. Default 60,000. */
  readonly timeoutMs?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLES = {
  endpoint: 'OSS_ENDPOINT',
  bucket: 'OSS_BUCKET_NAME',
  accessKeyId: 'OSS_ACCESS_KEY_ID',
  accessKeySecret: 'OSS_ACCESS_KEY_SECRET',
} as const;

const PAGE_KEYS = 1_000;
const SLOWEST_UPLOAD_BYTES_PER_S = 16 * 1024;

/** Alibaba Cloud OSS, or what speaks its protocol, through the `ali-oss` package (an optional dependency, loaded when first used). */
export class OssFileStorage extends FileStorage {
  readonly driver = 'oss';
  private readonly endpoint: OssEndpoint;
  private client: Promise<OSS> | undefined;

  /** @throws CrossCommError `CC_INVALID_OPTION` when an option is empty or the endpoint is no address */
  constructor(private readonly options: OssStorageOptions) {
    super();
    for (const name of ['endpoint', 'bucket', 'accessKeyId', 'accessKeySecret'] as const)
      if (!options[name]) throw new CrossCommError('CC_INVALID_OPTION', `The OSS option "${name}" is empty.`);
    this.endpoint = parseOssEndpoint(options.endpoint);
  }

  /** Whether all four variables of {@link fromEnvironment} are set. */
  static isConfigured(env: Environment): boolean {
    return Object.values(VARIABLES).every((name) => env[name]);
  }

  /**
   * From the four variables of the Python client: `OSS_ENDPOINT`, `OSS_BUCKET_NAME`, `OSS_ACCESS_KEY_ID`,
   * `OSS_ACCESS_KEY_SECRET`.
   * @throws CrossCommError `CC_INVALID_OPTION` that names those which are missing
   */
  static fromEnvironment(env: Environment): OssFileStorage {
    const missing = Object.values(VARIABLES).filter((name) => !env[name]);
    if (missing.length > 0) throw new CrossCommError('CC_INVALID_OPTION', `The OSS storage needs ${missing.join(', ')} in the environment.`);
    const read = (name: keyof typeof VARIABLES): string => env[VARIABLES[name]] ?? '';
    return new OssFileStorage({
      endpoint: read('endpoint'),
      bucket: read('bucket'),
      accessKeyId: read('accessKeyId'),
      accessKeySecret: read('accessKeySecret'),
    });
  }

  async put(key: string, body: Readable, { sizeBytes, signal }: PutOptions): Promise<ObjectInfo> {
    const result = await this.call(
      signal,
      (client) => {
        const options = { contentLength: sizeBytes, timeout: this.uploadTimeoutMs(sizeBytes) } as OSS.PutStreamOptions;
        // The client sends a length of 0 as a chunked body, which OSS does not take everywhere.
        return sizeBytes === 0 ? client.put(key, Buffer.alloc(0)) : client.putStream(key, body, options);
      },
      () => body.destroy(),
    );
    const headers = headersOf(result);
    return { ...infoFrom(key, headers), sizeBytes, lastModifiedMs: Date.parse(headers.date ?? '') || Date.now() };
  }

  async get(key: string, { start, end, signal }: GetOptions = {}): Promise<{ info: ObjectInfo; body: Readable }> {
    const ranged = start !== undefined || end !== undefined;
    const headers = ranged ? { Range: `bytes=${start ?? 0}-${end ?? ''}` } : {};
    const result = await this.call(signal, (client) => {
      const opened = client.getStream(key, { headers, timeout: this.timeoutMs });
      // An answer that comes after the signal has nobody to read it.
      opened.then(({ stream }) => signal?.aborted && (stream as Readable).destroy()).catch(() => undefined);
      return opened;
    });
    const body = result.stream as Readable;
    const total = /\/(\d+)$/.exec(headersOf(result)['content-range'] ?? '')?.[1];
    if (ranged && total === undefined) {
      body.destroy();
      throw new CrossCommError('CC_STORAGE_FAILED', 'The storage ignored the range of bytes.');
    }
    if (signal) {
      const onAbort = (): void => void body.destroy(abortedError(signal));
      signal.addEventListener('abort', onAbort, { once: true });
      body.once('close', () => signal.removeEventListener('abort', onAbort));
    }
    const info = infoFrom(key, headersOf(result));
    return { info: total === undefined ? info : { ...info, sizeBytes: Number(total) }, body };
  }

  async head(key: string, { signal }: StorageCallOptions = {}): Promise<ObjectInfo> {
    return infoFrom(key, headersOf(await this.call(signal, (client) => client.head(key, { timeout: this.timeoutMs }))));
  }

  async *list(prefix: string, { startAfter, signal }: ListOptions = {}): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    do {
      const query: Record<string, string> = { 'max-keys': String(PAGE_KEYS), 'encoding-type': 'url' };
      if (prefix !== '') query['prefix'] = prefix;
      if (startAfter) query['start-after'] = startAfter;
      if (token) query['continuation-token'] = token;
      const page = await this.call(signal, (client) => client.listV2(query, { timeout: this.timeoutMs }));
      for (const object of page.objects ?? [])
        yield { key: decodeURIComponent(object.name), sizeBytes: object.size, etag: bareEtag(object.etag), lastModifiedMs: Date.parse(object.lastModified) };
      token = page.isTruncated ? (page as unknown as { nextContinuationToken?: string }).nextContinuationToken : undefined;
    } while (token);
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += PAGE_KEYS)
      await this.call(undefined, (client) => client.deleteMulti(keys.slice(at, at + PAGE_KEYS), { quiet: true, timeout: this.timeoutMs }));
  }

  async beginMultipart(key: string): Promise<string> {
    return (await this.call(undefined, (client) => client.initMultipartUpload(key, { timeout: this.timeoutMs }))).uploadId;
  }

  async putPart({ key, uploadId, partNumber, body, sizeBytes, signal }: PartUpload): Promise<UploadedPart> {
    const result = await this.call(
      signal,
      (client) => client.uploadPart(key, uploadId, partNumber, body, 0, sizeBytes, { timeout: this.uploadTimeoutMs(sizeBytes) }),
      () => body.destroy(),
    );
    return { partNumber, etag: bareEtag(result.etag), sizeBytes };
  }

  async listParts(key: string, uploadId: string): Promise<readonly UploadedPart[]> {
    const parts: UploadedPart[] = [];
    for (let marker = 0, more = true; more; ) {
      const query = { 'max-parts': PAGE_KEYS, 'part-number-marker': marker } as unknown as OSS.ListPartsQuery;
      const page = await this.call(undefined, (client) => client.listParts(key, uploadId, query, { timeout: this.timeoutMs }));
      const found = page.parts as unknown;
      for (const part of (Array.isArray(found) ? found : [found]) as ListedPart[])
        parts.push({ partNumber: Number(part.PartNumber), etag: bareEtag(part.ETag), sizeBytes: Number(part.Size) });
      const next = Number.parseInt(String(page.nextPartNumberMarker), 10);
      more = String(page.isTruncated) === 'true' && next > marker;
      marker = next;
    }
    return parts;
  }

  async completeMultipart(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<ObjectInfo> {
    const list = parts.map(({ partNumber, etag }) => ({ number: partNumber, etag: `"${etag}"` }));
    const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    const timeout = this.uploadTimeoutMs(sizeBytes);
    await this.call(undefined, (client) => client.completeMultipartUpload(key, uploadId, list, { timeout }));
    return this.head(key);
  }

  async abortMultipart(key: string, uploadId: string): Promise<void> {
    await this.call(undefined, (client) => client.abortMultipartUpload(key, uploadId, { timeout: this.timeoutMs })).catch((error: unknown) => {
      if (!(error instanceof CrossCommError && error.code === 'CC_FILE_NOT_FOUND')) throw error;
    });
  }

  async signUrl({ method, key, expiresSeconds, query = {} }: SignedUrlRequest): Promise<string> {
    const expires = Math.ceil(expiresSeconds);
    // Version 4 needs the region; hosts that do not tell it (acceleration) still take version 1.
    return this.call(undefined, async (client) =>
      this.usesV4
        ? client.signatureUrlV4(method, expires, { queries: query }, key)
        : client.signatureUrl(key, { method, expires, subResource: query }),
    );
  }

  private get timeoutMs(): number {
    return this.options.timeoutMs ?? 60_000;
  }

  private get usesV4(): boolean {
    return (this.options.region ?? this.endpoint.region) !== undefined || this.endpoint.pathStyle;
  }

  private uploadTimeoutMs(sizeBytes: number): number {
    return this.timeoutMs + Math.ceil((sizeBytes / SLOWEST_UPLOAD_BYTES_PER_S) * 1000);
  }

  private async call<T>(signal: AbortSignal | undefined, operation: (client: OSS) => Promise<T>, onAbort?: () => void): Promise<T> {
    throwIfAborted(signal);
    try {
      const client = await (this.client ??= this.connect());
      return await orAbort(operation(client), signal, onAbort);
    } catch (error) {
      throw fromOssFailure(error);
    }
  }

  private async connect(): Promise<OSS> {
    const module = await import('ali-oss').catch((cause: unknown) => {
      this.client = undefined;
      throw (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND' ? new CrossCommError('CC_STORAGE_MISSING', { cause }) : cause;
    });
    const { bucket, accessKeyId, accessKeySecret } = this.options;
    const region = this.options.region ?? this.endpoint.region;
    const options = {
      endpoint: this.endpoint.url,
      bucket,
      accessKeyId,
      accessKeySecret,
      sldEnable: this.options.pathStyle ?? this.endpoint.pathStyle,
      authorizationV4: this.usesV4,
      timeout: this.timeoutMs,
      ...(region === undefined ? {} : { region }),
    };
    return new module.default(options);
  }
}

interface ListedPart {
  readonly PartNumber: string;
  readonly ETag: string;
  readonly Size: string;
}

function headersOf(result: { readonly res: unknown }): IncomingHttpHeaders {
  return (result.res as { readonly headers?: IncomingHttpHeaders } | null)?.headers ?? {};
}

function infoFrom(key: string, headers: IncomingHttpHeaders): ObjectInfo {
  const crc64 = headers['x-oss-hash-crc64ecma'];
  return {
    key,
    sizeBytes: Number(headers['content-length'] ?? 0),
    etag: bareEtag(headers.etag ?? ''),
    lastModifiedMs: Date.parse(headers['last-modified'] ?? '') || 0,
    ...(typeof crc64 === 'string' ? { crc64 } : {}),
  };
}

function bareEtag(etag: string): string {
  return etag.replaceAll('"', '').toUpperCase();
}
