import { DiskReserve, isTooManyFiles } from './disk-reserve.js';
import { segmentPath, type Segment } from './segments.js';
import type { StoreFile, StoreFileSystem } from './store-file-system.js';

/** Cleaning copies at most one segment; something is written behind it. */
const RESERVED_BEHIND = 1024 * 1024;

/** Between two looks whether the file that is written is still there, in milliseconds. */
const NAME_CHECK_MS = 1_000;

/** Appends to the last segment and begins new ones. */
export class SegmentWriter {
  readonly #fileSystem: StoreFileSystem;
  readonly #directory: string;
  readonly #segmentBytes: number;
  /** All segments, oldest first; the last is the one that is written. */
  readonly segments: Segment[];
  /** Held as soon as there is a second segment: before, there is nothing to clean. */
  readonly reserve: DiskReserve;
  #file: StoreFile | undefined;
  #bytes = 0;
  #mustBegin = false;
  #namedAtMs = -Infinity;

  /** @param segmentBytes length at which a new segment begins */
  constructor(fileSystem: StoreFileSystem, directory: string, segmentBytes: number, segments: Segment[]) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
    this.segments = segments;
    this.reserve = new DiskReserve(fileSystem, directory, segmentBytes + Math.min(segmentBytes, RESERVED_BEHIND));
    for (const segment of segments) this.#bytes += segment.bytes;
  }

  /** Number of the segment that is written. */
  get number(): number {
    return this.segments.at(-1)?.number ?? 0;
  }

  /** Where its next block goes. */
  get offset(): number {
    return this.segments.at(-1)?.bytes ?? 0;
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The next block begins a new segment, whatever the last one looks like. */
  beginNew(): void {
    this.#mustBegin = true;
  }

  /** Makes a file ready for the next block. */
  async prepare(): Promise<void> {
    const last = this.segments.at(-1);
    if (last !== undefined && last.bytes < this.#segmentBytes && !this.#mustBegin) {
      this.#file ??= await this.#fileSystem.open(last.path, 'write');
      return;
    }
    if (last !== undefined && !this.reserve.isReleased) await this.reserve.hold();
    const number = (last?.number ?? 0) + 1;
    const path = segmentPath(this.#directory, number);
    const file = await this.#fileSystem.open(path, 'create');
    try {
      await this.#fileSystem.syncDirectory(this.#directory);
    } catch (error) {
      await file.close();
      if (isTooManyFiles(error)) {
        // it was not even tried; the next attempt makes the file anew
        await this.#fileSystem.unlink(path);
        throw error;
      }
      throw new Error('The folder of the store cannot be synced.', { cause: error });
    }
    const before = this.#file;
    this.#file = file;
    this.#mustBegin = false;
    this.segments.push({ number, path, bytes: 0 });
    await before?.close();
  }

  async write(buffer: Buffer, length: number): Promise<void> {
    let written = 0;
    while (written < length) {
      const count = await this.#opened.write(buffer, written, length - written, this.offset + written);
      if (count === 0) throw new Error('The system wrote nothing.');
      written += count;
    }
  }

  /** Takes back what was written behind the last good block. */
  async undo(): Promise<void> {
    await this.#file?.truncate(this.offset);
  }

  async sync(): Promise<void> {
    await this.#opened.datasync();
  }

  /** @throws Error when somebody deleted the file that is written: all in it would be gone with this process */
  async checkName(): Promise<void> {
    const now = performance.now();
    if (now - this.#namedAtMs < NAME_CHECK_MS) return;
    this.#namedAtMs = now;
    if (!(await this.#opened.isNamed())) throw new Error(`${this.segments.at(-1)?.path} was deleted.`);
  }

  advance(bytes: number): void {
    const last = this.segments.at(-1);
    if (last === undefined) return;
    last.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Cuts off what is behind the last good block, and makes that durable. */
  async cut(): Promise<void> {
    await this.undo();
    await this.#file?.datasync();
  }

  /** Deletes the oldest segment for good. */
  async deleteOldest(): Promise<void> {
    const oldest = this.segments[0];
    if (oldest === undefined) return;
    await this.#fileSystem.unlink(oldest.path).catch((error: NodeJS.ErrnoException) => {
      // at an attempt that did not get as far as the sync, or by somebody else
      if (error.code !== 'ENOENT') throw error;
    });
    // one after the other: an old segment must never come back when a newer one is gone
    await this.#fileSystem.syncDirectory(this.#directory);
    this.segments.shift();
    this.#bytes -= oldest.bytes;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  get #opened(): StoreFile {
    if (this.#file === undefined) throw new Error('The store is closed.');
    return this.#file;
  }
}
