import { crc32 } from 'node:zlib';
import type { FrameSource, NewMail, StoredMail } from './mail-store.js';

/** What is going to write a message. */
export interface MailWriter {
  /** It has left its mailbox, and need not be written. */
  leave(mail: Mail): void;
}

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
  wasShown = false;
  /** Where its id is remembered; 0: it is not. */
  idEntry = 0;
  /** Number of the segment that holds it, or its id, durably; 0 until then. */
  segment = 0;
  /** Where in the segment its frame begins; until it is durable, where in its batch. */
  offset = 0;
  /** What is going to write it, while it has not. */
  batch: MailWriter | undefined = undefined;
  isRefused = false;
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

  get state(): StoredMail['state'] {
    if (this.segment > 0) return 'stored';
    return this.isRefused ? 'refused' : 'storing';
  }
}

/** Frames one behind the other: one piece of memory in place of one each. */
export class FrameBlock {
  /** Undefined when the frames are only on disk any more. */
  bytes: Buffer | undefined;
  /** The messages whose frames were put into it. */
  readonly mails: Mail[] = [];
  /** How many of them are in a mailbox. */
  live = 0;
  #length = 0;

  constructor(sizeBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Puts the frame of a message together, and the message in. @returns false when there is no room for it */
  add(mail: Mail, frame: FrameSource): boolean {
    const { bytes } = this;
    const start = this.#length;
    if (bytes === undefined || start + frame.length > bytes.length) return false;
    frame.copy(bytes, start);
    this.#length = start + frame.length;
    mail.block = this;
    mail.blockStart = start;
    this.mails.push(mail);
    this.live++;
    return true;
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
