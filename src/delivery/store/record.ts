import type { FrameSource } from '../../clients/index.js';
import type { Mail } from './mail.js';
import type { NewMail, StoredMail } from './mail-store.js';
import type { RecordReader } from './record-reader.js';
import type { RecordWriter } from './record-writer.js';

/** Kinds of records. On disk: numbers are never reused. */
export const RECORD = { mail: 1, keptMail: 2, remove: 3, attempt: 4, move: 5, setFact: 6, forgetFact: 7, ids: 8, life: 9 } as const;

/** Bytes of a record's length and kind. */
export const RECORD_HEADER_BYTES = 5;

/** Bytes of one id in an ids record. */
export const ID_BYTES = 28;

/** An id as it is written again when the segment with its message goes. */
export interface RememberedId {
  readonly hash: readonly [number, number, number];
  readonly seq: number;
  readonly storedAtMs: number;
}

/** A message as it was read. */
export interface MailRecord extends Omit<NewMail, 'frame' | 'recipients'> {
  readonly recipients: string[];
  readonly storedAtMs: number;
  readonly attempts: Map<string, number> | undefined;
  readonly frameStart: number;
  readonly sizeBytes: number;
}

const RECEIPTS: readonly StoredMail['receipt'][] = [undefined, 'delivered', 'processed'];

/** @returns where the frame begins in the writer's buffer */
export function writeMail(writer: RecordWriter, type: 1 | 2, mail: Mail, frame: FrameSource): number {
  const start = writer.begin(type);
  writer.byte(RECEIPTS.indexOf(mail.receipt));
  writer.number(mail.seq);
  writer.number(mail.storedAtMs);
  writer.number(mail.expiresAtMs);
  writer.text(mail.fromClientId);
  writer.text(mail.msgId);
  const { recipients } = mail;
  writer.uint32(recipients.length);
  for (let index = 0; index < recipients.length; index++) writer.text(recipients[index] as string);
  writer.uint32(mail.attempts?.size ?? 0);
  if (mail.attempts !== undefined)
    for (const [recipient, count] of mail.attempts) {
      writer.text(recipient);
      writer.uint32(count);
    }
  writer.uint32(frame.length);
  const frameStart = writer.length;
  writer.bytes(frame);
  writer.end(start);
  return frameStart;
}

/** Reads the body of a mail record. */
export function readMail(reader: RecordReader): MailRecord {
  const receipt = RECEIPTS[reader.byte()];
  const seq = reader.number();
  const storedAtMs = reader.number();
  const expiresAtMs = reader.number();
  const fromClientId = reader.clientId();
  const msgId = reader.text();
  // an array that grew would keep room for more
  const count = reader.uint32();
  const recipients = count === 1 ? [reader.clientId()] : Array.from({ length: count }, () => reader.clientId());
  let attempts: Map<string, number> | undefined;
  for (let left = reader.uint32(); left > 0; left--) {
    attempts ??= new Map();
    attempts.set(reader.clientId(), reader.uint32());
  }
  const sizeBytes = reader.uint32();
  return { seq, fromClientId, msgId, receipt, storedAtMs, expiresAtMs, recipients, attempts, frameStart: reader.position, sizeBytes };
}

/** Takes messages out of a mailbox. */
export function writeRemove(writer: RecordWriter, recipient: string, seqs: readonly number[]): void {
  const start = writer.begin(RECORD.remove);
  writer.text(recipient);
  writer.uint32(seqs.length);
  for (const seq of seqs) writer.number(seq);
  writer.end(start);
}

/** Says how many negative confirmations there are now. */
export function writeAttempt(writer: RecordWriter, recipient: string, seq: number, count: number): void {
  const start = writer.begin(RECORD.attempt);
  writer.text(recipient);
  writer.number(seq);
  writer.uint32(count);
  writer.end(start);
}

/** Puts a message from one mailbox into another. */
export function writeMove(writer: RecordWriter, seq: number, from: string, to: string): void {
  const start = writer.begin(RECORD.move);
  writer.number(seq);
  writer.text(from);
  writer.text(to);
  writer.end(start);
}

/** Sets or forgets a fact. */
export function writeFact(writer: RecordWriter, key: string, value: string | undefined): void {
  const start = writer.begin(value === undefined ? RECORD.forgetFact : RECORD.setFact);
  writer.text(key);
  if (value !== undefined) writer.text(value);
  writer.end(start);
}

/** Ids of one sender, whose messages are gone. */
export function writeIds(writer: RecordWriter, fromClientId: string, ids: readonly RememberedId[]): void {
  const start = beginIds(writer, fromClientId, ids.length);
  for (const { hash, seq, storedAtMs } of ids) {
    for (const part of hash) writer.uint32(part);
    writer.number(seq);
    writer.number(storedAtMs);
  }
  writer.end(start);
}

/** Begins an ids record; hash, number and time of each follow. @returns what ends it */
export function beginIds(writer: RecordWriter, fromClientId: string, count: number): number {
  const start = writer.begin(RECORD.ids);
  writer.text(fromClientId);
  writer.uint32(count);
  return start;
}

/** Reads the body of an ids record, behind the sender. */
export function readIds(reader: RecordReader): RememberedId[] {
  const ids: RememberedId[] = [];
  for (let left = reader.uint32(); left > 0; left--)
    ids.push({ hash: [reader.uint32(), reader.uint32(), reader.uint32()], seq: reader.number(), storedAtMs: reader.number() });
  return ids;
}

/** What holds for the whole store. */
export interface Life {
  readonly epoch: string;
  /** All message numbers given out so far are below. */
  readonly reservedSeq: number;
  /** Numbers of segments whose predecessor is known to be lost. */
  readonly gaps: readonly number[];
}

/** What holds for the whole store from now on. */
export function writeLife(writer: RecordWriter, life: Life): void {
  const start = writer.begin(RECORD.life);
  writer.text(life.epoch);
  writer.number(life.reservedSeq);
  writer.uint32(life.gaps.length);
  for (const gap of life.gaps) writer.uint32(gap);
  writer.end(start);
}

/** Reads the body of a life record. */
export function readLife(reader: RecordReader): Life {
  const life = { epoch: reader.text(), reservedSeq: reader.number(), gaps: [] as number[] };
  for (let left = reader.uint32(); left > 0; left--) life.gaps.push(reader.uint32());
  return life;
}
