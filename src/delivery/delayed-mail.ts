import type { StoredMail } from './store/index.js';

/** Mail that its receiver rejected, until its next attempt. */
export class DelayedMail {
  readonly #waiting = new Map<number, { readonly mail: StoredMail; readonly timer: NodeJS.Timeout }>();

  /** Lowest number in it; infinite when there is none. */
  get firstSeq(): number {
    let first = Infinity;
    // one by one: of as many as may be rejected no list of arguments can be made
    for (const seq of this.#waiting.keys()) if (seq < first) first = seq;
    return first;
  }

  has(seq: number): boolean {
    return this.#waiting.has(seq);
  }

  /** @param due called with it when the time is over, unless it was taken out before */
  add(mail: StoredMail, delayMs: number, due: (mail: StoredMail) => void): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(mail.seq);
      due(mail);
    }, delayMs).unref();
    this.#waiting.set(mail.seq, { mail, timer });
  }

  take(seq: number): StoredMail | undefined {
    const delayed = this.#waiting.get(seq);
    if (delayed === undefined) return undefined;
    clearTimeout(delayed.timer);
    this.#waiting.delete(seq);
    return delayed.mail;
  }

  /** Takes out what `isUnwanted`. */
  remove(isUnwanted: (mail: StoredMail) => boolean): StoredMail[] {
    const removed = [...this.#waiting.values()].map(({ mail }) => mail).filter(isUnwanted);
    for (const { seq } of removed) this.take(seq);
    return removed;
  }

  takeAll(): StoredMail[] {
    return this.remove(() => true);
  }
}
