import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import {
  CrossCommError,
  FileAction,
  type ListResult,
  type MultipartStarted,
  type PartList,
  type SignRequest,
  type WireObject,
} from '../protocol/index.js';
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
} from '../storage/file-storage.js';
import type { HubLink } from './client-files.js';
import type { HttpTransfer } from './http-transfer.node.js';
import { SignedUrls } from './signed-urls.node.js';

/**
 * The hub's file storage, without credentials for it: the hub makes the keys and signs the URLs over the connection,
 * the bytes travel over HTTP. A client writes below its own prefix only and removes nothing.
 */
export class BrokeredFileStorage extends FileStorage {
  readonly driver = 'brokered';
  readonly #urls: SignedUrls;

  constructor(
    private readonly link: HubLink,
    private readonly http: HttpTransfer,
  ) {
    super();
    this.#urls = new SignedUrls(link);
  }

  async put(key: string, body: Readable, { sizeBytes, signal }: PutOptions): Promise<ObjectInfo> {
    const headers = await this.#upload({ method: 'PUT', key }, { body, sizeBytes, ...(signal === undefined ? {} : { signal }) });
    return { ...infoFrom(key, headers), sizeBytes, lastModifiedMs: Date.now() };
  }

  async get(key: string, { start, end, signal }: GetOptions = {}): Promise<{ info: ObjectInfo; body: Readable }> {
    const isRange = start !== undefined || end !== undefined;
    const url = await this.#urls.sign({ method: 'GET', key });
    const headers = isRange ? { range: `bytes=${start ?? 0}-${end ?? ''}` } : {};
    const body = await this.http.exchange({ method: 'GET', url, headers, ...(signal === undefined ? {} : { signal }) });
    const total = /\/(\d+)$/.exec(body.headers['content-range'] ?? '')?.[1];
    if (isRange && total === undefined) {
      body.destroy();
      throw new CrossCommError('CC_STORAGE_FAILED', 'The storage ignored the range of bytes.');
    }
    const info = infoFrom(key, body.headers);
    return { info: total === undefined ? info : { ...info, sizeBytes: Number(total) }, body };
  }

  async head(key: string, options: StorageCallOptions = {}): Promise<ObjectInfo> {
    return readObject(await this.link.request(FileAction.HEAD, { key }, options));
  }

  async *list(prefix: string, { startAfter, signal }: ListOptions = {}): AsyncIterable<ObjectInfo> {
    for (let after = startAfter, more = true; more; ) {
      const data = { prefix, ...(after === undefined ? {} : { start_after: after }) };
      const page = (await this.link.request(FileAction.LIST, data, signal === undefined ? {} : { signal })) as Partial<ListResult> | null;
      const objects = (page?.objects ?? []).map(readObject);
      yield* objects;
      after = objects.at(-1)?.key;
      more = page?.more === true && after !== undefined;
    }
  }

  /**
   * Does nothing: the hub removes nothing on behalf of clients. Transfers call it only for what a failed upload left
   * under a key that nobody was told.
   */
  async remove(_keys: readonly string[]): Promise<void> {}

  async beginMultipart(key: string): Promise<string> {
    const { upload_id } = ((await this.link.request(FileAction.BEGIN_MULTIPART, { key })) ?? {}) as Partial<MultipartStarted>;
    if (typeof upload_id !== 'string') throw new CrossCommError('CC_STORAGE_FAILED', 'The hub began no upload.');
    return upload_id;
  }

  async putPart({ key, uploadId, partNumber, body, sizeBytes, signal }: PartUpload): Promise<UploadedPart> {
    const request: SignRequest = { method: 'PUT', key, upload_id: uploadId, part_number: partNumber };
    const headers = await this.#upload(request, { body, sizeBytes, ...(signal === undefined ? {} : { signal }) });
    return { partNumber, etag: bareEtag(headers.etag), sizeBytes };
  }

  async listParts(key: string, uploadId: string): Promise<readonly UploadedPart[]> {
    const { parts = [] } = ((await this.link.request(FileAction.LIST_PARTS, { key, upload_id: uploadId })) ?? {}) as Partial<PartList>;
    return parts.map(({ part_number, etag, size }) => ({ partNumber: part_number, etag, sizeBytes: size }));
  }

  async completeMultipart(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<ObjectInfo> {
    const wireParts = parts.map(({ partNumber, etag, sizeBytes }) => ({ part_number: partNumber, etag, size: sizeBytes }));
    return readObject(await this.link.request(FileAction.COMPLETE_MULTIPART, { key, upload_id: uploadId, parts: wireParts }, { timeoutMs: 60_000 }));
  }

  async abortMultipart(key: string, uploadId: string): Promise<void> {
    await this.link.request(FileAction.ABORT_MULTIPART, { key, upload_id: uploadId });
  }

  signUrl({ method, key }: SignedUrlRequest): Promise<string> {
    return this.#urls.sign({ method, key });
  }

  async #upload(request: SignRequest, { body, sizeBytes, signal }: PutOptions & { body: Readable }): Promise<IncomingMessage['headers']> {
    const url = await this.#urls.sign(request);
    const headers = { 'content-length': sizeBytes };
    const response = await this.http.exchange({ method: 'PUT', url, headers, body, ...(signal === undefined ? {} : { signal }) });
    response.resume();
    return response.headers;
  }
}

function infoFrom(key: string, headers: IncomingMessage['headers']): ObjectInfo {
  const crc64 = headers['x-oss-hash-crc64ecma'];
  return {
    key,
    sizeBytes: Number(headers['content-length'] ?? 0),
    etag: bareEtag(headers.etag),
    lastModifiedMs: Date.parse(headers['last-modified'] ?? '') || 0,
    ...(typeof crc64 === 'string' ? { crc64 } : {}),
  };
}

function readObject(wire: unknown): ObjectInfo {
  const { key, size, etag, crc64, last_modified } = (wire ?? {}) as Partial<WireObject>;
  if (typeof key !== 'string' || typeof size !== 'number') throw new CrossCommError('CC_STORAGE_FAILED', 'The hub described no object.');
  return { key, sizeBytes: size, etag: bareEtag(etag), lastModifiedMs: Number(last_modified) || 0, ...(typeof crc64 === 'string' ? { crc64 } : {}) };
}

function bareEtag(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '').toUpperCase();
}
