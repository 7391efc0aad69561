// @ts-check
import { SEQUENCE_DIGITS } from './dialects.mjs';
import { headerBytes } from './masked-frame.mjs';

/** Each so-many-th frame is compared byte by byte; a prime, so that every place in the ring gets its turn. */
const SAMPLE_EVERY = 509;

/**
 * Reads the deliveries of one sender off a receiver's socket: looks at each frame's header and sequence number, skips
 * the rest, and compares a sample in full. Anything unexpected (another length, a gap, a repetition, a close frame)
 * throws, which ends the load process and fails the run.
 */
export class FrameReader {
  #expected = 0;
  #samples = 0;
  #skip = 0;
  /** @type {Buffer | undefined} */
  #tail;
  #frames;
  #hasPings;
  #onDelivery;
  #header;
  #frameBytes;
  #sequenceAt;
  #needed;

  /**
   * @param {import('./outgoing-frames.mjs').OutgoingFrames} frames what the sender sends
   * @param {{ hasPings: boolean, onDelivery: (sequence: number) => void }} options
   */
  constructor(frames, { hasPings, onDelivery }) {
    this.#frames = frames;
    this.#hasPings = hasPings;
    this.#onDelivery = onDelivery;
    const { payloadBytes } = frames;
    const head = headerBytes(payloadBytes);
    this.#header = head === 2 ? payloadBytes : 126;
    this.#frameBytes = head + payloadBytes;
    this.#sequenceAt = head + frames.sequenceOffset;
    this.#needed = this.#sequenceAt + SEQUENCE_DIGITS;
  }

  /** Deliveries that arrived completely. */
  get count() {
    return this.#skip > 0 ? this.#expected - 1 : this.#expected;
  }

  /** Deliveries that were compared byte by byte. */
  get samples() {
    return this.#samples;
  }

  /**
   * @param {Buffer} chunk may be written over after the call
   * @param {number} length bytes of it that count
   */
  push(chunk, length) {
    if (this.#tail !== undefined) {
      const whole = Buffer.concat([this.#tail, chunk.subarray(0, length)]);
      this.#tail = undefined;
      this.push(whole, whole.length);
      return;
    }
    let at = 0;
    if (this.#skip > 0) {
      at = Math.min(this.#skip, length);
      this.#skip -= at;
      if (this.#skip > 0) return;
      this.#onDelivery(this.#expected - 1);
    }
    while (at < length) {
      const left = length - at;
      if (left >= 4 && !this.#isDelivery(chunk, at)) {
        at += this.#otherFrame(chunk, at);
        if (at > length) throw new Error('A foreign frame came in pieces.');
        continue;
      }
      if (left < this.#needed) {
        this.#tail = Buffer.from(chunk.subarray(at, length));
        return;
      }
      this.#check(chunk, at, left);
      if (left < this.#frameBytes) {
        this.#skip = this.#frameBytes - left;
        return;
      }
      at += this.#frameBytes;
      this.#onDelivery(this.#expected - 1);
    }
  }

  /**
   * @param {Buffer} chunk
   * @param {number} at
   */
  #isDelivery(chunk, at) {
    if (chunk[at] !== 0x81 || chunk[at + 1] !== this.#header) return false;
    return this.#header < 126 || chunk.readUInt16BE(at + 2) === this.#frames.payloadBytes;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} at
   * @param {number} left
   */
  #check(chunk, at, left) {
    let sequence = 0;
    for (let i = at + this.#sequenceAt; i < at + this.#needed; i++) sequence = sequence * 10 + /** @type {number} */ (chunk[i]) - 0x30;
    if (sequence !== this.#expected) throw new Error(`Message ${sequence} arrived where ${this.#expected} was due.`);
    if ((this.#samples === 0 || sequence % SAMPLE_EVERY === 0) && left >= this.#frameBytes) this.#compare(chunk, at, sequence);
    this.#expected++;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} at
   * @param {number} sequence
   */
  #compare(chunk, at, sequence) {
    const payload = chunk.subarray(at + this.#frameBytes - this.#frames.payloadBytes, at + this.#frameBytes);
    if (!payload.equals(this.#frames.payloadOf(sequence)))
      throw new Error(`Message ${sequence} arrived changed: ${payload.toString('utf8').slice(0, 300)}`);
    this.#samples++;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} at
   * @returns {number} bytes of a frame that may be skipped
   */
  #otherFrame(chunk, at) {
    const first = /** @type {number} */ (chunk[at]);
    const length = /** @type {number} */ (chunk[at + 1]);
    if (first === 0x88) throw new Error(`The server closed with code ${chunk.readUInt16BE(at + 2)}.`);
    if (this.#hasPings && length < 126) return 2 + length;
    throw new Error(`A foreign frame arrived: ${chunk.subarray(at, at + 300).toString('latin1')}`);
  }
}
