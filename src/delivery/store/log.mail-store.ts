import { Logger } from '@nestjs/common';
import { bufferOf, steadyNowMs } from '../../clients/index.js';
import { CrossCommError } from '../../protocol/index.js';
import type { Batch } from './batch.js';
import { CommitLog } from './commit-log.js';
import type { DataDirLock } from './data-dir-lock.js';
import { FrameCache } from './frame-cache.js';
import { FrameReader } from './frame-reader.js';
import type { RecoveredLog } from './log-recovery.js';
import { openLog } from './log-opening.js';
import type { LogMailStoreOptions } from './log-store.options.js';
import { Mail, type FrameBlock } from './mail.js';
import { MailStore, type NewMail, type OpenedStore, type StoredMail, type StoreEvents, type StoreStats } from './mail-store.js';
import type { Life } from './record.js';
import { SegmentCleaner } from './segment-cleaner.js';
import { SegmentWriter } from './segment-writer.js';
import { NODE_STORE_FILE_SYSTEM, type StoreFileSystem } from './store-file-system.js';

/** Numbers that are reserved at a time. Far more than can be given out between two commits. */
const RESERVED_SEQS = 2 ** 20;

/** Mail in an append log: one block and one fdatasync for everything recorded meanwhile. */
export class LogMailStore extends MailStore {
  readonly #logger = new Logger(LogMailStore.name);
  readonly #options: LogMailStoreOptions;
  readonly #fileSystem: StoreFileSystem;
  readonly #reader: FrameReader;
  readonly #cache: FrameCache;
  #events: StoreEvents | undefined;
  #lock: DataDirLock | undefined;
  #opened: OpenParts | undefined;
  #seq = 0;
  #isBeyondLimit = false;

  constructor(options: LogMailStoreOptions, fileSystem: StoreFileSystem = NODE_STORE_FILE_SYSTEM) {
    super();
    this.#options = options;
    this.#fileSystem = fileSystem;
    this.#reader = new FrameReader(fileSystem, options.directory);
    this.#cache = new FrameCache(options.cacheBytes);
  }

  override async open(events: StoreEvents): Promise<OpenedStore> {
    if (this.#events !== undefined) throw new CrossCommError('CC_STORE_FAILED', 'The store was opened before.');
    this.#events = events;
    try {
      await this.#fileSystem.makeDirectory(this.#options.directory);
      this.#lock = await this.#fileSystem.lock(this.#options.directory, this.#options.lockWaitMs ?? 0);
      return await this.#open();
    } catch (error) {
      await this.#opened?.log.close().catch(() => undefined);
      await this.#lock?.release();
      throw CrossCommError.from(error, 'CC_STORE_FAILED');
    }
  }

  override nextSeq(): number {
    const seq = ++this.#seq;
    const { life } = this.#parts;
    if (seq + RESERVED_SEQS / 2 > life.reservedSeq) this.#record()?.life(this.#live({ ...life, reservedSeq: seq + RESERVED_SEQS }));
    return seq;
  }

  override put(mail: NewMail): StoredMail {
    const { log, recovered, segments } = this.#parts;
    log.checkWritable();
    const sizeBytes = mail.frame.length;
    this.#isBeyondLimit = segments.bytes + log.pendingBytes + sizeBytes > this.#options.maxStoreBytes;
    if (this.#isBeyondLimit) throw new CrossCommError('CC_STORE_FULL', { detail: 'maxStoreBytes is reached.', retryAfter: 1 });
    const stored = new Mail(mail, sizeBytes, mail.frame);
    log.batch.put(stored);
    recovered.table.add(stored);
    stored.idEntry = recovered.ids.remember(mail.fromClientId, mail.msgId, mail.seq, mail.storedAtMs, mail.storedAtMs);
    return stored;
  }

  override seqOf(fromClientId: string, msgId: string, nowMs = steadyNowMs()): number | undefined {
    return this.#parts.recovered.ids.seqOf(fromClientId, msgId, nowMs);
  }

  override storedAtMs(fromClientId: string, msgId: string): number | undefined {
    return this.#parts.recovered.ids.storedAtMs(fromClientId, msgId, steadyNowMs());
  }

  override get pendingMails(): number {
    return this.#parts.log.pendingMails;
  }

  override forgetId(mail: StoredMail): void {
    const { table, ids } = this.#parts.recovered;
    table.drop(mail);
    ids.forget(mail.fromClientId, mail.msgId, mail.seq);
  }

  override remove(recipient: string, seqs: readonly number[]): void {
    const { table } = this.#parts.recovered;
    const removed: number[] = [];
    for (const seq of seqs) {
      const mail = table.remove(recipient, seq);
      if (mail === undefined) continue;
      // one that is not written yet is written as it is then, or not at all
      if (mail.batch === undefined) removed.push(seq);
      if (mail.recipients.length > 0) continue;
      if (mail.isRefused) this.#record()?.keepId(mail);
      mail.batch?.leave(mail);
      this.#dropFrame(mail);
    }
    if (removed.length > 0) this.#record()?.remove(recipient, removed);
  }

  override countAttempt(recipient: string, seq: number): number {
    const count = this.#parts.recovered.table.countAttempt(recipient, seq);
    if (count > 0) this.#recordOf(seq)?.attempt(recipient, seq, count);
    return count;
  }

  override move(seq: number, from: string, to: string): void {
    if (this.#parts.recovered.table.move(seq, from, to)) this.#recordOf(seq)?.move(seq, from, to);
  }

  override setFact(key: string, value: string | undefined): void {
    const { table } = this.#parts.recovered;
    if (value === undefined) {
      if (table.forgetFact(key)) this.#record()?.forgetFact(key);
      return;
    }
    const fact = table.setFact(key, value);
    if (fact !== undefined) this.#record()?.setFact(fact);
  }

  override async read(mails: readonly StoredMail[]): Promise<(Buffer | undefined)[]> {
    const { table } = this.#parts.recovered;
    const frames = mails.map(({ frame }) => (frame === undefined ? undefined : bufferOf(frame)));
    const wanted = new Map<number, Mail>();
    for (const [index, { seq, frame }] of mails.entries()) {
      const mail = frame === undefined ? table.mails.get(seq) : undefined;
      if (mail !== undefined) wanted.set(index, mail);
    }
    if (wanted.size === 0) return frames;
    try {
      await this.#reader.read(wanted, frames);
    } catch (error) {
      throw new CrossCommError('CC_STORE_FAILED', { detail: `Mail cannot be read (${String(error)}).`, cause: error });
    }
    return frames;
  }

  override flush(): Promise<void> {
    return this.#parts.log.flush();
  }

  override async close(): Promise<void> {
    const { log, cleaner } = this.#parts;
    if (log.state === 'closed') return;
    try {
      await cleaner.stop();
      await log.flush();
    } finally {
      await log.close();
      await this.#lock?.release();
      this.#lock = undefined;
    }
  }

  override get place(): string {
    return this.#options.directory;
  }

  override get stats(): StoreStats {
    const { log, recovered, segments } = this.#parts;
    return {
      state: log.state === 'open' && this.#isBeyondLimit ? 'full' : log.state,
      bytes: segments.bytes + segments.reserve.bytes,
      liveBytes: recovered.table.liveBytes,
      mails: recovered.table.mails.size,
      rememberedIds: recovered.ids.size,
    };
  }

  get #parts(): OpenParts {
    if (this.#opened === undefined) throw new CrossCommError('CC_STORE_FAILED', 'The store is not open.');
    return this.#opened;
  }

  async #open(): Promise<OpenedStore> {
    const { directory, segmentBytes, maxStoreBytes, slackSegments = 8 } = this.#options;
    const { recovered, segments, life, isFresh } = await openLog(this.#fileSystem, this.#options, this.#logger);
    if (recovered.segments.length > 1) await segments.reserve.holdOrRelease();
    const log = new CommitLog(segments, recovered.ids, {
      onCommitted: (batch, frames) => this.#onCommitted(batch, frames),
      onRefused: (mails, error) => this.#onRefused(mails, error),
      onFull: () => this.#opened?.cleaner.cleanIfNeeded(),
      onFailed: (error) => this.#logger.error(`The store in ${directory} has failed; no mail is taken until the next start.`, error),
    });
    const { table, ids, replay } = recovered;
    const keepLife = (segment: number): boolean => {
      if (this.#parts.lifeSegment !== segment) return false;
      log.batch.life(this.#parts.life);
      return true;
    };
    const cleaner = new SegmentCleaner({ fileSystem: this.#fileSystem, segments, log, table, ids, segmentBytes, maxStoreBytes, slackSegments, keepLife });
    this.#seq = Math.max(replay.maxSeq, life.reservedSeq);
    // nothing was ever given out by an empty store
    if (recovered.segments.length > 0) this.#seq += RESERVED_SEQS;
    const reserved = { ...life, reservedSeq: this.#seq + RESERVED_SEQS };
    this.#opened = { log, recovered, segments, cleaner, life: reserved, lifeSegment: replay.lifeSegment };
    log.batch.life(reserved);
    try {
      await log.flush();
    } catch (error) {
      // an old store on a full disk can still hand out what it has; a new epoch has to be durable
      if (isFresh || log.state !== 'full') throw error;
    }
    if (recovered.isTorn) await segments.cut();
    const facts = new Map([...table.facts.values()].map(({ key, value }) => [key, value]));
    return { epoch: life.epoch, mails: [...table.mails.values()].sort((left, right) => left.seq - right.seq), facts };
  }

  /** The batch to record into, unless nothing is recorded any more. */
  #record(): Batch | undefined {
    const { log } = this.#parts;
    return log.isRecording ? log.batch : undefined;
  }

  /** The same for what happened to a message, unless that is yet to be written. */
  #recordOf(seq: number): Batch | undefined {
    return this.#parts.recovered.table.mails.get(seq)?.batch === undefined ? this.#record() : undefined;
  }

  #live(life: Life): Life {
    this.#parts.life = life;
    return life;
  }

  #onCommitted(batch: Batch, frames: FrameBlock | undefined): void {
    const parts = this.#parts;
    if (batch.hasLife) parts.lifeSegment = parts.segments.number;
    // not in the oldest segment, which could otherwise not go while the disk is full
    else if (parts.lifeSegment !== parts.segments.number) parts.log.batch.life(parts.life);
    const { ids } = parts.recovered;
    const { mails } = batch;
    if (mails.length > 0) this.#tell(() => this.#events?.onStored(mails));
    if (frames !== undefined) this.#cache.add(frames);
    ids.sweep(steadyNowMs());
    parts.cleaner.cleanIfNeeded();
  }

  /** Of a message that is in no mailbox any more, or never was. */
  #dropFrame(mail: Mail): void {
    const { block } = mail;
    mail.source = undefined;
    mail.block = undefined;
    if (block !== undefined) this.#cache.leave(block);
  }

  #onRefused(mails: readonly Mail[], error: CrossCommError): void {
    for (const mail of mails) {
      this.#dropFrame(mail);
      mail.batch = undefined;
      mail.isRefused = true;
      if (!mail.wasShown) this.forgetId(mail);
    }
    this.#tell(() => this.#events?.onRefused(mails, error));
  }

  #tell(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#logger.error('A listener of the store failed.', error);
    }
  }
}

/** What there is once the store is open. */
interface OpenParts {
  readonly log: CommitLog;
  readonly recovered: RecoveredLog;
  readonly segments: SegmentWriter;
  readonly cleaner: SegmentCleaner;
  life: Life;
  /** Segment of the last durable life record. */
  lifeSegment: number;
}
