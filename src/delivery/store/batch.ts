import { BLOCK_HEADER_BYTES } from './block.js';
import { FrameBlock, type Fact, type Mail } from './mail.js';
import type { PlacedId } from './duplicate-ids.js';
import type { FrameParts, StoredMail } from './mail-store.js';
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

/** What the next commit writes: one block, and what depends on it. */
export class Batch {
  readonly writer: RecordWriter;
  count = 0;
  /** New messages in it. */
  mails: Mail[] = [];
  /** Ids that were written again. */
  readonly placedIds: PlacedId[] = [];
  #kept: KeptMail[] = [];
  #facts: Fact[] = [];
  #waiters: Waiter[] = [];
  #hasLife = false;

  /** @param writer an empty one, whose buffer is used again */
  constructor(writer: RecordWriter = new RecordWriter(BLOCK_HEADER_BYTES)) {
    this.writer = writer;
  }

  get length(): number {
    return this.writer.length;
  }

  get hasLife(): boolean {
    return this.#hasLife;
  }

  put(mail: Mail, frame: FrameParts): void {
    mail.offset = writeMail(this.writer, RECORD.mail, mail, frame);
    this.mails.push(mail);
    this.count++;
  }

  /** Copies a message, as it is now, out of a segment that is to go. */
  keep(mail: Mail, frame: Buffer): void {
    this.#kept.push({ mail, offset: writeMail(this.writer, RECORD.keptMail, mail, { head: frame, headBytes: frame.length, tail: '' }) });
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
    this.placedIds.push(...ids);
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
   * @returns the frames of the new messages, until they are on their way; undefined when there are none
   */
  place(segment: number, offset: number): FrameBlock | undefined {
    const { mails } = this;
    // a copy: what it was written in grows, and is used again
    const block = mails.length === 0 ? undefined : new FrameBlock(this.writer.copy(), mails);
    for (let index = 0; index < mails.length; index++) {
      const mail = mails[index] as Mail;
      mail.segment = segment;
      mail.block = block;
      mail.blockStart = mail.offset;
      mail.offset += offset;
    }
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

  /** Copies what must not get lost even when there is no space: all but messages and what cleaning wrote. */
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
    other.#facts.push(...this.#facts);
    other.#hasLife ||= this.#hasLife;
  }
}
