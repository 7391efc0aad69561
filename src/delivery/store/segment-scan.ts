import { BLOCK_HEADER_BYTES, BLOCK_MAGIC, blockLength, isIntact } from './block.js';
import type { StoreFile } from './store-file-system.js';

/** What a segment turned out to be. */
export interface SegmentScan {
  /** End of its last good block. */
  readonly goodBytes: number;
  readonly sizeBytes: number;
  /** There are bad bytes with a good block behind them. */
  readonly isDamaged: boolean;
}

/**
 * Told each good block: the buffer that holds it, where its records begin and end in there, where in the file they
 * begin. The buffer is used again afterwards.
 */
export type OnBlock = (buffer: Buffer, start: number, end: number, offset: number) => Promise<void> | void;

const WINDOW_BYTES = 4 * 1024 * 1024;

/** Reads a segment block by block, past whatever is bad in it. */
export async function scanSegment(file: StoreFile, segment: number, onBlock: OnBlock): Promise<SegmentScan> {
  const window = new FileWindow(file, await file.size());
  let position = 0;
  let goodBytes = 0;
  let isDamaged = false;
  while (position < window.sizeBytes) {
    const length = await intactBlock(window, segment, position);
    if (length === 0) {
      position = await nextMagic(window, position + 1);
      continue;
    }
    isDamaged ||= position !== goodBytes;
    const at = window.indexOf(position);
    const waited = onBlock(window.buffer, at + BLOCK_HEADER_BYTES, at + length, position + BLOCK_HEADER_BYTES);
    if (waited !== undefined) await waited;
    position += length;
    goodBytes = position;
  }
  return { goodBytes, sizeBytes: window.sizeBytes, isDamaged };
}

/** @returns the length of the good block at `position`, or 0 */
async function intactBlock(window: FileWindow, segment: number, position: number): Promise<number> {
  if (!window.covers(position, BLOCK_HEADER_BYTES) && !(await window.fetch(position, BLOCK_HEADER_BYTES))) return 0;
  const length = blockLength(window.buffer, window.indexOf(position), segment, position);
  if (length === 0) return 0;
  if (!window.covers(position, length) && !(await window.fetch(position, length))) return 0;
  return isIntact(window.buffer, window.indexOf(position), length) ? length : 0;
}

/** @returns the next place at which a block may begin, or the end of the file */
async function nextMagic(window: FileWindow, from: number): Promise<number> {
  let position = from;
  while (window.covers(position, BLOCK_HEADER_BYTES) || (await window.fetch(position, BLOCK_HEADER_BYTES))) {
    const found = window.find(position, BLOCK_MAGIC);
    if (found >= 0) return found;
    position = Math.max(position + 1, window.end - BLOCK_MAGIC.length + 1);
  }
  return window.sizeBytes;
}

/** The part of a file that is in memory. */
class FileWindow {
  buffer: Buffer;
  readonly sizeBytes: number;
  readonly #file: StoreFile;
  #start = 0;
  #filled = 0;

  constructor(file: StoreFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.buffer = Buffer.allocUnsafeSlow(Math.min(sizeBytes, WINDOW_BYTES));
  }

  /** Where it ends in the file. */
  get end(): number {
    return this.#start + this.#filled;
  }

  indexOf(position: number): number {
    return position - this.#start;
  }

  covers(position: number, length: number): boolean {
    return position >= this.#start && position + length <= this.end;
  }

  /** Moves on to `position`. @returns false when the file ends before `length` bytes */
  async fetch(position: number, length: number): Promise<boolean> {
    if (position + length > this.sizeBytes) return false;
    if (length > this.buffer.length) this.buffer = Buffer.allocUnsafeSlow(length);
    this.#start = position;
    this.#filled = 0;
    const wanted = Math.min(this.buffer.length, this.sizeBytes - position);
    while (this.#filled < wanted) {
      const read = await this.#file.read(this.buffer, this.#filled, wanted - this.#filled, position + this.#filled);
      if (read === 0) break;
      this.#filled += read;
    }
    return this.#filled >= length;
  }

  find(position: number, bytes: Buffer): number {
    const found = this.buffer.subarray(0, this.#filled).indexOf(bytes, this.indexOf(position));
    return found < 0 ? -1 : this.#start + found;
  }
}
