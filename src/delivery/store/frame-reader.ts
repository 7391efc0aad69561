import { Logger } from '@nestjs/common';
import { checksumOf, type Mail } from './mail.js';
import { segmentNumbers, segmentPath } from './segments.js';
import type { StoreFile, StoreFileSystem } from './store-file-system.js';

/** Frames with fewer bytes between them are read at once. */
const MAX_GAP_BYTES = 16 * 1024;

/** Most bytes that are read at once, unless one frame is larger. */
const MAX_READ_BYTES = 1024 * 1024;

/** Where a frame is, and whose it is. */
interface Place {
  readonly index: number;
  readonly mail: Mail;
  readonly segment: number;
  readonly offset: number;
}

/**
 * Fetches frames from the segments, neighbours together. What is not there any more, or not as it was, is left out:
 * somebody deleted, truncated or overwrote a segment, or the disk went bad.
 */
export class FrameReader {
  readonly #logger = new Logger(FrameReader.name);
  readonly #fileSystem: StoreFileSystem;
  readonly #directory: string;
  /** Segments of which it was said that something is missing. */
  readonly #reported = new Set<number>();
  /** Why the last attempt failed. */
  #failure: string | undefined;

  constructor(fileSystem: StoreFileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /**
   * Puts the frame of each of `wanted`, whose keys are indexes, into `frames`.
   * @throws Error of the file system when it may be different next time
   */
  async read(wanted: ReadonlyMap<number, Mail>, frames: (Buffer | undefined)[]): Promise<void> {
    try {
      await this.#read(wanted, frames);
      this.#failure = undefined;
    } catch (error) {
      // it is tried again and again: said once as long as it is the same
      if (this.#failure !== String(error)) this.#logger.error(`CC_STORE_FAILED: mail cannot be read; it is tried again. ${String(error)}`);
      this.#failure = String(error);
      throw error;
    }
  }

  async #read(wanted: ReadonlyMap<number, Mail>, frames: (Buffer | undefined)[]): Promise<void> {
    const bySegment = new Map<number, Place[]>();
    for (const [index, mail] of wanted) {
      const place = { index, mail, segment: mail.segment, offset: mail.offset };
      const places = bySegment.get(mail.segment);
      if (places === undefined) bySegment.set(mail.segment, [place]);
      else places.push(place);
    }
    for (const [segment, places] of bySegment) await this.#readSegment(segment, places, frames);
  }

  async #readSegment(segment: number, places: readonly Place[], frames: (Buffer | undefined)[]): Promise<void> {
    let file: StoreFile;
    try {
      file = await this.#fileSystem.open(segmentPath(this.#directory, segment), 'read');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      // cleaned meanwhile: they were copied to another one before
      const moved = places.filter(({ mail }) => mail.segment !== segment);
      if (moved.length > 0) await this.#read(new Map(moved.map(({ index, mail }) => [index, mail])), frames);
      if (moved.length < places.length && places.some(({ mail }) => mail.segment === segment && mail.recipients.length > 0)) await this.#report(segment, error);
      return;
    }
    try {
      for (const run of runsOf(places)) await this.#readRun(file, run, frames);
    } finally {
      await file.close();
    }
    const missing = places.filter(({ index, mail }) => frames[index] === undefined && mail.recipients.length > 0);
    if (missing.length > 0) await this.#report(segment, new Error(`${missing.length} messages are not as they were written`));
  }

  async #readRun(file: StoreFile, run: readonly Place[], frames: (Buffer | undefined)[]): Promise<void> {
    const start = run[0]?.offset ?? 0;
    const last = run.at(-1);
    const bytes = Buffer.allocUnsafeSlow(last === undefined ? 0 : last.offset + last.mail.sizeBytes - start);
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const read = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (read === 0) break;
        filled += read;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') throw error;
      // a bad place on the disk: its neighbours may be good
      if (run.length > 1) for (const place of run) await this.#readRun(file, [place], frames);
      return;
    }
    for (const { index, mail, offset } of run) {
      const frame = bytes.subarray(offset - start, Math.min(filled, offset - start + mail.sizeBytes));
      if (frame.length === mail.sizeBytes && checksumOf(frame) === mail.checksum) frames[index] = frame;
    }
  }

  /** Says once per segment what is wrong. @throws Error when all segments are gone: then they may come back, like a disk that was unmounted */
  async #report(segment: number, cause: unknown): Promise<void> {
    const names = await this.#fileSystem.list(this.#directory);
    if (segmentNumbers(names).length === 0) throw new Error(`There is no mail in ${this.#directory} any more.`, { cause });
    if (this.#reported.has(segment)) return;
    this.#reported.add(segment);
    const path = segmentPath(this.#directory, segment);
    this.#logger.error(`CC_STORE_FAILED: mail in ${path} cannot be read (${String(cause)}). It is not delivered: find it among the dead letters, and check the disk.`);
  }
}

/** Divides places into runs that are read at once. */
function runsOf(places: readonly Place[]): Place[][] {
  const runs: Place[][] = [];
  let run: Place[] = [];
  let start = 0;
  let end = 0;
  for (const place of [...places].sort((left, right) => left.offset - right.offset)) {
    const placeEnd = place.offset + place.mail.sizeBytes;
    if (run.length === 0 || place.offset - end > MAX_GAP_BYTES || placeEnd - start > MAX_READ_BYTES) {
      run = [];
      runs.push(run);
      start = place.offset;
    }
    run.push(place);
    end = Math.max(end, placeEnd);
  }
  return runs;
}
