import { isAscii } from 'node:buffer';
import { decodeEnvelope, type CommMsgType, type DecodeOptions, type Envelope } from '../protocol/index.js';

/**
 * Decodes a text frame, whose UTF-8 the WebSocket has checked already.
 *
 * Bytes are read as Latin-1, which costs a copy in place of a conversion. For ASCII that is exact. In other frames every
 * character JSON cares about is ASCII too, so what is valid, and which members there are, comes out the same; only
 * characters beyond ASCII come out wrong. They are almost always in the content, which most messages pass through the
 * hub unread: a string there is decoded when somebody asks for it. Wherever else they might be, the frame is decoded
 * as UTF-8 at once.
 *
 * @throws CrossCommError as `decodeEnvelope`
 */
export function decodeTextFrame(frame: Buffer, options: DecodeOptions): Envelope {
  if (isAscii(frame)) return decodeEnvelope(frame.toString('latin1'), options);
  const sketch = trySketch(frame, options);
  return sketch === undefined ? decodeEnvelope(frame.toString('utf8'), options) : new LazyEnvelope(sketch, frame);
}

/** The frame read as Latin-1, when everything but a content string is known to be right. */
function trySketch(frame: Buffer, options: DecodeOptions): Envelope | undefined {
  try {
    const sketch = decodeEnvelope(frame.toString('latin1'), options);
    const { msgId, fromClientId, toClientId, content, ossKey, ext } = sketch;
    const isRight = typeof content === 'string' && ossKey === null && ext === undefined && isPlain(msgId) && isPlain(fromClientId) && isPlain(toClientId);
    return isRight ? sketch : undefined;
  } catch {
    // refused either way; decoding it as UTF-8 says so in the right characters
    return undefined;
  }
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** An envelope whose content is decoded when it is first asked for. */
class LazyEnvelope implements Envelope {
  readonly msgId: string;
  readonly fromClientId: string;
  readonly toClientId: string;
  readonly msgType: CommMsgType;
  readonly timestamp: number;
  readonly ossKey = null;
  #content: unknown;
  #frame: Buffer | undefined;

  constructor(sketch: Envelope, frame: Buffer) {
    this.msgId = sketch.msgId;
    this.fromClientId = sketch.fromClientId;
    this.toClientId = sketch.toClientId;
    this.msgType = sketch.msgType;
    this.timestamp = sketch.timestamp;
    this.#frame = frame;
  }

  get content(): unknown {
    if (this.#frame !== undefined) {
      this.#content = decodeEnvelope(this.#frame.toString('utf8')).content;
      this.#frame = undefined;
    }
    return this.#content;
  }
}
