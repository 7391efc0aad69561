import { Logger } from '@nestjs/common';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { steadyNowMs } from '../../clients/index.js';
import { CrossCommError } from '../../protocol/index.js';
import type { CommitLog } from './commit-log.js';
import type { DuplicateIds } from './duplicate-ids.js';
import type { MailTable } from './mail-table.js';
import { RecordReader } from './record-reader.js';
import { ID_BYTES, readIds, readMail, RECORD, RECORD_HEADER_BYTES, type RememberedId } from './record.js';
import { scanSegment } from './segment-scan.js';
import type { SegmentWriter } from './segment-writer.js';
import type { Segment } from './segments.js';
import type { StoreFileSystem } from './store-file-system.js';

/** Milliseconds after which others have their turn. */
const SLICE_MS = 4;

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
  #hasCopied = false;

  constructor(context: CleanerContext) {
    this.#context = context;
  }

  /** Cleans in the background when it is worth it and not being done already. */
  cleanIfNeeded(): void {
    if (this.#running !== undefined || !this.#isNeeded) return;
    this.#running = this.#clean().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends cleaning; what is begun is left as after a crash. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  get #isNeeded(): boolean {
    const { segments, table, ids, segmentBytes, maxStoreBytes, log } = this.#context;
    if (this.#isStopped || !log.isRecording || segments.segments.length < 2) return false;
    const live = table.liveBytes + table.mails.size * MAIL_OVERHEAD_BYTES + ids.size * ID_BYTES + table.factBytes;
    const { bytes } = segments;
    if (bytes > 2 * live + 2 * segmentBytes) return true;
    // close to the limit every eighth counts
    return bytes > 0.75 * maxStoreBytes && bytes - live > maxStoreBytes / 8 + 2 * segmentBytes;
  }

  async #clean(): Promise<void> {
    // not within the commit that brought us here
    await nextTurn();
    try {
      while (this.#isNeeded) {
        const oldest = this.#context.segments.segments[0];
        if (oldest === undefined || !(await this.#copyLiving(oldest))) return;
        await this.#delete();
      }
    } catch (error) {
      // no space: there will be another commit that brings us here; failed: the log has told
      if (error instanceof CrossCommError) return;
      this.#isStopped = true;
      this.#logger.error('Cleaning the store failed and is not tried again before the next start.', error);
    }
  }

  async #delete(): Promise<void> {
    try {
      await this.#context.segments.deleteOldest();
    } catch (error) {
      this.#context.log.fail(error);
      throw error;
    }
  }

  /** @returns false when the segment has to stay */
  async #copyLiving(segment: Segment): Promise<boolean> {
    const { fileSystem, log } = this.#context;
    this.#sliceStart = performance.now();
    this.#hasCopied = false;
    const file = await fileSystem.open(segment.path, 'read');
    try {
      const scan = await scanSegment(file, segment.number, (buffer, start, end, offset) =>
        this.#copyBlock(segment, buffer, start, end, offset),
      );
      if (scan.isDamaged || scan.goodBytes !== segment.bytes) {
        this.#isStopped = true;
        this.#logger.error(`${segment.path} has become unreadable and is not cleaned. It is repaired at the next start.`);
        return false;
      }
    } finally {
      await file.close();
    }
    await this.#copyFacts(segment);
    this.#hasCopied = this.#context.keepLife(segment.number) || this.#hasCopied;
    // without copies it can go even when the disk is full
    if (this.#hasCopied) await log.flush();
    return !this.#isStopped;
  }

  async #copyBlock(segment: Segment, buffer: Buffer, start: number, end: number, offset: number): Promise<void> {
    const { log } = this.#context;
    const reader = new RecordReader(buffer);
    const ids = new Map<string, RememberedId[]>();
    let copied = 0;
    for (let position = start, count = 0; position < end && !this.#isStopped; count++) {
      const type = buffer[position + 4];
      reader.position = position + RECORD_HEADER_BYTES;
      if (type === RECORD.mail || type === RECORD.keptMail) copied += this.#copyMail(reader, segment, offset - start, ids);
      else if (type === RECORD.ids) this.#collectIds(reader, ids);
      position += RECORD_HEADER_BYTES + buffer.readUInt32LE(position);
      if (copied > COPIED_BYTES) {
        copied = 0;
        await log.flush();
      }
      if (count % 64 === 0) await this.#pause();
    }
    for (const [sender, ofSender] of ids) {
      this.#hasCopied = true;
      log.batch.ids(sender, ofSender);
      copied += ofSender.length * ID_BYTES;
    }
    if (copied > 0) await log.flush();
  }

  /** @returns how many bytes were copied */
  #copyMail(reader: RecordReader, segment: Segment, shift: number, ids: Map<string, RememberedId[]>): number {
    const record = readMail(reader);
    const mail = this.#context.table.mails.get(record.seq);
    if (mail?.segment === segment.number && mail.offset === record.frameStart + shift) {
      this.#hasCopied = true;
      this.#context.log.batch.keep(mail, reader.buffer.subarray(record.frameStart, record.frameStart + record.sizeBytes));
      return record.sizeBytes;
    }
    // a message that lives elsewhere brings its id along
    if (mail === undefined) {
      const hash = this.#context.ids.hashOf(record.msgId);
      this.#collectId(record.fromClientId, { hash, seq: record.seq, storedAtMs: record.storedAtMs }, ids);
    }
    return 0;
  }

  #collectIds(reader: RecordReader, ids: Map<string, RememberedId[]>): void {
    const sender = reader.clientId();
    for (const id of readIds(reader)) this.#collectId(sender, id, ids);
  }

  #collectId(sender: string, id: RememberedId, ids: Map<string, RememberedId[]>): void {
    if (!this.#context.ids.holds(sender, id.hash, id.seq, steadyNowMs())) return;
    const ofSender = ids.get(sender);
    if (ofSender === undefined) ids.set(sender, [id]);
    else ofSender.push(id);
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
