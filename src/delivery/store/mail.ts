import { crc32 } from 'node:zlib';
import { bufferOf, type FrameSource } from '../../clients/index.js';
import type { NewMail, StoredMail } from './mail-store.js';

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
  /** Its frame until it is written. */
  source: FrameSource | undefined;
  /** Where its frame is at hand from then on. */
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

  /** @param source undefined when its frame is only on disk */
  constructor(mail: Omit<NewMail, 'frame'>, sizeBytes: number, source: FrameSource | undefined) {
    this.seq = mail.seq;
    this.fromClientId = mail.fromClientId;
    this.msgId = mail.msgId;
    this.receipt = mail.receipt;
    this.storedAtMs = mail.storedAtMs;
    this.expiresAtMs = mail.expiresAtMs;
    this.sizeBytes = sizeBytes;
    this.source = source;
    this.recipients = mail.recipients;
  }

  get frame(): FrameSource | undefined {
    return this.source ?? this.storedFrame;
  }

  ownFrame(): void {
    const { source } = this;
    // a buffer is a part of what was read, too
    if (source !== undefined) this.source = source instanceof Buffer ? Buffer.from(source) : bufferOf(source);
  }

  /** Out of the block. */
  get storedFrame(): Buffer | undefined {
    return this.block?.bytes?.subarray(this.blockStart, this.blockStart + this.sizeBytes);
  }

  get state(): StoredMail['state'] {
    if (this.segment > 0) return 'stored';
    return this.isRefused ? 'refused' : 'storing';
  }
}

/** Bytes with the frames of the messages of one commit: one piece of memory in place of one each. */
export class FrameBlock {
  /** Undefined when the frames are only on disk any more. */
  bytes: Buffer | undefined;
  /** The messages that are in a mailbox and in it. */
  readonly mails: Mail[];
  /** How many of them still are. */
  live: number;

  constructor(bytes: Buffer, mails: Mail[]) {
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
