import type { Mail } from './mail.js';
import { segmentPath } from './segments.js';
import type { StoreFileSystem } from './store-file-system.js';

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

/** Fetches frames from the segments, neighbours together. */
export class FrameReader {
  readonly #fileSystem: StoreFileSystem;
  readonly #directory: string;

  constructor(fileSystem: StoreFileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  /** Puts the frame of each of `wanted`, whose keys are indexes, into `frames`. */
  async read(wanted: ReadonlyMap<number, Mail>, frames: (Buffer | undefined)[]): Promise<void> {
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
    let file;
    try {
      file = await this.#fileSystem.open(segmentPath(this.#directory, segment), 'read');
    } catch (error) {
      // cleaned meanwhile: they were copied to another one before
      const moved = places.every(({ mail }) => mail.segment !== segment || mail.recipients.length === 0);
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !moved) throw error;
      const still = places.filter(({ mail }) => mail.recipients.length > 0);
      await this.read(new Map(still.map(({ index, mail }) => [index, mail])), frames);
      return;
    }
    try {
      for (const run of runsOf(places)) {
        const start = run[0]?.offset ?? 0;
        const last = run.at(-1);
        const bytes = Buffer.allocUnsafeSlow(last === undefined ? 0 : last.offset + last.mail.sizeBytes - start);
        for (let filled = 0; filled < bytes.length; ) {
          const read = await file.read(bytes, filled, bytes.length - filled, start + filled);
          if (read === 0) throw new Error(`Segment ${segment} ends too early.`);
          filled += read;
        }
        for (const { index, mail, offset } of run) frames[index] = bytes.subarray(offset - start, offset - start + mail.sizeBytes);
      }
    } finally {
      await file.close();
    }
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
