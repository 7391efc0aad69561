import type { FrameSource } from '../../clients/index.js';

/** Writes records one behind the other into a buffer that grows; the first bytes are left free for a header. */
export class RecordWriter {
  buffer: Buffer;
  length: number;
  readonly #start: number;

  /** @param headerBytes left free at the start */
  constructor(headerBytes: number, capacity = 64 * 1024) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(headerBytes, capacity));
    this.#start = headerBytes;
    this.length = headerBytes;
  }

  get isEmpty(): boolean {
    return this.length === this.#start;
  }

  clear(): void {
    this.length = this.#start;
  }

  /** Starts a record. @returns what {@link end} wants */
  begin(type: number): number {
    this.#reserve(5);
    const start = this.length;
    this.buffer[start + 4] = type;
    this.length = start + 5;
    return start;
  }

  /** Ends a record by writing its length in front of it. */
  end(start: number): void {
    this.buffer.writeUInt32LE(this.length - start - 5, start);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.buffer[this.length++] = value;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.length = this.buffer.writeUInt32LE(value, this.length);
  }

  number(value: number): void {
    this.#reserve(8);
    this.length = this.buffer.writeDoubleLE(value, this.length);
  }

  /** One byte per character, or two when it has characters beyond Latin-1: exact for every string, lone surrogates too. */
  text(value: string): void {
    const characters = value.length;
    this.#reserve(4 + 2 * characters);
    const { buffer } = this;
    const start = this.length + 4;
    for (let index = 0; index < characters; index++) {
      const code = value.charCodeAt(index);
      if (code > 255) {
        this.#wideText(value);
        return;
      }
      buffer[start + index] = code;
    }
    buffer.writeUInt32LE(characters * 2, this.length);
    this.length = start + characters;
  }

  bytes(value: FrameSource): void {
    this.#reserve(value.length);
    value.copy(this.buffer, this.length);
    this.length += value.length;
  }

  /** What was written so far. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.length);
    this.buffer.copy(copy, 0, 0, this.length);
    return copy;
  }

  #wideText(value: string): void {
    this.buffer.writeUInt32LE(value.length * 2 + 1, this.length);
    this.length += 4 + this.buffer.write(value, this.length + 4, 'utf16le');
  }

  #reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
