import { CrossCommError } from '../../protocol/index.js';
import { Batch } from './batch.js';
import { sealBlock } from './block.js';
import { CommitDelay } from './commit-delay.js';
import type { DuplicateIds } from './duplicate-ids.js';
import { isShortage, isTooManyFiles } from './disk-reserve.js';
import type { FrameBlock, Mail } from './mail.js';
import { RecordWriter } from './record-writer.js';
import { SegmentWriter } from './segment-writer.js';

/** Told by the log. */
export interface CommitEvents {
  /** @param frames of its messages that are in a mailbox; undefined when there are none */
  onCommitted(batch: Batch, frames: FrameBlock | undefined): void;
  /** @param mails that are in a mailbox */
  onRefused(mails: readonly Mail[], error: CrossCommError): void;
  /** The disk has no space; it is tried again later. */
  onFull(): void;
  /** Once: nothing is written any more. */
  onFailed(error: CrossCommError): void;
}

/** Between two attempts to write to a full disk. */
const RETRY_MS = 500;

/** A batch with so many bytes takes no more. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** Buffers up to this length are used again. */
const KEPT_BUFFER_BYTES = 2 * BATCH_BYTES;

/**
 * Group commit: what is recorded while one batch is being written goes into the next one. Each is one block, written
 * and synced before the next. One that nobody waits for leaves receivers a moment.
 */
export class CommitLog {
  readonly #segments: SegmentWriter;
  readonly #ids: DuplicateIds;
  readonly #events: CommitEvents;
  #state: 'open' | 'full' | 'failed' | 'closed' = 'open';
  #error: CrossCommError | undefined;
  readonly #delay = new CommitDelay(() => this.#queue.length !== 1 || this.#queue[0]?.isUrgent !== false);
  #queue: Batch[] = [];
  #inFlight: Batch | undefined;
  /** Something is being written, or will be in this turn. */
  #isBusy = false;
  #lastTryMs = 0;
  #lastHoldMs = 0;
  #retry: NodeJS.Timeout | undefined;
  readonly #writers: RecordWriter[] = [];
  /** How often what was recorded found no space, copies among it. */
  refusals = 0;

  constructor(segments: SegmentWriter, ids: DuplicateIds, events: CommitEvents) {
    this.#segments = segments;
    this.#ids = ids;
    this.#events = events;
    if (segments.reserve.isReleased) this.#state = 'full';
  }

  get state(): 'open' | 'full' | 'failed' | 'closed' {
    return this.#state;
  }

  /** Bytes recorded, but not durable. */
  get pendingBytes(): number {
    let bytes = this.#inFlight?.length ?? 0;
    // by index, here and below: asked for each message, which an iterator should not cost
    for (let index = 0; index < this.#queue.length; index++) bytes += this.#queue[index]?.length ?? 0;
    return bytes;
  }

  /** Messages put that are not durable, nor their ids. */
  get pendingMails(): number {
    let count = this.#inFlight?.mailCount ?? 0;
    for (let index = 0; index < this.#queue.length; index++) count += this.#queue[index]?.mailCount ?? 0;
    return count;
  }

  /** Whether recording makes sense: later, or never again. */
  get isRecording(): boolean {
    return this.#state === 'open' || this.#state === 'full';
  }

  /** The batch to record into; it is written soon. */
  get batch(): Batch {
    const last = this.#queue.at(-1) ?? this.#inFlight;
    // the one that is about to be written takes more until then: what is done with its messages becomes durable with them
    if (last?.isSealed === false && last.length < BATCH_BYTES) {
      this.#delay.endIfUrgent();
      return last;
    }
    this.#delay.end();
    const batch = new Batch(this.#writers.pop());
    this.#queue.push(batch);
    this.#schedule();
    return batch;
  }

  /** @throws CrossCommError when a message would not be stored */
  checkWritable(): void {
    if (this.#state === 'open') return;
    if (this.#state === 'full') {
      const now = performance.now();
      if (now - this.#lastTryMs < RETRY_MS) throw this.#error ?? full();
      this.#lastTryMs = now;
      this.#tryNow();
      // mail must not take the space that giving space back needs
      if (this.#segments.reserve.isReleased) throw this.#error ?? full();
      // this one tries whether there is space again
      return;
    }
    throw this.#error ?? closed();
  }

  /** Resolves when all that was recorded is durable. */
  async flush(): Promise<void> {
    if (this.#state === 'failed' || this.#state === 'closed') throw this.#error ?? closed();
    const last = this.#queue.at(-1) ?? this.#inFlight;
    if (last === undefined) return;
    const durable = last.whenDurable();
    this.#delay.end();
    this.#tryNow();
    await durable;
  }

  /** Ends writing; what is not durable is not written any more. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#state !== 'failed') this.#state = 'closed';
    await this.#segments.close();
  }

  #schedule(): void {
    if (this.#state === 'full') {
      this.#retry ??= setTimeout(() => this.#tryNow(), Math.max(0, this.#lastTryMs + RETRY_MS - performance.now())).unref();
      return;
    }
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => void this.#run());
  }

  #tryNow(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#isBusy) return;
    this.#isBusy = true;
    setImmediate(() => void this.#run());
  }

  async #run(): Promise<void> {
    while (this.isRecording) {
      await this.#delay.pass();
      if (!this.isRecording) break;
      const batch = this.#queue.shift();
      if (batch === undefined) break;
      this.#inFlight = batch;
      this.#lastTryMs = performance.now();
      let frames: FrameBlock | undefined;
      try {
        frames = await this.#write(batch);
      } catch (error) {
        await this.#failed(batch, error);
        return;
      }
      this.#inFlight = undefined;
      this.#delay.lastCommitMs = performance.now() - this.#lastTryMs;
      await this.#reopen();
      this.#events.onCommitted(batch, frames);
      batch.settle();
      this.#reuse(batch);
    }
    if (this.#segments.reserve.isReleased && this.#queue.length === 0) await this.#reopen();
    // at once, so that nothing recorded from now on is left lying
    this.#isBusy = false;
    // closed: what was recorded with the last commit is not written any more
    if (this.#queue.length > 0 && this.isRecording) this.#schedule();
  }

  async #failed(batch: Batch, error: unknown): Promise<void> {
    let failure = error;
    let hasSpace = false;
    // for mail alone it is not given up
    if (error instanceof NoSpaceError && ![batch, ...this.#queue].every(({ isMailOnly }) => isMailOnly))
      try {
        hasSpace = await this.#segments.reserve.release();
      } catch (cause) {
        failure = cause;
      }
    this.#inFlight = undefined;
    this.#isBusy = false;
    if (failure instanceof NoSpaceError && this.isRecording) this.#refuse(batch, failure, hasSpace);
    else this.fail(failure, batch);
  }

  /** Takes mail again, as soon as there is the reserve for the next time. */
  async #reopen(): Promise<void> {
    if (this.#state !== 'full') return;
    const { reserve } = this.#segments;
    if (reserve.isReleased) {
      const now = performance.now();
      if (now - this.#lastHoldMs < RETRY_MS) return;
      this.#lastHoldMs = now;
      try {
        await reserve.hold();
      } catch (error) {
        if (!isShortage(error)) this.fail(error);
        return;
      }
      // it may have failed or been closed meanwhile
      if (!this.isRecording) return;
    }
    this.#state = 'open';
    this.#error = undefined;
  }

  async #write(batch: Batch): Promise<FrameBlock | undefined> {
    const { writer } = batch;
    try {
      await this.#segments.prepare();
      // as late as possible: what leaves its mailbox meanwhile need not be written
      batch.seal(this.#ids);
      sealBlock(writer.buffer, writer.length, batch.count, this.#segments.number, this.#segments.offset);
      await this.#segments.write(writer.buffer, writer.length);
    } catch (error) {
      if (!isShortage(error)) throw error;
      await this.#segments.undo();
      throw new NoSpaceError(String(error), { cause: error });
    }
    try {
      await this.#segments.sync();
      await this.#segments.checkName();
    } catch (error) {
      // its messages are refused, so the next start should not find them; where that fails, too, nobody can know
      await this.#segments.undo().catch(() => undefined);
      throw error;
    }
    const frames = batch.place(this.#segments.number, this.#segments.offset, this.#ids);
    this.#segments.advance(writer.length);
    return frames;
  }

  /** No space: messages are given back; what was done with others is kept for later. */
  #refuse(batch: Batch, cause: NoSpaceError, hasSpace: boolean): void {
    this.#state = 'full';
    this.refusals++;
    const error = full(cause.cause);
    this.#error = error;
    const batches = [batch, ...this.#queue];
    const lasting = new Batch();
    for (const each of batches) each.copyLastingTo(lasting);
    this.#queue = lasting.isEmpty ? [] : [lasting];
    if (hasSpace) this.#tryNow();
    else if (!lasting.isEmpty) this.#schedule();
    this.#giveBack(batches, error);
    this.#events.onFull();
  }

  /** Ends writing for good. @param batch the one that was being written */
  fail(cause: unknown, batch?: Batch): void {
    if (!this.isRecording) {
      // it ended while this one was being written
      if (batch !== undefined) this.#giveBack([batch], this.#error ?? closed());
      return;
    }
    this.#state = 'failed';
    const error = new CrossCommError('CC_STORE_FAILED', { detail: `The store cannot be written (${String(cause)}).`, cause });
    this.#error = error;
    const batches = batch === undefined ? this.#queue : [batch, ...this.#queue];
    this.#queue = [];
    this.#events.onFailed(error);
    this.#giveBack(batches, error);
  }

  #giveBack(batches: readonly Batch[], error: CrossCommError): void {
    for (const each of batches) {
      const mails = each.mails.filter(({ recipients }) => recipients.length > 0);
      if (mails.length > 0) this.#events.onRefused(mails, error);
      each.settle(error);
    }
  }

  #reuse({ writer }: Batch): void {
    if (this.#writers.length >= 2 || writer.buffer.length > KEPT_BUFFER_BYTES) return;
    writer.clear();
    this.#writers.push(writer);
  }
}

class NoSpaceError extends Error {}

function full(cause?: unknown): CrossCommError {
  const detail = isTooManyFiles(cause) ? { detail: 'The hub has too many files open.' } : {};
  return new CrossCommError('CC_STORE_FULL', { ...detail, cause, retryAfter: RETRY_MS / 1_000 });
}

function closed(): CrossCommError {
  return new CrossCommError('CC_STORE_FAILED', 'The store is closed.');
}
