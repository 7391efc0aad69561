import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { joinBlobs, readRecord, syncDirectory, writeBlob } from './blob-file.js';
import { KeyLock } from './key-lock.js';
import { ObjectIndex, type IndexPage, type PageRequest } from './object-index.js';
import { assertObjectKey, DEFAULT_CONTENT_TYPE, isObjectRecord, type ObjectDescription, type ObjectRecord } from './object-record.js';
import { OssError } from './oss-error.js';
import { isLeftover, newTempName } from './temp-name.js';

/** How one object is stored. */
export interface StoreObject extends ObjectDescription {
  /** Exact length of the content, when it is known. */
  readonly expectedBytes?: number | undefined;
  /** MD5 the content must have, upper-case hexadecimal. */
  readonly expectedMd5?: string | undefined;
  /** Refuse when the key exists. */
  readonly forbidOverwrite?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An open object; read it or close it. */
export interface OpenObject {
  readonly record: ObjectRecord;
  /** The bytes from `start` to `end` (inclusive); closes the object when it ends. Without a range: everything. */
  read(range?: { readonly start: number; readonly end: number }): Readable;
  close(): Promise<void>;
}

/** Joined parts of a multipart upload. */
export interface JoinedObject {
  readonly record: ObjectRecord;
  readonly parts: readonly { readonly path: string; readonly sizeBytes: number }[];
  readonly forbidOverwrite?: boolean | undefined;
}

/**
 * Objects on local disk, `<directory>/objects/<2 hex>/<SHA-256 of the key>`, one blob file each (see `blob-file.ts`),
 * with an index in memory that is rebuilt from the files at start. What a caller was told to be stored is on disk
 * (synced), and no reader ever sees half an object.
 */
export class ObjectStore {
  private readonly index = new ObjectIndex();
  private readonly lock = new KeyLock();

  private constructor(
    private readonly directory: string,
    readonly maxObjectBytes: number,
  ) {}

  /** Opens (or creates) a store and reads its index. */
  static async open(directory: string, options: { readonly maxObjectBytes: number }): Promise<ObjectStore> {
    const store = new ObjectStore(directory, options.maxObjectBytes);
    await mkdir(store.tempDirectory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(store.tempDirectory)) if (isLeftover(name)) await rm(join(store.tempDirectory, name), { force: true });
    for (let shard = 0; shard < 256; shard++)
      await mkdir(join(directory, 'objects', shard.toString(16).padStart(2, '0')), { recursive: true, mode: 0o700 });
    // an object is as safe as the names of the folders it is in
    for (const folder of [join(directory, 'objects'), directory, join(directory, '..')]) await syncDirectory(folder);
    await store.load();
    return store;
  }

  private get tempDirectory(): string {
    return join(this.directory, 'tmp');
  }

  /** Number of objects. */
  get size(): number {
    return this.index.size;
  }

  page(request: PageRequest): IndexPage {
    return this.index.page(request);
  }

  /** Stores one object from a stream. */
  async put(key: string, source: AsyncIterable<Uint8Array>, object: StoreObject): Promise<ObjectRecord> {
    assertObjectKey(key);
    this.assertMayWrite(key, object.forbidOverwrite);
    const path = this.newTempPath();
    const record = await writeBlob(source, {
      path,
      maxBytes: this.maxObjectBytes,
      expectedBytes: object.expectedBytes,
      signal: object.signal,
      describe: (digest): ObjectRecord => {
        if (object.expectedMd5 !== undefined && object.expectedMd5 !== digest.md5) throw new OssError('BadDigest');
        return {
          key,
          sizeBytes: digest.sizeBytes,
          etag: digest.md5,
          crc64: digest.crc64,
          lastModifiedMs: nowInSeconds(),
          type: 'Normal',
          contentType: object.contentType ?? DEFAULT_CONTENT_TYPE,
          headers: object.headers ?? {},
        };
      },
    });
    return this.commit(path, record, object.forbidOverwrite);
  }

  /** Stores one object from the files of its parts. */
  async join(object: JoinedObject): Promise<ObjectRecord> {
    this.assertMayWrite(object.record.key, object.forbidOverwrite);
    const path = this.newTempPath();
    await joinBlobs(object.parts, { path, record: object.record });
    return this.commit(path, object.record, object.forbidOverwrite);
  }

  /** @throws OssError `NoSuchKey` */
  async open(key: string): Promise<OpenObject> {
    assertObjectKey(key);
    if (this.index.get(key) === undefined) throw new OssError('NoSuchKey');
    const handle = await open(this.pathOf(key), 'r').catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOENT' ? new OssError('NoSuchKey', undefined, { cause }) : cause;
    });
    try {
      const record = await readRecord(handle);
      if (!isObjectRecord(record) || record.key !== key) throw new OssError('InternalError', 'The stored object is damaged.');
      return { record, read: (range) => readFrom(handle, record, range), close: () => handle.close() };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The record of an object. @throws OssError `NoSuchKey` */
  async head(key: string): Promise<ObjectRecord> {
    const object = await this.open(key);
    await object.close();
    return object.record;
  }

  /** Removes an object; one that does not exist is no error. */
  async delete(key: string): Promise<void> {
    assertObjectKey(key);
    await this.lock.run(key, async () => {
      if (this.index.get(key) === undefined) return;
      await rm(this.pathOf(key), { force: true });
      this.index.delete(key);
    });
  }

  private newTempPath(): string {
    return join(this.tempDirectory, newTempName());
  }

  private pathOf(key: string): string {
    const hash = createHash('sha256').update(key, 'utf8').digest('hex');
    return join(this.directory, 'objects', hash.slice(0, 2), hash);
  }

  private assertMayWrite(key: string, forbidOverwrite: boolean | undefined): void {
    if (forbidOverwrite && this.index.get(key) !== undefined) throw new OssError('FileAlreadyExists');
  }

  private async commit(tempPath: string, record: ObjectRecord, forbidOverwrite: boolean | undefined): Promise<ObjectRecord> {
    const path = this.pathOf(record.key);
    await this.lock.run(record.key, async () => {
      try {
        this.assertMayWrite(record.key, forbidOverwrite);
        await rename(tempPath, path);
      } catch (error) {
        await rm(tempPath, { force: true });
        throw error;
      }
      this.index.set(record);
      await syncDirectory(join(path, '..'));
    });
    return record;
  }

  private async load(): Promise<void> {
    const found: ObjectRecord[] = [];
    for (const shard of await readdir(join(this.directory, 'objects'))) {
      const names = await readdir(join(this.directory, 'objects', shard));
      for (let at = 0; at < names.length; at += 32) {
        const records = await Promise.all(names.slice(at, at + 32).map((name) => readObjectFile(join(this.directory, 'objects', shard, name))));
        for (const record of records) if (record) found.push(record);
      }
    }
    this.index.load(found);
  }
}

async function readObjectFile(path: string): Promise<ObjectRecord | undefined> {
  const handle = await open(path, 'r');
  try {
    const record = await readRecord(handle);
    return isObjectRecord(record) ? record : undefined; // not ours: left alone
  } finally {
    await handle.close();
  }
}

function readFrom(handle: FileHandle, record: ObjectRecord, range?: { readonly start: number; readonly end: number }): Readable {
  const start = range?.start ?? 0;
  const end = range?.end ?? record.sizeBytes - 1;
  // Node has no empty ranges.
  if (end < start) return Readable.from(readNothing(handle));
  return handle.createReadStream({ start, end, highWaterMark: 256 * 1024, autoClose: true });
}

async function* readNothing(handle: FileHandle): AsyncGenerator<Buffer> {
  yield* [];
  await handle.close();
}

/** OSS keeps whole seconds. */
function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}
