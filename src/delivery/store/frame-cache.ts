import { checksumOf, type FrameBlock } from './mail.js';

/** Frames of the last commits, up to a number of bytes; the oldest are given up. */
export class FrameCache {
  readonly #maxBytes: number;
  /** In the order in which they came. */
  readonly #blocks = new Set<FrameBlock>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Called once per block, which holds its frames. */
  add(block: FrameBlock): void {
    const { bytes } = block;
    if (bytes === undefined) return;
    this.#blocks.add(block);
    this.#bytes += bytes.length;
    while (this.#bytes > this.#maxBytes) this.#drop(this.#blocks.values().next().value as FrameBlock);
  }

  /** One of its messages is in no mailbox any more, and needs no frame. */
  leave(block: FrameBlock): void {
    if (--block.live === 0) this.#drop(block);
  }

  #drop(block: FrameBlock): void {
    if (this.#blocks.delete(block)) this.#bytes -= block.bytes?.length ?? 0;
    // of those that are still in a mailbox
    for (const mail of block.mails) if (mail.block === block && mail.storedFrame !== undefined) mail.checksum = checksumOf(mail.storedFrame);
    block.bytes = undefined;
    // what the block's own places leave behind must not keep them
    block.mails.length = 0;
  }
}
