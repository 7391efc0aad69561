import { CrossCommError, utf8ByteLength } from '../protocol/index.js';

/** One frame that waits for a connection. */
export interface OutboxEntry {
  readonly frame: string;
  /** The frame was handed to a socket. */
  sent(): void;
  /** It never will be. */
  failed(error: CrossCommError): void;
}

export interface OutboxLimits {
  readonly maxMessages: number;
  /** Bytes of the waiting frames in UTF-8. */
  readonly maxBytes: number;
}

/** The frames that wait for a connection, first in, first out, within bounds. No I/O and no timers. */
export class Outbox {
  readonly #limits: OutboxLimits;
  // a Map keeps the order of insertion and lets an aborted message leave from the middle
  readonly #entries = new Map<OutboxEntry, number>();
  #bytes = 0;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @throws CrossCommError `CC_QUEUE_FULL`, and then nothing has changed */
  add(entry: OutboxEntry): void {
    const bytes = utf8ByteLength(entry.frame);
    const { maxMessages, maxBytes } = this.#limits;
    if (this.#entries.size >= maxMessages || this.#bytes + bytes > maxBytes)
      throw new CrossCommError('CC_QUEUE_FULL', `${this.#entries.size} messages, ${this.#bytes} bytes are waiting.`);
    this.#entries.set(entry, bytes);
    this.#bytes += bytes;
  }

  /** Takes an entry out, wherever it stands; `false` when it is not there any more. */
  remove(entry: OutboxEntry): boolean {
    this.#bytes -= this.#entries.get(entry) ?? 0;
    return this.#entries.delete(entry);
  }

  /** Offers the entries in order to `transmit` until it returns `false`; what it took is told so. */
  flush(transmit: (entry: OutboxEntry) => boolean): void {
    for (const entry of this.#entries.keys()) {
      if (!transmit(entry)) return;
      if (this.remove(entry)) entry.sent();
    }
  }

  /** Empties the outbox; everything in it fails with `error`. */
  failAll(error: CrossCommError): void {
    for (const entry of this.#entries.keys()) if (this.remove(entry)) entry.failed(error);
  }
}
