import { checksumOf, FrameBlock, type Mail } from './mail.js';
import type { FrameSource } from './mail-store.js';

/** Bytes of a block, unless one frame has more. */
const BLOCK_BYTES = 64 * 1024;

/** The frames of the last messages, up to a number of bytes; the oldest are given up. */
export class FrameCache {
  readonly #maxBytes: number;
  /** In the order in which they came. */
  readonly #blocks = new Set<FrameBlock>();
  /** The one that takes new messages. */
  #newest: FrameBlock | undefined;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Puts the frame of a new message together. */
  add(mail: Mail, frame: FrameSource): void {
    if (this.#newest?.add(mail, frame) !== true) this.#begin(frame.length).add(mail, frame);
  }

  /** Gives up the oldest blocks. @param settledSeq number of the last message whose frame is on disk, or is not needed there */
  shrink(settledSeq: number): void {
    for (const block of this.#blocks) {
      if (this.#bytes <= this.#maxBytes || (block.mails.at(-1)?.seq ?? 0) > settledSeq) return;
      this.#drop(block);
    }
  }

  /** A message is in no mailbox any more, and needs no frame. */
  leave(mail: Mail): void {
    const { block } = mail;
    mail.block = undefined;
    if (block !== undefined && --block.live === 0 && block !== this.#newest) this.#drop(block);
  }

  #begin(needed: number): FrameBlock {
    const before = this.#newest;
    const block = new FrameBlock(Math.max(BLOCK_BYTES, needed));
    this.#newest = block;
    this.#blocks.add(block);
    this.#bytes += block.bytes?.length ?? 0;
    if (before?.live === 0) this.#drop(before);
    return block;
  }

  #drop(block: FrameBlock): void {
    if (this.#newest === block) this.#newest = undefined;
    this.#blocks.delete(block);
    this.#bytes -= block.bytes?.length ?? 0;
    // of those that are still in a mailbox
    for (const mail of block.mails) if (mail.block === block && mail.frame !== undefined) mail.checksum = checksumOf(mail.frame);
    block.bytes = undefined;
    // what the block's own places leave behind must not keep them
    block.mails.length = 0;
  }
}
