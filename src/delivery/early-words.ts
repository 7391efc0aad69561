import type { Rejection } from '../protocol/index.js';
import type { StoredMail } from './store/index.js';

/** What a receiver said of one message. */
export interface EarlyWord {
  readonly isReceived: boolean;
  readonly rejection: Rejection | undefined;
}

/** What a receiver said of messages that were not stored yet. It is heeded when they are, also when the connection is gone by then. */
export class EarlyWords {
  readonly #words = new Map<number, EarlyWord>();

  /** It has arrived. */
  receive(seq: number): void {
    this.#words.set(seq, { isReceived: true, rejection: this.#words.get(seq)?.rejection });
  }

  reject(rejection: Rejection): void {
    this.#words.set(rejection.seq, { isReceived: this.#words.get(rejection.seq)?.isReceived === true, rejection });
  }

  has(seq: number): boolean {
    return this.#words.has(seq);
  }

  /** Whether it is to be sent again, or never, but not as it was. */
  hasRejected(seq: number): boolean {
    // asked for every message, and mostly there is nothing
    return this.#words.size > 0 && this.#words.get(seq)?.rejection !== undefined;
  }

  /** What was said of a message, for the last time. */
  take(seq: number): EarlyWord | undefined {
    const word = this.#words.get(seq);
    if (word !== undefined) this.#words.delete(seq);
    return word;
  }

  /** Their receiver is done with these. */
  forget(mails: readonly StoredMail[]): void {
    if (this.#words.size > 0) for (const { seq } of mails) this.#words.delete(seq);
  }
}
