import { Logger } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { steadyNowMs } from '../../clients/index.js';
import { CrossCommError } from '../../protocol/index.js';
import type { CommitLog } from './commit-log.js';
import type { DuplicateIds } from './duplicate-ids.js';
import type { MailTable } from './mail-table.js';
import { isTooManyFiles } from './disk-reserve.js';
import { RecordReader } from './record-reader.js';
import { ID_BYTES, readMail, RECORD, RECORD_HEADER_BYTES } from './record.js';
import { scanSegment } from './segment-scan.js';
import type { SegmentWriter } from './segment-writer.js';
import type { Segment } from './segments.js';
import type { StoreFileSystem } from './store-file-system.js';

/** Milliseconds after which others have their turn. */
const SLICE_MS = 4;

/** Segments' worth of dead bytes that are left alone when nothing is going on. */
const IDLE_SLACK = 2;

/** Time without a commit after which nothing is going on, in milliseconds. */
const PAUSE_MS = 1_000;

/** Messages or ids looked at between two looks at the clock. */
const LOOKED_AT = 8_192;

/** Bytes copied before waiting until they are durable. */
const COPIED_BYTES = 1024 * 1024;

/** Estimate of what a message takes on disk besides its frame. */
const MAIL_OVERHEAD_BYTES = 128;

/** What the cleaner works on. */
export interface CleanerContext {
  readonly fileSystem: StoreFileSystem;
  readonly segments: SegmentWriter;
  readonly log: CommitLog;
  readonly table: MailTable;
  readonly ids: DuplicateIds;
  readonly segmentBytes: number;
  readonly maxStoreBytes: number;
  /** Segments' worth of dead bytes that are left alone under load. */
  readonly slackSegments: number;
  /** Records the life of the store again when its last record is in this segment. @returns whether it was */
  keepLife(segment: number): boolean;
}

/**
 * Gives back disk space: what still counts of the oldest segment is written again at the end, and when that is durable
 * the segment is deleted. What is there twice after a crash in between does no harm.
 */
export class SegmentCleaner {
  readonly #logger = new Logger(SegmentCleaner.name);
  readonly #context: CleanerContext;
  #running: Promise<void> | undefined;
  #isStopped = false;
  #sliceStart = 0;
  #lastCommitMs = 0;
  #pauseTimer: NodeJS.Timeout | undefined;
  #hasCopied = false;

  constructor(context: CleanerContext) {
    this.#context = context;
  }

  /** Called at each commit: cleans in the background when it is worth it, and the rest when there is a pause. */
  cleanIfNeeded(): void {
    this.#lastCommitMs = performance.now();
    // on a full disk everything counts
    this.#begin(this.#context.log.state === 'full' ? IDLE_SLACK : this.#context.slackSegments);
    this.#pauseTimer ??= setTimeout(() => this.#lookForPause(), PAUSE_MS).unref();
  }

  /** Ends cleaning; what is begun is left as after a crash. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#pauseTimer);
    await this.#running;
  }

  #lookForPause(): void {
    this.#pauseTimer = undefined;
    if (this.#isStopped) return;
    if (performance.now() - this.#lastCommitMs < PAUSE_MS) this.#pauseTimer = setTimeout(() => this.#lookForPause(), PAUSE_MS).unref();
    else this.#begin(IDLE_SLACK);
  }

  #begin(slack: number): void {
    if (this.#running !== undefined || !this.#isNeeded(slack)) return;
    this.#running = this.#clean(slack).finally(() => {
      this.#running = undefined;
    });
  }

  /** @param slack segments' worth of bytes that may be dead without being worth it */
  #isNeeded(slack: number): boolean {
    const { segments, table, ids, segmentBytes, maxStoreBytes, log } = this.#context;
    if (this.#isStopped || !log.isRecording || segments.segments.length < 2) return false;
    const live = table.liveBytes + table.mails.size * MAIL_OVERHEAD_BYTES + ids.size * ID_BYTES + table.factBytes;
    const { bytes } = segments;
    if (bytes > 2 * live + slack * segmentBytes) return true;
    // close to the limit every eighth counts
    return bytes > 0.75 * maxStoreBytes && bytes - live > maxStoreBytes / 8 + 2 * segmentBytes;
  }

  async #clean(slack: number): Promise<void> {
    // not within the commit that brought us here
    await nextTurn();
    try {
      while (this.#isNeeded(slack)) {
        const oldest = this.#context.segments.segments[0];
        if (oldest === undefined || !(await this.#copyLiving(oldest))) return;
        await this.#delete();
      }
    } catch (error) {
      // no space, too many files: there will be another commit that brings us here; failed: the log has told
      if (error instanceof CrossCommError || isTooManyFiles(error)) return;
      this.#isStopped = true;
      this.#logger.error('Cleaning the store failed and is not tried again before the next start.', error);
    }
  }

  async #delete(): Promise<void> {
    try {
      await this.#context.segments.deleteOldest();
    } catch (error) {
      if (!isTooManyFiles(error)) this.#context.log.fail(error);
      throw error;
    }
  }

  /** @returns false when the segment has to stay */
  async #copyLiving(segment: Segment): Promise<boolean> {
    const { log } = this.#context;
    const { refusals } = log;
    this.#sliceStart = performance.now();
    this.#hasCopied = false;
    if ((await this.#holdsMail(segment)) && !(await this.#copyMails(segment))) return false;
    await this.#copyIds(segment);
    await this.#copyFacts(segment);
    this.#hasCopied = this.#context.keepLife(segment.number) || this.#hasCopied;
    // without copies it can go even when the disk is full
    if (!this.#hasCopied) return !this.#isStopped;
    await log.flush();
    // a copy that nobody was waiting for yet may be among what found no space
    return !this.#isStopped && log.refusals === refusals;
  }

  async #holdsMail(segment: Segment): Promise<boolean> {
    let count = 0;
    for (const mail of this.#context.table.mails.values()) {
      if (mail.segment === segment.number) return true;
      if (count++ % LOOKED_AT === 0) await this.#pause();
    }
    return false;
  }

  /** Reads the whole segment, so that what is copied was checked. @returns false when it is damaged */
  async #copyMails(segment: Segment): Promise<boolean> {
    const file = await this.#context.fileSystem.open(segment.path, 'read');
    try {
      const scan = await scanSegment(file, segment.number, (buffer, start, end, offset) =>
        this.#copyBlock(segment, buffer, start, end, offset),
      );
      if (!scan.isDamaged && scan.goodBytes === segment.bytes) return true;
    } finally {
      await file.close();
    }
    this.#isStopped = true;
    this.#logger.error(`${segment.path} has become unreadable and is not cleaned. It is repaired at the next start.`);
    return false;
  }

  async #copyBlock(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): Promise<void> {
    const { log, table } = this.#context;
    const reader = new RecordReader(buffer);
    let copied = 0;
    for (let position = start, count = 0; position < end && !this.#isStopped; count++) {
      const type = buffer[position + 4];
      reader.position = position + RECORD_HEADER_BYTES;
      if (type === RECORD.mail || type === RECORD.keptMail) {
        const { seq, frameStart, sizeBytes } = readMail(reader);
        const mail = table.mails.get(seq);
        if (mail?.segment === segment.number && mail.offset === frameStart + offset - start) {
          this.#hasCopied = true;
          log.batch.keep(mail, buffer.subarray(frameStart, frameStart + sizeBytes));
          copied += sizeBytes;
        }
      }
      position += RECORD_HEADER_BYTES + buffer.readUInt32LE(position);
      if (copied > COPIED_BYTES) {
        copied = 0;
        await log.flush();
      }
      if (count % 64 === 0) await this.#pause();
    }
    if (copied > 0) await log.flush();
  }

  /** Ids are all in memory; the segment need not be read for them. */
  async #copyIds(segment: Segment): Promise<void> {
    const { ids, log } = this.#context;
    for (let from = 1; from < ids.end && !this.#isStopped; from += LOOKED_AT) {
      const found = ids.idsIn(segment.number, from, Math.min(from + LOOKED_AT, ids.end), steadyNowMs());
      for (const [sender, ofSender] of found) {
        this.#hasCopied = true;
        log.batch.ids(sender, ofSender);
      }
      await this.#pause();
    }
  }

  async #copyFacts(segment: Segment): Promise<void> {
    const { table, log } = this.#context;
    let count = 0;
    for (const fact of table.facts.values()) {
      if (fact.segment === segment.number) {
        this.#hasCopied = true;
        log.batch.setFact(fact);
      }
      if (count++ % 64 === 0) await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    if (performance.now() - this.#sliceStart < SLICE_MS) return;
    await nextTurn();
    this.#sliceStart = performance.now();
  }
}
