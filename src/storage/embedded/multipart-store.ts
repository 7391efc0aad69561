import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { combineCrc64 } from '../crc64.js';
import { readRecord, syncDirectory, writeBlob } from './blob-file.js';
import { KeyLock } from './key-lock.js';
import { assertObjectKey, DEFAULT_CONTENT_TYPE, type ObjectDescription, type ObjectRecord } from './object-record.js';
import type { ObjectStore } from './object-store.js';
import { OssError } from './oss-error.js';
import { isLeftover, newTempName } from './temp-name.js';

/** A stored part. */
export interface PartRecord {
  readonly partNumber: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly crc64: string;
  readonly lastModifiedMs: number;
}

/** An open multipart upload. */
export interface UploadRecord extends ObjectDescription {
  readonly uploadId: string;
  readonly key: string;
  readonly initiatedMs: number;
}

/** Limits of the multipart uploads; see `StorageOptions`. */
export interface MultipartLimits {
  readonly maxParts: number;
  readonly maxOpenUploads: number;
  readonly staleUploadMs: number;
}

/** A part to store. */
export interface StorePart {
  readonly key: string;
  readonly uploadId: string;
  readonly partNumber: number;
  readonly expectedBytes?: number | undefined;
  readonly expectedMd5?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface OpenUpload {
  readonly record: UploadRecord;
  readonly parts: Map<number, PartRecord>;
  touchedMs: number;
}

/** Multipart uploads below `<directory>/uploads/<upload id>/`: one blob file per part, `upload.json` for the upload. */
export class MultipartStore {
  private readonly uploads = new Map<string, OpenUpload>();
  private readonly lock = new KeyLock();

  private constructor(
    private readonly directory: string,
    private readonly objects: ObjectStore,
    private readonly limits: MultipartLimits,
  ) {}

  /** Opens the uploads of an object store, those of earlier runs included. */
  static async open(directory: string, objects: ObjectStore, limits: MultipartLimits): Promise<MultipartStore> {
    const store = new MultipartStore(join(directory, 'uploads'), objects, limits);
    await mkdir(store.directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(store.directory)) await store.load(name);
    return store;
  }

  async begin(key: string, description: ObjectDescription = {}): Promise<UploadRecord> {
    assertObjectKey(key);
    if (this.uploads.size >= this.limits.maxOpenUploads) throw new OssError('TooManyUploads');
    const record: UploadRecord = { uploadId: randomBytes(16).toString('hex').toUpperCase(), key, initiatedMs: Date.now(), ...description };
    const directory = join(this.directory, record.uploadId);
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, 'upload.json'), JSON.stringify(record), { mode: 0o600, flush: true });
    await syncDirectory(this.directory);
    this.uploads.set(record.uploadId, { record, parts: new Map(), touchedMs: record.initiatedMs });
    return record;
  }

  async putPart(source: AsyncIterable<Uint8Array>, part: StorePart): Promise<PartRecord> {
    const upload = this.find(part.key, part.uploadId);
    const { partNumber } = part;
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > this.limits.maxParts)
      throw new OssError('InvalidArgument', `Part number must be an integer between 1 and ${this.limits.maxParts}.`);
    upload.touchedMs = Date.now();
    const path = join(this.directory, part.uploadId, newTempName());
    const record = await writeBlob(source, {
      path,
      maxBytes: this.objects.maxObjectBytes,
      expectedBytes: part.expectedBytes,
      signal: part.signal,
      describe: (digest): PartRecord => {
        if (part.expectedMd5 !== undefined && part.expectedMd5 !== digest.md5) throw new OssError('BadDigest');
        return { partNumber, sizeBytes: digest.sizeBytes, etag: digest.md5, crc64: digest.crc64, lastModifiedMs: Date.now() };
      },
    }).catch((error: unknown) => {
      // The upload was completed or aborted while the part came in, and its folder with it.
      throw this.uploads.has(part.uploadId) ? error : new OssError('NoSuchUpload');
    });
    await this.lock.run(part.uploadId, async () => {
      if (!this.uploads.has(part.uploadId)) throw new OssError('NoSuchUpload');
      await rename(path, this.partPath(part.uploadId, partNumber));
      upload.parts.set(partNumber, record);
      upload.touchedMs = Date.now();
    });
    return record;
  }

  /** The stored parts, by number. @throws OssError `NoSuchUpload` */
  parts(key: string, uploadId: string): readonly PartRecord[] {
    return [...this.find(key, uploadId).parts.values()].sort((a, b) => a.partNumber - b.partNumber);
  }

  /** Open uploads, by key and then by age. */
  list(prefix: string): readonly UploadRecord[] {
    const records = [...this.uploads.values()].map(({ record }) => record).filter(({ key }) => key.startsWith(prefix));
    return records.sort((a, b) => (a.key === b.key ? a.initiatedMs - b.initiatedMs : a.key < b.key ? -1 : 1));
  }

  /** Makes the listed parts the object. */
  async complete(
    key: string,
    uploadId: string,
    wanted: { readonly parts: readonly { readonly partNumber: number; readonly etag: string }[]; readonly forbidOverwrite?: boolean },
  ): Promise<ObjectRecord> {
    return this.lock.run(uploadId, async () => {
      const upload = this.find(key, uploadId);
      const parts = choose(upload.parts, wanted.parts);
      const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      if (sizeBytes > this.objects.maxObjectBytes) throw new OssError('EntityTooLarge');
      const md5 = createHash('md5');
      for (const part of parts) md5.update(Buffer.from(part.etag, 'hex'));
      const record: ObjectRecord = {
        key,
        sizeBytes,
        etag: `${md5.digest('hex').toUpperCase()}-${parts.length}`,
        crc64: parts.reduce((crc, part) => combineCrc64(crc, part.crc64, part.sizeBytes), '0'),
        lastModifiedMs: Math.floor(Date.now() / 1000) * 1000,
        type: 'Multipart',
        contentType: upload.record.contentType ?? DEFAULT_CONTENT_TYPE,
        headers: upload.record.headers ?? {},
      };
      const files = parts.map((part) => ({ path: this.partPath(uploadId, part.partNumber), sizeBytes: part.sizeBytes }));
      await this.objects.join({ record, parts: files, forbidOverwrite: wanted.forbidOverwrite });
      await this.drop(uploadId);
      return record;
    });
  }

  /** @throws OssError `NoSuchUpload` */
  async abort(key: string, uploadId: string): Promise<void> {
    await this.lock.run(uploadId, async () => {
      this.find(key, uploadId);
      await this.drop(uploadId);
    });
  }

  /** Removes uploads nothing happened on for `staleUploadMs`; returns how many. */
  async removeStale(nowMs: number = Date.now()): Promise<number> {
    const stale = [...this.uploads.values()].filter(({ touchedMs }) => nowMs - touchedMs > this.limits.staleUploadMs);
    for (const { record } of stale) await this.lock.run(record.uploadId, () => this.drop(record.uploadId));
    return stale.length;
  }

  private find(key: string, uploadId: string): OpenUpload {
    const upload = this.uploads.get(uploadId);
    if (upload?.record.key !== key) throw new OssError('NoSuchUpload');
    return upload;
  }

  private partPath(uploadId: string, partNumber: number): string {
    return join(this.directory, uploadId, `part-${partNumber}`);
  }

  private async drop(uploadId: string): Promise<void> {
    this.uploads.delete(uploadId);
    // Retried, because a part that is just coming in may still create its file.
    await rm(join(this.directory, uploadId), { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }

  private async load(name: string): Promise<void> {
    const directory = join(this.directory, name);
    const record = await readUpload(join(directory, 'upload.json'));
    if (record?.uploadId !== name) return rm(directory, { recursive: true, force: true }); // a crash before it was told to anybody
    const upload: OpenUpload = { record, parts: new Map(), touchedMs: record.initiatedMs };
    for (const file of await readdir(directory)) {
      const part = file.startsWith('part-') ? await readPart(join(directory, file)) : undefined;
      if (part) {
        upload.parts.set(part.partNumber, part);
        upload.touchedMs = Math.max(upload.touchedMs, part.lastModifiedMs);
      } else if (file.endsWith('.tmp') && isLeftover(file)) await rm(join(directory, file), { force: true });
    }
    this.uploads.set(name, upload);
  }
}

function choose(stored: ReadonlyMap<number, PartRecord>, wanted: readonly { partNumber: number; etag: string }[]): PartRecord[] {
  if (wanted.length === 0) throw new OssError('MalformedXML', 'At least one part is needed.');
  let last = 0;
  return wanted.map(({ partNumber, etag }) => {
    if (partNumber <= last) throw new OssError('InvalidPartOrder');
    last = partNumber;
    const part = stored.get(partNumber);
    if (part?.etag !== etag.replaceAll('"', '').toUpperCase()) throw new OssError('InvalidPart');
    return part;
  });
}

async function readUpload(path: string): Promise<UploadRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<UploadRecord> | null;
    return typeof value?.key === 'string' && typeof value.initiatedMs === 'number' ? (value as UploadRecord) : undefined;
  } catch {
    return undefined; // missing or torn
  }
}

async function readPart(path: string): Promise<PartRecord | undefined> {
  const handle = await open(path, 'r');
  try {
    const record = (await readRecord(handle)) as Partial<PartRecord> | undefined;
    return typeof record?.partNumber === 'number' && typeof record.etag === 'string' ? (record as PartRecord) : undefined;
  } finally {
    await handle.close();
  }
}
