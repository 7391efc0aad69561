// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';

/** Close code of the protocol for a receiver that does not read. */
const SLOW_RECEIVER = 4013;
/** Time for all that was buffered to arrive once it is read, in milliseconds. */
const DRAIN_MS = 20_000;

/** A receiver that does not read until it is told to; then it must find whole frames and, behind them, its close frame. */
export class SlowReceiver {
  #client;
  /** Bytes of the present frame that are still to come. */
  #skip = 0;
  /** Bytes of an incomplete header. @type {number[]} */
  #head = [];
  #frames = 0;
  /** @type {number | undefined} */
  #closeCode;

  /** @param {import('./client.mjs').LoadClient} client */
  constructor(client) {
    this.#client = client;
    client.onBytes = (chunk, length) => this.#read(chunk, length);
    client.pause();
  }

  /**
   * Reads what was left lying.
   *
   * @throws {Error} unless the server gave it up, with the code for that
   */
  async verify() {
    this.#client.resume();
    const deadline = performance.now() + DRAIN_MS;
    while (this.#closeCode === undefined) {
      if (performance.now() > deadline) throw new Error(`A slow receiver was not closed; ${this.#frames} messages were waiting for it.`);
      await sleep(5);
    }
    if (this.#closeCode !== SLOW_RECEIVER) throw new Error(`A slow receiver was closed with ${this.#closeCode}.`);
    if (this.#frames === 0) throw new Error('A slow receiver was sent nothing.');
  }

  /**
   * @param {Buffer} chunk
   * @param {number} length
   */
  #read(chunk, length) {
    for (let at = 0; at < length && this.#closeCode === undefined; ) {
      if (this.#skip > 0) {
        const some = Math.min(this.#skip, length - at);
        this.#skip -= some;
        at += some;
      } else {
        this.#head.push(/** @type {number} */ (chunk[at++]));
        this.#header();
      }
    }
  }

  #header() {
    const [first, size = 0, high = 0, low = 0] = this.#head;
    const isClose = first === 0x88;
    if (this.#head.length < (isClose || size === 126 ? 4 : 2)) return;
    this.#head = [];
    if (isClose) {
      this.#closeCode = high * 256 + low;
      this.#client.close();
      return;
    }
    if (first !== 0x81 || size > 126) throw new Error(`A slow receiver got a frame that begins with ${first}, ${size}.`);
    this.#frames++;
    this.#skip = size === 126 ? high * 256 + low : size;
  }
}
