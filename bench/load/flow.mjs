// @ts-check
import { FrameReader } from './frame-reader.mjs';
import { OutgoingFrames } from './outgoing-frames.mjs';

/** One sender and its receivers, with a fixed number of messages in flight. */
export class Flow {
  #sender;
  #frames;
  #readers;
  /** Deliveries that a message in flight still waits for, by slot. */
  #missing;
  #receiverCount;
  #window;
  /** Messages that may be sent now. */
  #credit = 0;
  #toSend = 0;
  #toArrive = 0;
  #isSendDue = false;
  /** @type {(value?: undefined) => void} */
  #done = () => {};

  /**
   * @param {import('./dialects.mjs').Dialect} dialect
   * @param {{ sender: import('./client.mjs').LoadClient, receivers: readonly import('./client.mjs').LoadClient[], to: string,
   *   content: string, window: number }} parts
   */
  constructor(dialect, { sender, receivers, to, content, window }) {
    this.#sender = sender;
    this.#window = window;
    this.#receiverCount = receivers.length;
    this.#missing = new Int32Array(window);
    this.#frames = new OutgoingFrames(dialect, { from: sender.id, to, content, slots: window });
    const onDelivery = (/** @type {number} */ sequence) => this.#arrived(sequence);
    this.#readers = receivers.map((receiver) => {
      const reader = new FrameReader(this.#frames, { hasPings: dialect.hasPings, onDelivery });
      receiver.onBytes = (chunk, length) => {
        reader.push(chunk, length);
        if (this.#credit > 0 && !this.#isSendDue) this.#sendLater();
      };
      return reader;
    });
  }

  /**
   * Sends so many messages and waits until each receiver has each of them.
   *
   * @param {number} messages
   * @returns {Promise<void>}
   */
  run(messages) {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#toSend = messages;
      this.#toArrive = messages;
      this.#credit = this.#window;
      this.#send();
    });
  }

  /** @throws {Error} unless each receiver got each message, once, in order, and some were compared in full */
  verify() {
    for (const reader of this.#readers) {
      if (reader.count !== this.#frames.next) throw new Error(`A receiver got ${reader.count} of ${this.#frames.next} messages.`);
      if (reader.samples === 0) throw new Error('No delivery could be compared in full.');
    }
  }

  /** @param {number} sequence */
  #arrived(sequence) {
    const slot = sequence % this.#window;
    const missing = /** @type {number} */ (this.#missing[slot]) - 1;
    this.#missing[slot] = missing;
    if (missing > 0) return;
    this.#credit++;
    if (--this.#toArrive === 0) this.#done();
  }

  /** Reads everything that is there before it writes: few and large writes keep this process cheaper than the server. */
  #sendLater() {
    this.#isSendDue = true;
    setImmediate(this.#send);
  }

  #send = () => {
    this.#isSendDue = false;
    const count = Math.min(this.#credit, this.#toSend);
    if (count === 0) return;
    this.#credit -= count;
    this.#toSend -= count;
    for (let i = 0; i < count; i++) this.#missing[(this.#frames.next + i) % this.#window] = this.#receiverCount;
    this.#frames.take(count, (bytes) => this.#sender.write(bytes));
  };
}
