/** Reads what a RecordWriter wrote. Bounds were checked with the block's checksum. */
export class RecordReader {
  buffer: Buffer;
  position = 0;
  /** Client ids come again and again: each is kept once. */
  readonly #ids = new Map<string, string>();

  constructor(buffer: Buffer = Buffer.alloc(0)) {
    this.buffer = buffer;
  }

  byte(): number {
    return this.buffer[this.position++] ?? 0;
  }

  uint32(): number {
    const value = this.buffer.readUInt32LE(this.position);
    this.position += 4;
    return value;
  }

  number(): number {
    const value = this.buffer.readDoubleLE(this.position);
    this.position += 8;
    return value;
  }

  text(): string {
    const header = this.uint32();
    const start = this.position;
    const characters = header >>> 1;
    if ((header & 1) === 0) {
      this.position = start + characters;
      return this.buffer.toString('latin1', start, this.position);
    }
    this.position = start + characters * 2;
    return this.buffer.toString('utf16le', start, this.position);
  }

  /** A text that is probably known already. */
  clientId(): string {
    const id = this.text();
    const known = this.#ids.get(id);
    if (known !== undefined) return known;
    this.#ids.set(id, id);
    return id;
  }
}
