import { encodeEnvelope, removeTopLevelMember, type Envelope } from '../protocol/index.js';

/** Bytes of a frame that are put together where they are written; a buffer is one. */
export interface FrameSource {
  /** In bytes. */
  readonly length: number;
  copy(target: Buffer, at: number): unknown;
}

/** The bytes in one piece. */
export function bufferOf(source: FrameSource): Buffer {
  if (source instanceof Buffer) return source;
  const buffer = Buffer.allocUnsafe(source.length);
  source.copy(buffer, 0);
  return buffer;
}

/**
 * One message on its way to one or many connections. Its bytes are made at most once per wire form, and where a
 * client's own frame is at hand, those bytes are what receivers get (wire facts 8.6: big integers, `1.0`, NaN,
 * escapes and size survive).
 */
export class OutboundMessage {
  readonly envelope: Envelope;
  #frame: FrameSource | undefined;
  #legacyFrame: Buffer | undefined;

  /** Whether it is a user's live message, which a receiver that does not read may miss, or make its sender wait for. */
  readonly isLive: boolean;

  /**
   * @param frame the sender's frame as UTF-8 text, when the message came in from a client
   * @param isLive see {@link isLive}; default false
   */
  constructor(envelope: Envelope, frame?: FrameSource, isLive = false) {
    this.envelope = envelope;
    this.#frame = frame;
    this.isLive = isLive;
  }

  /** UTF-8 text for connections that announced protocol 2. */
  get frame(): Buffer {
    const frame = bufferOf(this.source);
    this.#frame = frame;
    return frame;
  }

  /** The same, as it is at hand. */
  get source(): FrameSource {
    return (this.#frame ??= Buffer.from(encodeEnvelope(this.envelope)));
  }

  /** UTF-8 text for connections that announced nothing: exactly the seven keys, never `ext`. */
  get legacyFrame(): Buffer {
    if (this.envelope.ext === undefined) return this.frame;
    return (this.#legacyFrame ??= Buffer.from(removeTopLevelMember(this.frame.toString('utf8'), 'ext')));
  }
}
