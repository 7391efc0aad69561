import { Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { bufferOf, steadyNowMs } from '../../clients/index.js';
import { CrossCommError } from '../../protocol/index.js';
import { DuplicateIds } from './duplicate-ids.js';
import { Mail } from './mail.js';
import { MailStore, type NewMail, type OpenedStore, type StoredMail, type StoreEvents, type StoreStats } from './mail-store.js';
import { MailTable } from './mail-table.js';

/** Settings of a {@link MemoryMailStore}; as those of the log. */
export interface MemoryMailStoreOptions {
  /** Bytes of messages in mailboxes beyond which no message is taken. */
  readonly maxStoreBytes: number;
  readonly duplicateWindowMs: number;
  readonly maxRememberedIds: number;
}

/** Mail in memory, lost with the process: for tests, and for those who do not want files. */
export class MemoryMailStore extends MailStore {
  readonly #logger = new Logger(MemoryMailStore.name);
  readonly #options: MemoryMailStoreOptions;
  readonly #table = new MailTable();
  readonly #ids: DuplicateIds;
  #events: StoreEvents | undefined;
  #pending: Mail[] = [];
  #waiting: (() => void)[] = [];
  #isScheduled = false;
  #state: 'open' | 'full' | 'closed' = 'open';
  #seq = 0;

  constructor(options: MemoryMailStoreOptions) {
    super();
    this.#options = options;
    this.#ids = new DuplicateIds(options.duplicateWindowMs, options.maxRememberedIds);
  }

  override open(events: StoreEvents): Promise<OpenedStore> {
    if (this.#events !== undefined) return Promise.reject(new CrossCommError('CC_STORE_FAILED', 'The store was opened before.'));
    this.#events = events;
    return Promise.resolve({ epoch: randomBytes(9).toString('base64url'), mails: [], facts: new Map() });
  }

  override nextSeq(): number {
    return ++this.#seq;
  }

  override put(mail: NewMail): StoredMail {
    this.#checkOpen();
    const sizeBytes = mail.frame.length;
    this.#state = this.#table.liveBytes + sizeBytes > this.#options.maxStoreBytes ? 'full' : 'open';
    if (this.#state === 'full') throw new CrossCommError('CC_STORE_FULL', { detail: 'maxStoreBytes is reached.', retryAfter: 1 });
    // its own: it is never written
    const stored = new Mail(mail, sizeBytes, Buffer.from(bufferOf(mail.frame)));
    this.#table.add(stored);
    this.#ids.remember(mail.fromClientId, mail.msgId, mail.seq, mail.storedAtMs, mail.storedAtMs);
    this.#pending.push(stored);
    this.#schedule();
    return stored;
  }

  override seqOf(fromClientId: string, msgId: string, nowMs = steadyNowMs()): number | undefined {
    return this.#ids.seqOf(fromClientId, msgId, nowMs);
  }

  override storedAtMs(fromClientId: string, msgId: string): number | undefined {
    return this.#ids.storedAtMs(fromClientId, msgId, steadyNowMs());
  }

  override get pendingMails(): number {
    return this.#pending.length;
  }

  override forgetId({ fromClientId, msgId, seq }: StoredMail): void {
    this.#ids.forget(fromClientId, msgId, seq);
  }

  override remove(recipient: string, seqs: readonly number[]): void {
    for (const seq of seqs) {
      const mail = this.#table.remove(recipient, seq);
      if (mail?.recipients.length === 0) mail.source = undefined;
    }
  }

  override countAttempt(recipient: string, seq: number): number {
    return this.#table.countAttempt(recipient, seq);
  }

  override move(seq: number, from: string, to: string): void {
    this.#table.move(seq, from, to);
  }

  override setFact(key: string, value: string | undefined): void {
    if (value === undefined) this.#table.forgetFact(key);
    else this.#table.setFact(key, value);
  }

  override read(mails: readonly StoredMail[]): Promise<(Buffer | undefined)[]> {
    return Promise.resolve(
      mails.map(({ seq }) => {
        const frame = this.#table.mails.get(seq)?.frame;
        return frame === undefined ? undefined : bufferOf(frame);
      }),
    );
  }

  override async flush(): Promise<void> {
    this.#checkOpen();
    if (this.#pending.length === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  override async close(): Promise<void> {
    if (this.#state === 'closed') return;
    await this.flush();
    this.#state = 'closed';
  }

  override get place(): string {
    return 'memory';
  }

  override get stats(): StoreStats {
    const { liveBytes, mails } = this.#table;
    return { state: this.#state, bytes: liveBytes, liveBytes, mails: mails.size, rememberedIds: this.#ids.size };
  }

  #checkOpen(): void {
    if (this.#events === undefined) throw new CrossCommError('CC_STORE_FAILED', 'The store is not open.');
    if (this.#state === 'closed') throw new CrossCommError('CC_STORE_FAILED', 'The store is closed.');
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#commit());
  }

  #commit(): void {
    this.#isScheduled = false;
    const mails = this.#pending.filter(({ recipients }) => recipients.length > 0);
    this.#pending = [];
    for (const mail of mails) mail.segment = 1;
    try {
      this.#events?.onStored(mails);
    } catch (error) {
      this.#logger.error('A listener of the store failed.', error);
    }
    this.#ids.sweep(steadyNowMs());
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
