import { checksumOf, type Mail } from './mail.js';

/** Places at the front of the queue that are given up at a time. */
const CUT = 4_096;

/** Frames of the last messages, up to a number of bytes; the oldest lose theirs. */
export class FrameCache {
  readonly #maxBytes: number;
  /** In the order in which they came; the place of a message is its `cachePlace` less {@link FrameCache.#cut}. */
  #queue: (Mail | undefined)[] = [];
  #cut = 0;
  #head = 0;
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
    mail.cachePlace = this.#cut + this.#queue.length;
    this.#queue.push(mail);
    this.#bytes += mail.sizeBytes;
    while (this.#bytes > this.#maxBytes) this.#dropOldest();
    while (this.#head < this.#queue.length && this.#queue[this.#head] === undefined) this.#head++;
    if (this.#head < CUT) return;
    this.#queue.splice(0, this.#head);
    this.#cut += this.#head;
    this.#head = 0;
  }

  /** A message that is in no mailbox any more needs no frame. */
  forget(mail: Mail): void {
    // one that is not durable yet is held by its batch
    if (mail.segment === 0 || mail.frame === undefined) return;
    const place = mail.cachePlace - this.#cut;
    // not kept alive by its place
    if (this.#queue[place] === mail) this.#queue[place] = undefined;
    mail.frame = undefined;
    this.#bytes -= mail.sizeBytes;
  }

  #dropOldest(): void {
    const mail = this.#queue[this.#head++];
    if (mail?.frame === undefined) return;
    mail.checksum = checksumOf(mail.frame);
    this.forget(mail);
  }
}
