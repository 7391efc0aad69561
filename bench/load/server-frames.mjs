// @ts-check

/** Cuts what a server sends into the payloads of its text frames. */
export class ServerFrames {
  /** @type {Buffer | undefined} */
  #tail;
  #onPayload;

  /** @param {(bytes: Buffer, start: number, end: number) => void} onPayload the bytes may be written over after the call */
  constructor(onPayload) {
    this.#onPayload = onPayload;
  }

  /**
   * @param {Buffer} chunk
   * @param {number} length bytes of it that count
   */
  push(chunk, length) {
    let bytes = chunk;
    let end = length;
    if (this.#tail !== undefined) {
      bytes = Buffer.concat([this.#tail, chunk.subarray(0, length)]);
      end = bytes.length;
      this.#tail = undefined;
    }
    let at = 0;
    while (at < end) {
      const left = end - at;
      if (left < 4) break;
      const second = /** @type {number} */ (bytes[at + 1]);
      if (bytes[at] !== 0x81 || second > 126) throw new Error(`A foreign frame arrived: ${bytes.subarray(at, at + 300).toString('latin1')}`);
      const head = second < 126 ? 2 : 4;
      const size = second < 126 ? second : bytes.readUInt16BE(at + 2);
      if (left < head + size) break;
      this.#onPayload(bytes, at + head, at + head + size);
      at += head + size;
    }
    if (at < end) this.#tail = Buffer.from(bytes.subarray(at, end));
  }
}
