import type { StoredMail } from './store/index.js';

/** Mail by growing number. Taking from the front costs the same however much there is. */
export class MailQueue {
  #mails: (StoredMail | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#mails.length - this.#head;
  }

  get first(): StoredMail | undefined {
    return this.#mails[this.#head];
  }

  push(mail: StoredMail): void {
    if (mail.seq < this.#lastSeq) this.putBack([mail]);
    else this.#mails.push(mail);
  }

  shift(): StoredMail | undefined {
    const mail = this.#mails[this.#head];
    if (mail === undefined) return undefined;
    // not kept alive by its place
    this.#mails[this.#head++] = undefined;
    // an array's own shift() is slow on long arrays; what was taken is cut off in slices instead
    if (this.#head >= 1_024) {
      this.#mails.splice(0, this.#head);
      this.#head = 0;
    }
    return mail;
  }

  /** The first `count`, still waiting. */
  peek(count: number): readonly StoredMail[] {
    return this.#mails.slice(this.#head, this.#head + count) as StoredMail[];
  }

  /** Puts mail back in among the rest, by number. */
  putBack(mails: readonly StoredMail[]): void {
    if (mails.length === 0) return;
    this.#mails = [...mails, ...this.peek(this.length)].sort((a, b) => a.seq - b.seq);
    this.#head = 0;
  }

  /** Takes out all that `isUnwanted`; returns it. */
  remove(isUnwanted: (mail: StoredMail) => boolean): StoredMail[] {
    const removed: StoredMail[] = [];
    const kept: StoredMail[] = [];
    for (const mail of this.peek(this.length)) (isUnwanted(mail) ? removed : kept).push(mail);
    if (removed.length > 0) {
      this.#mails = kept;
      this.#head = 0;
    }
    return removed;
  }

  /** The message with this number. */
  get(seq: number): StoredMail | undefined {
    return this.#mails[this.#placeOf(seq)];
  }

  /** Takes out the message with this number. */
  take(seq: number): StoredMail | undefined {
    if (this.first?.seq === seq) return this.shift();
    const place = this.#placeOf(seq);
    return place === -1 ? undefined : this.#mails.splice(place, 1)[0];
  }

  /** Takes out all. */
  takeAll(): StoredMail[] {
    return this.remove(() => true);
  }

  get #lastSeq(): number {
    return this.length === 0 ? 0 : (this.#mails.at(-1)?.seq ?? 0);
  }

  /** @returns -1 when there is none */
  #placeOf(seq: number): number {
    let low = this.#head;
    let high = this.#mails.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = (this.#mails[middle] as StoredMail).seq;
      if (at === seq) return middle;
      if (at < seq) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
