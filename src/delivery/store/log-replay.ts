import { steadyNowMs } from '../../clients/index.js';
import { CrossCommError } from '../../protocol/index.js';
import type { DuplicateIds } from './duplicate-ids.js';
import { checksumOf, Mail } from './mail.js';
import type { MailTable } from './mail-table.js';
import { RecordReader } from './record-reader.js';
import { readIds, readLife, readMail, RECORD, RECORD_HEADER_BYTES, type Life } from './record.js';

/** Carries out recorded blocks again. The same record twice does no harm. */
export class LogReplay {
  readonly #table: MailTable;
  readonly #ids: DuplicateIds;
  readonly #reader = new RecordReader();
  readonly #nowMs = steadyNowMs();
  life: Life | undefined;
  /** Segment of the last life record. */
  lifeSegment = 0;
  maxSeq = 0;

  constructor(table: MailTable, ids: DuplicateIds) {
    this.#table = table;
    this.#ids = ids;
  }

  /**
   * @param offset where in the segment the records begin
   * @throws CrossCommError `CC_STORE_FAILED` when a newer version wrote them
   */
  applyBlock(buffer: Buffer, start: number, end: number, segment: number, offset: number): void {
    const reader = this.#reader;
    reader.buffer = buffer;
    for (let position = start; position < end; ) {
      const next = position + RECORD_HEADER_BYTES + buffer.readUInt32LE(position);
      reader.position = position + RECORD_HEADER_BYTES;
      this.#apply(buffer[position + 4] ?? 0, segment, offset - start);
      position = next;
    }
  }

  #apply(type: number, segment: number, shift: number): void {
    const reader = this.#reader;
    switch (type) {
      case RECORD.mail:
      case RECORD.keptMail:
        this.#applyMail(segment, shift);
        return;
      case RECORD.remove: {
        const recipient = reader.clientId();
        for (let left = reader.uint32(); left > 0; left--) this.#table.remove(recipient, reader.number());
        return;
      }
      case RECORD.attempt: {
        const recipient = reader.clientId();
        const mail = this.#table.mails.get(reader.number());
        const count = reader.uint32();
        if (mail?.recipients.includes(recipient) === true) this.#table.setAttempts(mail, recipient, count);
        return;
      }
      case RECORD.move:
        this.#table.move(reader.number(), reader.clientId(), reader.clientId());
        return;
      case RECORD.setFact: {
        const key = reader.text();
        this.#table.setFact(key, reader.text());
        const fact = this.#table.facts.get(key);
        if (fact !== undefined) fact.segment = segment;
        return;
      }
      case RECORD.forgetFact:
        this.#table.forgetFact(reader.text());
        return;
      case RECORD.ids: {
        const sender = reader.clientId();
        for (const { hash, seq, storedAtMs } of readIds(reader)) {
          this.#ids.place(this.#ids.rememberHash(sender, hash, seq, storedAtMs, this.#nowMs), seq, segment);
          this.maxSeq = Math.max(this.maxSeq, seq);
        }
        return;
      }
      case RECORD.life:
        this.life = readLife(reader);
        this.lifeSegment = segment;
        return;
      default:
        throw new CrossCommError('CC_STORE_FAILED', `The store was written by a newer version (record ${type}).`);
    }
  }

  #applyMail(segment: number, shift: number): void {
    const record = readMail(this.#reader);
    const mail = new Mail(record, record.sizeBytes, undefined);
    mail.attempts = record.attempts;
    mail.segment = segment;
    mail.offset = record.frameStart + shift;
    mail.checksum = checksumOf(this.#reader.buffer.subarray(record.frameStart, record.frameStart + record.sizeBytes));
    this.maxSeq = Math.max(this.maxSeq, mail.seq);
    this.#table.add(mail);
    mail.idEntry = this.#ids.remember(mail.fromClientId, mail.msgId, mail.seq, mail.storedAtMs, this.#nowMs);
    this.#ids.place(mail.idEntry, mail.seq, segment);
  }
}
