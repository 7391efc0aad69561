import type { Mail } from './mail.js';

/** Frames of the last messages, up to a number of bytes; the oldest lose theirs. */
export class FrameCache {
  readonly #maxBytes: number;
  #queue: Mail[] = [];
  #head = 0;
  #held = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Called once per message, which holds its frame. */
  add(mail: Mail): void {
    if (mail.recipients.length === 0) {
      mail.frame = undefined;
      return;
    }
    this.#queue.push(mail);
    this.#held++;
    this.#bytes += mail.sizeBytes;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    if (this.#queue.length > 2 * this.#held + 1024) {
      this.#queue = this.#queue.slice(this.#head).filter((kept) => kept.frame !== undefined);
      this.#head = 0;
    }
  }

  /** A message that is in no mailbox any more needs no frame. */
  forget(mail: Mail): void {
    // one that is not durable yet is held by its batch
    if (mail.segment === 0 || mail.frame === undefined) return;
    mail.frame = undefined;
    this.#held--;
    this.#bytes -= mail.sizeBytes;
  }

  #dropOldest(): void {
    const mail = this.#queue[this.#head++];
    if (mail !== undefined) this.forget(mail);
  }
}
