// @ts-check
import { SEQUENCE_DIGITS, envelopeText, messageIdPrefix } from './dialects.mjs';
import { MASK, headerBytes, maskedFrame } from './masked-frame.mjs';

const ZERO = 0x30;

/**
 * A ring of frames made beforehand, as many as may be in flight. Only the sequence number of a frame is written before
 * it is sent. A slot is used again when its message has arrived, so that no write can still hold it.
 */
export class OutgoingFrames {
  /** Text of the frame as a receiver gets it, sequence number 0. */
  #payload;
  #ring;
  #frameBytes;
  #slots;
  #next = 0;
  /** Where the sequence number stands in the payload, in bytes. */
  sequenceOffset;

  /**
   * @param {import('./dialects.mjs').Dialect} dialect
   * @param {{ from: string, to: string, content: string, slots: number, ext?: object | undefined }} message
   */
  constructor(dialect, { from, to, content, slots, ext }) {
    const text = dialect.wrap('text', envelopeText({ from, to, type: 'text', content, ext }));
    const prefix = messageIdPrefix(from);
    this.#payload = Buffer.from(text);
    this.sequenceOffset = this.#payload.indexOf(prefix) + prefix.length;
    const frame = maskedFrame(this.#payload);
    this.#frameBytes = frame.length;
    this.#slots = slots;
    this.#ring = Buffer.concat(Array.from({ length: slots }, () => frame));
  }

  get payloadBytes() {
    return this.#payload.length;
  }

  /** Sequence number of the next frame. */
  get next() {
    return this.#next;
  }

  /**
   * The next `count` frames, as one or two pieces of bytes.
   *
   * @param {number} count at most the number of slots
   * @param {(bytes: Buffer) => void} write
   */
  take(count, write) {
    let left = count;
    while (left > 0) {
      const slot = this.#next % this.#slots;
      const run = Math.min(left, this.#slots - slot);
      for (let i = 0; i < run; i++) this.#number((slot + i) * this.#frameBytes, this.#next++);
      write(this.#ring.subarray(slot * this.#frameBytes, (slot + run) * this.#frameBytes));
      left -= run;
    }
  }

  /**
   * What a receiver must get as the payload of this sequence number.
   *
   * @param {number} sequence
   */
  payloadOf(sequence) {
    this.#payload.write(String(sequence).padStart(SEQUENCE_DIGITS, '0'), this.sequenceOffset, 'latin1');
    return this.#payload;
  }

  /**
   * @param {number} frameStart
   * @param {number} sequence
   */
  #number(frameStart, sequence) {
    const payloadStart = frameStart + headerBytes(this.#payload.length) + MASK.length;
    let rest = sequence;
    for (let i = this.sequenceOffset + SEQUENCE_DIGITS - 1; i >= this.sequenceOffset; i--) {
      const tens = (rest / 10) | 0;
      this.#ring[payloadStart + i] = (ZERO + rest - tens * 10) ^ /** @type {number} */ (MASK[i & 3]);
      rest = tens;
    }
  }
}
