import { Injectable, Logger } from '@nestjs/common';
import {
  CrossCommError,
  FileAction,
  clientKeyPrefix,
  fileObjectKey,
  folderObjectPrefix,
  isAttachmentType,
  quoted,
  relativePathProblem,
  type CompleteData,
  type ListData,
  type MultipartData,
  type NewKeyData,
  type SignData,
  type SignRequest,
  type WireObject,
} from '../protocol/index.js';
import { PacedLog, randomHex8 } from '../clients/index.js';
import { FileStorage, StorageOptions, type ObjectInfo } from '../storage/index.js';
import { GatewayOptions } from './gateway.options.js';
import { HubActions } from './hub-actions.service.js';

const MAX_SIGNED_AT_ONCE = 1_000;
const LIST_PAGE = 1_000;
/** `cross_comm/<client>/<ms>_<hex>_folder/`: deep enough that nobody can look through other people's files. */
const LISTABLE_PREFIX = /^cross_comm\/[^/]+\/[^/]+\/(?:.*\/)?$/;

/**
 * Lets clients move files without credentials of their own: makes keys, signs short-lived URLs, runs the small
 * operations. A client writes below its own prefix only, and reads what it knows the key of.
 */
@Injectable()
export class FileBroker {
  readonly #log = new PacedLog(new Logger(FileBroker.name));

  constructor(
    private readonly storage: FileStorage,
    private readonly options: StorageOptions,
    private readonly gatewayOptions: GatewayOptions,
    actions: HubActions,
  ) {
    for (const action of Object.values(FileAction)) actions.add(action, (data, { clientId }) => this.#answer(action, data, clientId));
  }

  /** Whether there is a storage to broker. */
  get isEnabled(): boolean {
    return this.options.driver !== 'none';
  }

  async #answer(action: FileAction, data: unknown, clientId: string): Promise<unknown> {
    try {
      return await this.#run(action, data, clientId);
    } catch (error) {
      const coded = CrossCommError.from(error, 'CC_STORAGE_FAILED');
      if (coded.code === 'CC_STORAGE_FAILED') this.#log.add('error', `File action failed: ${quoted(coded.message)}`, coded.cause);
      throw coded;
    }
  }

  #run(action: FileAction, data: unknown, clientId: string): Promise<unknown> {
    if (!this.isEnabled) throw new CrossCommError('CC_UNSUPPORTED', 'This hub has no file storage.');
    const given = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
    switch (action) {
      case FileAction.NEW_KEY:
        return Promise.resolve({ key: this.#newKey(given as Partial<NewKeyData>, clientId) });
      case FileAction.SIGN:
        return this.#sign(given, clientId);
      case FileAction.HEAD:
        return this.storage.head(readableKey(given['key'])).then(toWire);
      case FileAction.LIST:
        return this.#list(given);
      case FileAction.BEGIN_MULTIPART:
        return this.storage.beginMultipart(writableKey(given['key'], clientId)).then((upload_id) => ({ upload_id }));
      case FileAction.LIST_PARTS: {
        const { key, uploadId } = multipart(given, clientId);
        return this.storage
          .listParts(key, uploadId)
          .then((parts) => ({ parts: parts.map((part) => ({ part_number: part.partNumber, etag: part.etag, size: part.sizeBytes })) }));
      }
      case FileAction.COMPLETE_MULTIPART: {
        const { key, uploadId } = multipart(given, clientId);
        return this.storage.completeMultipart(key, uploadId, partsOf(given)).then(toWire);
      }
      case FileAction.ABORT_MULTIPART: {
        const { key, uploadId } = multipart(given, clientId);
        return this.storage.abortMultipart(key, uploadId).then(() => null);
      }
    }
  }

  #newKey({ msg_type, name }: Partial<NewKeyData>, clientId: string): string {
    if (typeof msg_type !== 'string' || !isAttachmentType(msg_type))
      throw new CrossCommError('CC_INVALID_CONTENT', 'msg_type is not file, image or folder.');
    const stamp = { nowMs: Date.now(), hex8: randomHex8() };
    return msg_type === 'folder' ? folderObjectPrefix(clientId, stamp) : fileObjectKey(clientId, typeof name === 'string' ? name : '', stamp);
  }

  async #sign({ requests }: Partial<SignData>, clientId: string): Promise<unknown> {
    if (!Array.isArray(requests) || requests.length === 0 || requests.length > MAX_SIGNED_AT_ONCE)
      throw new CrossCommError('CC_INVALID_CONTENT', `requests is not a list of 1 to ${MAX_SIGNED_AT_ONCE}.`);
    const expiresSeconds = this.gatewayOptions.signedUrlSeconds;
    const urls = await Promise.all((requests as (Partial<SignRequest> | null)[]).map((request) => this.#signOne(request, clientId, expiresSeconds)));
    return { urls, expires_in: expiresSeconds };
  }

  #signOne(request: Partial<SignRequest> | null, clientId: string, expiresSeconds: number): Promise<string> {
    const { method, key, upload_id, part_number } = request ?? {};
    if (method === 'GET') return this.storage.signUrl({ method, key: readableKey(key), expiresSeconds });
    if (method !== 'PUT') throw new CrossCommError('CC_INVALID_CONTENT', 'method is not GET or PUT.');
    const upload = { method, key: writableKey(key, clientId), expiresSeconds };
    if (upload_id === undefined && part_number === undefined) return this.storage.signUrl(upload);
    if (!isUploadId(upload_id) || !isPartNumber(part_number))
      throw new CrossCommError('CC_INVALID_CONTENT', 'A part needs upload_id and part_number (1 to 10,000).');
    return this.storage.signUrl({ ...upload, query: { partNumber: String(part_number), uploadId: upload_id } });
  }

  async #list({ prefix, start_after }: Partial<ListData>): Promise<unknown> {
    if (typeof prefix !== 'string' || !LISTABLE_PREFIX.test(prefix) || relativePathProblem(prefix.slice(0, -1)) !== undefined)
      throw new CrossCommError('CC_STORAGE_DENIED', 'Only the prefix of one folder can be listed.');
    const objects: WireObject[] = [];
    for await (const object of this.storage.list(prefix, typeof start_after === 'string' ? { startAfter: start_after } : {})) {
      if (objects.length === LIST_PAGE) return { objects, more: true };
      objects.push(toWire(object));
    }
    return { objects, more: false };
  }
}

function readableKey(key: unknown): string {
  // a key ending in "/" is a marker of an empty folder
  if (typeof key !== 'string' || relativePathProblem(key.replace(/\/$/, '')) !== undefined)
    throw new CrossCommError('CC_UNSAFE_PATH', 'The key is not a safe relative path.');
  if (!key.startsWith('cross_comm/')) throw new CrossCommError('CC_STORAGE_DENIED', 'Only keys below cross_comm/ are brokered.');
  return key;
}

function writableKey(key: unknown, clientId: string): string {
  const safe = readableKey(key);
  if (!safe.startsWith(clientKeyPrefix(clientId))) throw new CrossCommError('CC_STORAGE_DENIED', 'Only keys below your own prefix can be written.');
  return safe;
}

function multipart(given: Partial<MultipartData>, clientId: string): { key: string; uploadId: string } {
  const { upload_id } = given;
  if (!isUploadId(upload_id)) throw new CrossCommError('CC_INVALID_CONTENT', 'upload_id is not the name of an upload.');
  return { key: writableKey(given.key, clientId), uploadId: upload_id };
}

function partsOf({ parts }: Partial<CompleteData>): { partNumber: number; etag: string; sizeBytes: number }[] {
  if (!Array.isArray(parts) || parts.length === 0 || parts.length > 10_000)
    throw new CrossCommError('CC_INVALID_CONTENT', 'parts is not a list of 1 to 10,000.');
  return (parts as ({ part_number?: unknown; etag?: unknown; size?: unknown } | null)[]).map((part) => {
    const { part_number, etag, size } = part ?? {};
    if (!isPartNumber(part_number) || typeof etag !== 'string') throw new CrossCommError('CC_INVALID_CONTENT', 'A part needs part_number and etag.');
    return { partNumber: part_number, etag, sizeBytes: Number(size) || 0 };
  });
}

/** Whether it looks like one: short, and nothing that could not stand in a URL. */
function isUploadId(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,256}$/.test(value);
}

function isPartNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000;
}

function toWire(object: ObjectInfo): WireObject {
  const { key, sizeBytes, etag, crc64, lastModifiedMs } = object;
  return { key, size: sizeBytes, etag, ...(crc64 === undefined ? {} : { crc64 }), last_modified: lastModifiedMs };
}
