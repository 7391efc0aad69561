import { crc32 } from 'node:zlib';
import type { NewMail, StoredMail } from './mail-store.js';

/** A message in memory, with the place of its frame on disk. */
export class Mail implements StoredMail {
  readonly seq: number;
  readonly fromClientId: string;
  readonly msgId: string;
  readonly receipt: StoredMail['receipt'];
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
  readonly sizeBytes: number;
  /** An array of one is never changed, but replaced. */
  recipients: string[];
  attempts: Map<string, number> | undefined = undefined;
  /** Where its frame is at hand. */
  block: FrameBlock | undefined = undefined;
  /** Where in the block it begins. */
  blockStart = 0;
  /** Where its id is remembered; 0: it is not. */
  idEntry = 0;
  /** Number of the segment that holds it durably; 0 until then. */
  segment = 0;
  /** Where in the segment its frame begins; until it is durable, where in its batch. */
  offset = 0;
  /** CRC-32 of its frame, once that is not at hand: who reads it from the disk compares. */
  checksum = 0;

  constructor(mail: Omit<NewMail, 'frame'>, sizeBytes: number) {
    this.seq = mail.seq;
    this.fromClientId = mail.fromClientId;
    this.msgId = mail.msgId;
    this.receipt = mail.receipt;
    this.storedAtMs = mail.storedAtMs;
    this.expiresAtMs = mail.expiresAtMs;
    this.sizeBytes = sizeBytes;
    this.recipients = mail.recipients;
  }

  get frame(): Buffer | undefined {
    return this.block?.bytes?.subarray(this.blockStart, this.blockStart + this.sizeBytes);
  }
}

/** Bytes with the frames of the messages of one commit: one piece of memory in place of one each. */
export class FrameBlock {
  /** Undefined when the frames are only on disk any more. */
  bytes: Buffer | undefined;
  /** The messages that were in it. */
  readonly mails: readonly Mail[];
  /** How many of them are in a mailbox. */
  live: number;

  constructor(bytes: Buffer, mails: readonly Mail[]) {
    this.bytes = bytes;
    this.mails = mails;
    this.live = mails.length;
  }
}

/** CRC-32 as a small integer, which takes no memory of its own. */
export function checksumOf(frame: Buffer): number {
  return crc32(frame) | 0;
}

/** A small fact, with the segment that holds it durably; 0 until then. */
export interface Fact {
  readonly key: string;
  value: string;
  segment: number;
}
