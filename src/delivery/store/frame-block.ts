/** Bytes with the frames of the messages of one commit: one piece of memory in place of one each. */
export class FrameBlock {
  /** Undefined when the frames are only on disk any more. */
  bytes: Buffer | undefined;
  /** Messages in it that are in a mailbox. */
  live: number;

  constructor(bytes: Buffer, live: number) {
    this.bytes = bytes;
    this.live = live;
  }
}
