import type { FrameSource } from '../../clients/index.js';
import { BLOCK_HEADER_BYTES } from './block.js';
import { FrameBlock, type Fact, type Mail, type MailWriter } from './mail.js';
import type { DuplicateIds, PlacedId } from './duplicate-ids.js';
import type { StoredMail } from './mail-store.js';
import { RECORD, RECORD_HEADER_BYTES, writeAttempt, writeFact, writeIds, writeLife, writeMail, writeMove, writeRemove, type Life } from './record.js';
import { RecordWriter } from './record-writer.js';

/** A copy of a message of an old segment. */
interface KeptMail {
  readonly mail: Mail;
  readonly offset: number;
}

/** Somebody who waits until a batch is durable. */
interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Estimate of what a new message takes on disk besides its frame and its id. */
const MAIL_OVERHEAD_BYTES = 128;

/**
 * What the next commit writes: one block, and what depends on it. New messages are written when it is sealed: of those
 * that have left their mailbox by then, only the id.
 */
export class Batch implements MailWriter {
  readonly writer: RecordWriter;
  /** Records in the writer. */
  count = 0;
  /** New messages; a gap for each that has left its mailbox. */
  #mails: (Mail | undefined)[] = [];
  #mailsWithoutGaps = 0;
  /** Where the ids of messages that are not written are remembered, each with its number. */
  readonly #leftIds: number[] = [];
  /** Ids that were written again. */
  readonly #placedIds: PlacedId[] = [];
  #kept: KeptMail[] = [];
  #facts: Fact[] = [];
  #waiters: Waiter[] = [];
  #hasLife = false;
  /** Bytes that new messages are going to take, by estimate. */
  #unwrittenBytes = 0;
  /** So many of its first messages can wait. */
  #patientMails = 0;
  /** Records that stand for new messages. */
  #mailRecords = 0;
  #isSealed = false;

  /** @param writer an empty one, whose buffer is used again */
  constructor(writer: RecordWriter = new RecordWriter(BLOCK_HEADER_BYTES)) {
    this.writer = writer;
  }

  get length(): number {
    return this.writer.length + this.#unwrittenBytes;
  }

  /**
   * Whether somebody waits for its end. Who was sent a message before it is stored may be done with it soon, and then it
   * need not be written.
   */
  get isUrgent(): boolean {
    while (this.#patientMails < this.#mails.length && this.#mails[this.#patientMails]?.wasShown !== false) this.#patientMails++;
    return this.#waiters.length > 0 || this.#patientMails < this.#mails.length;
  }

  /** New messages in it that were in their mailbox when it was sealed. */
  get mails(): readonly Mail[] {
    return this.#mails.filter((mail) => mail !== undefined);
  }

  /** How many messages it makes durable, or the ids of. */
  get mailCount(): number {
    return this.#mailsWithoutGaps + this.#leftIds.length / 2;
  }

  get isEmpty(): boolean {
    return this.count + this.mailCount === 0;
  }

  /** Whether nothing more may be recorded in it. */
  get isSealed(): boolean {
    return this.#isSealed;
  }

  /** Whether it holds nothing but new messages, which can be given back to their senders. */
  get isMailOnly(): boolean {
    return this.count === this.#mailRecords;
  }

  get hasLife(): boolean {
    return this.#hasLife;
  }

  /** @param mail with its frame at hand until it is sealed */
  put(mail: Mail): void {
    mail.batch = this;
    // until it has a better one
    mail.offset = this.#mails.length;
    this.#mails.push(mail);
    this.#mailsWithoutGaps++;
    this.#unwrittenBytes += mail.sizeBytes + MAIL_OVERHEAD_BYTES;
  }

  leave(mail: Mail): void {
    mail.batch = undefined;
    // only what it needs for its id is kept: most get here soon, and what is kept for long makes the garbage collector slow
    this.#mails[mail.offset] = undefined;
    this.#mailsWithoutGaps--;
    this.#unwrittenBytes -= mail.sizeBytes + MAIL_OVERHEAD_BYTES;
    this.keepId(mail);
  }

  /** A message is not written, but its id is. */
  keepId({ idEntry, seq }: Mail): void {
    this.#leftIds.push(idEntry, seq);
  }

  /** Writes its new messages. Nothing is recorded in it from now on. */
  seal(ids: DuplicateIds): void {
    const { count } = this;
    for (const mail of this.mails) {
      mail.batch = undefined;
      // at hand, because it is not on disk
      mail.offset = writeMail(this.writer, RECORD.mail, mail, mail.frame as FrameSource);
      this.count++;
    }
    this.count += ids.write(this.writer, this.#leftIds);
    this.#isSealed = true;
    this.#mailRecords = this.count - count;
    this.#unwrittenBytes = 0;
  }

  /** Copies a message, as it is now, out of a segment that is to go. */
  keep(mail: Mail, frame: Buffer): void {
    this.#kept.push({ mail, offset: writeMail(this.writer, RECORD.keptMail, mail, frame) });
    this.count++;
  }

  remove(recipient: string, seqs: readonly number[]): void {
    writeRemove(this.writer, recipient, seqs);
    this.count++;
  }

  attempt(recipient: string, seq: number, count: number): void {
    writeAttempt(this.writer, recipient, seq, count);
    this.count++;
  }

  move(seq: number, from: string, to: string): void {
    writeMove(this.writer, seq, from, to);
    this.count++;
  }

  setFact(fact: Fact): void {
    writeFact(this.writer, fact.key, fact.value);
    this.#facts.push(fact);
    this.count++;
  }

  forgetFact(key: string): void {
    writeFact(this.writer, key, undefined);
    this.count++;
  }

  /** Writes ids again that were in a segment that is to go. */
  ids(fromClientId: StoredMail['fromClientId'], ids: readonly PlacedId[]): void {
    writeIds(this.writer, fromClientId, ids);
    this.#placedIds.push(...ids);
    this.count++;
  }

  life(life: Life): void {
    writeLife(this.writer, life);
    this.#hasLife = true;
    this.count++;
  }

  /** Resolves when it is durable. */
  whenDurable(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /**
   * It is durable: whatever it holds is found in this segment from now on.
   * @returns the frames of its messages that are in a mailbox; undefined when there are none
   */
  place(segment: number, offset: number, ids: DuplicateIds): FrameBlock | undefined {
    const { mails } = this;
    const waiting = mails.filter(({ recipients }) => recipients.length > 0);
    // a copy: what it was written in grows, and is used again
    const block = waiting.length === 0 ? undefined : new FrameBlock(this.writer.copy(), waiting);
    for (const mail of waiting) {
      mail.block = block;
      mail.blockStart = mail.offset;
      mail.source = undefined;
    }
    for (const mail of mails) {
      mail.segment = segment;
      mail.offset += offset;
      ids.place(mail.idEntry, mail.seq, segment);
    }
    for (let index = 0; index < this.#leftIds.length; index += 2) ids.place(this.#leftIds[index] ?? 0, this.#leftIds[index + 1] ?? 0, segment);
    for (const { entry, seq } of this.#placedIds) ids.place(entry, seq, segment);
    for (const kept of this.#kept) {
      kept.mail.segment = segment;
      kept.mail.offset = offset + kept.offset;
    }
    for (const fact of this.#facts) fact.segment = segment;
    return block;
  }

  /** Tells those who wait; an error means that it is not durable. */
  settle(error?: Error): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters)
      if (error === undefined) waiter.resolve();
      else waiter.reject(error);
  }

  /** Copies what must not get lost even when there is no space: all but messages in mailboxes and what cleaning wrote. */
  copyLastingTo(other: Batch): void {
    const { buffer, length } = this.writer;
    let position = BLOCK_HEADER_BYTES;
    while (position < length) {
      const type = buffer[position + 4];
      const end = position + RECORD_HEADER_BYTES + buffer.readUInt32LE(position);
      if (type !== RECORD.mail && type !== RECORD.keptMail && type !== RECORD.ids) {
        other.writer.bytes(buffer.subarray(position, end));
        other.count++;
      }
      position = end;
    }
    // one by one: of as many as there may be no list of arguments can be made
    for (const part of this.#leftIds) other.#leftIds.push(part);
    for (const mail of this.mails) if (mail.recipients.length === 0) other.keepId(mail);
    other.#facts.push(...this.#facts);
    other.#hasLife ||= this.#hasLife;
  }
}
