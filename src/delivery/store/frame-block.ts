import type { Mail } from './mail.js';

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
