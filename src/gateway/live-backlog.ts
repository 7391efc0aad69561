/** Largest header of an unmasked frame (RFC 6455 section 5.2); counted for each frame, so that many small ones are not for free. */
const HEADER_BYTES = 10;

/** Dropped entries are cut off once so many have gathered: an array's shift() is slow on long arrays. */
const CUT_LENGTH = 1024;

/** The live messages that wait for one slow receiver, oldest first. When there are too many the oldest give way. */
export class LiveBacklog {
  #payloads: Buffer[] = [];
  /** Place of the oldest in `#payloads`. */
  #first = 0;
  #sizeBytes = 0;
  #dropped = 0;

  /** Bytes of all that wait, headers included. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** How many gave way so far. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Adds the newest. It stays, whatever its size; those before it go until all have at most `maxBytes`.
   * @returns how many went
   */
  push(payload: Buffer, maxBytes: number): number {
    this.#payloads.push(ownBytes(payload));
    this.#sizeBytes += payload.length + HEADER_BYTES;
    return this.#drop(maxBytes, 1);
  }

  /** Drops the oldest, and in the end all, until the rest has at most `maxBytes`. @returns how many went */
  shrinkTo(maxBytes: number): number {
    return this.#drop(maxBytes, 0);
  }

  /** Takes out all that wait, oldest first. */
  takeAll(): Buffer[] {
    const payloads = this.#payloads.slice(this.#first);
    this.#payloads = [];
    this.#first = 0;
    this.#sizeBytes = 0;
    return payloads;
  }

  #drop(maxBytes: number, keep: number): number {
    const before = this.#first;
    const end = this.#payloads.length - keep;
    let first = before;
    for (; first < end && this.#sizeBytes > maxBytes; first++) {
      this.#sizeBytes -= (this.#payloads[first] as Buffer).length + HEADER_BYTES;
      this.#payloads[first] = NO_BYTES;
    }
    const count = first - before;
    this.#first = first;
    this.#dropped += count;
    if (first >= CUT_LENGTH) {
      this.#payloads.splice(0, first);
      this.#first = 0;
    }
    return count;
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0);

/** A payload is mostly a view of all that one read of a socket brought; what waits long must not keep the rest of that alive. */
function ownBytes(payload: Buffer): Buffer {
  if (payload.byteLength === payload.buffer.byteLength) return payload;
  const copy = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(copy);
  return copy;
}
