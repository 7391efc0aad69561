import { MailStore, type NewMail, type OpenedStore, type StoreEvents, type StoreStats, type StoredMail } from './mail-store.js';

type Mutable = { -readonly [K in keyof StoredMail]: StoredMail[K] };

/** Throwaway until the real one lands. */
export class MemoryMailStore extends MailStore {
  #seq = 1;
  #ids = new Map<string, number>();
  #mails = new Map<number, Mutable>();
  #pending: StoredMail[] = [];
  #events!: StoreEvents;
  #waiters: (() => void)[] = [];
  async open(events: StoreEvents): Promise<OpenedStore> {
    this.#events = events;
    return { epoch: Math.random().toString(36).slice(2), mails: [], facts: new Map() };
  }
  nextSeq(): number {
    return this.#seq++;
  }
  put(mail: NewMail): StoredMail {
    const stored: Mutable = { ...mail, recipients: [...mail.recipients], storedAtMs: Date.now(), sizeBytes: mail.frame.length, attempts: undefined };
    this.#mails.set(mail.seq, stored);
    this.#ids.set(`${mail.fromClientId}\0${mail.msgId}`, mail.seq);
    if (this.#pending.push(stored) === 1) setImmediate(() => this.#commit());
    return stored;
  }
  #commit(): void {
    this.#events.onStored(this.#pending.splice(0));
    for (const w of this.#waiters.splice(0)) w();
  }
  seqOf(from: string, id: string): number | undefined {
    return this.#ids.get(`${from}\0${id}`);
  }
  remove(recipient: string, seqs: readonly number[]): void {
    for (const seq of seqs) {
      const mail = this.#mails.get(seq);
      if (mail === undefined) continue;
      mail.recipients = mail.recipients.filter((r) => r !== recipient);
      if (mail.recipients.length === 0) this.#mails.delete(seq);
    }
  }
  countAttempt(recipient: string, seq: number): number {
    const mail = this.#mails.get(seq);
    if (!mail) return 0;
    const n = (mail.attempts?.get(recipient) ?? 0) + 1;
    mail.attempts = new Map([...(mail.attempts ?? []), [recipient, n]]);
    return n;
  }
  move(seq: number, from: string, to: string): void {
    const mail = this.#mails.get(seq);
    if (mail) mail.recipients = mail.recipients.map((r) => (r === from ? to : r));
  }
  setFact(): void {}
  async read(mails: readonly StoredMail[]): Promise<(Buffer | undefined)[]> {
    return mails.map((m) => m.frame);
  }
  flush(): Promise<void> {
    return this.#pending.length === 0 ? Promise.resolve() : new Promise((r) => this.#waiters.push(r));
  }
  async close(): Promise<void> {
    await this.flush();
  }
  get stats(): StoreStats {
    return { state: 'open', bytes: 0, liveBytes: 0, mails: this.#mails.size, rememberedIds: this.#ids.size };
  }
}
