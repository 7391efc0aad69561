import { bufferOf, type FrameSource } from '../clients/index.js';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Payloads larger than this are written as they are, beside their header, in place of being copied. */
const COPY_LIMIT_BYTES = 32 * 1024;

/**
 * Text frames waiting to be written, as a chain in which each link adds one payload to those before it.
 *
 * Connections that were sent the same messages in the same order stand at the same link, because a link remembers what
 * was appended to it last. So the frames of many broadcasts are put together once, whatever the number of receivers,
 * and each receiver is one write.
 */
export class FrameBatch {
  #next: FrameBatch | undefined;
  #chunks: readonly Buffer[] | undefined;

  private constructor(
    private readonly previous: FrameBatch | undefined,
    private readonly payload: FrameSource,
    /** Bytes of all frames up to here, headers included. */
    readonly sizeBytes: number,
  ) {}

  /** The empty beginning of new chains. */
  static start(): FrameBatch {
    return new FrameBatch(undefined, NO_BYTES, 0);
  }

  /** The link with one more payload behind this one. */
  append(payload: FrameSource): FrameBatch {
    const next = this.#next;
    if (next !== undefined && next.payload === payload) return next;
    return (this.#next = new FrameBatch(this, payload, this.sizeBytes + headerBytes(payload.length) + payload.length));
  }

  /** The frames as they are written, put together at the first call. */
  get chunks(): readonly Buffer[] {
    return (this.#chunks ??= this.#join());
  }

  static #payloadsUpTo(last: FrameBatch): FrameSource[] {
    const payloads: FrameSource[] = [];
    for (let link = last; link.previous !== undefined; link = link.previous) payloads.push(link.payload);
    return payloads.toReversed();
  }

  #join(): readonly Buffer[] {
    const payloads = FrameBatch.#payloadsUpTo(this);
    const chunks: Buffer[] = [];
    for (let from = 0; from < payloads.length; ) {
      // as many frames as fit one buffer; a large payload ends it and stands alone
      let bytes = 0;
      let to = from;
      let large: Buffer | undefined;
      for (; to < payloads.length && large === undefined; to++) {
        const payload = payloads[to] as FrameSource;
        bytes += headerBytes(payload.length);
        if (payload.length > COPY_LIMIT_BYTES) large = bufferOf(payload);
        else bytes += payload.length;
      }
      const joined = Buffer.allocUnsafe(bytes);
      let at = 0;
      for (; from < to; from++) {
        const payload = payloads[from] as FrameSource;
        at = writeTextHeader(joined, at, payload.length);
        if (payload.length > COPY_LIMIT_BYTES) break;
        if (payload instanceof Buffer) joined.set(payload, at);
        else payload.copy(joined, at);
        at += payload.length;
      }
      chunks.push(joined);
      if (large !== undefined) chunks.push(large);
      from = to;
    }
    return chunks;
  }
}

/** Bytes of the header of an unmasked frame (RFC 6455 section 5.2). */
function headerBytes(payloadBytes: number): number {
  return payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10;
}

/** Writes the header of an unfragmented, unmasked text frame; returns the offset behind it. */
function writeTextHeader(target: Buffer, at: number, payloadBytes: number): number {
  target[at] = 0x81;
  if (payloadBytes < 126) {
    target[at + 1] = payloadBytes;
    return at + 2;
  }
  if (payloadBytes < 65_536) {
    target[at + 1] = 126;
    return target.writeUInt16BE(payloadBytes, at + 2);
  }
  target[at + 1] = 127;
  target.writeUInt32BE(Math.floor(payloadBytes / 2 ** 32), at + 2);
  return target.writeUInt32BE(payloadBytes >>> 0, at + 6);
}
