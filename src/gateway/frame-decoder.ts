import { isAscii } from 'node:buffer';
import { decodeEnvelope, type CommMsgType, type DecodeOptions, type Envelope } from '../protocol/index.js';
import { PLAIN_FRAME_BYTES, readPlainFrame, readPlainMsgId, readPlainRest, type PlainFrame } from './plain-frame.js';

/**
 * Decodes a text frame, whose UTF-8 the WebSocket has checked already, as cheaply as routing allows.
 *
 * Small plain frames are only read for who speaks to whom. Other frames are parsed with their bytes taken as Latin-1,
 * which costs a copy in place of a conversion. For ASCII that is exact. In other frames every character JSON cares about
 * is ASCII too, so what is valid, and which members there are, comes out the same; only characters beyond ASCII come
 * out wrong. They are almost always in the content, which most messages pass through the hub unread: a string there is
 * decoded when somebody asks for it. Wherever else they might be, the frame is decoded as UTF-8 at once.
 *
 * @throws CrossCommError as `decodeEnvelope`
 */
export function decodeTextFrame(frame: Buffer, options: DecodeOptions): Envelope {
  const text = frame.toString('latin1');
  const plain = text.length <= PLAIN_FRAME_BYTES ? readPlainFrame(text) : undefined;
  if (plain !== undefined && (options.allowExt || !plain.asksLive)) return new LazyEnvelope(frame, text, plain);
  if (isAscii(frame)) return decodeEnvelope(text, options);
  const sketch = trySketch(text, options);
  return sketch === undefined ? decodeEnvelope(frame.toString('utf8'), options) : new LazyEnvelope(frame, undefined, { ...sketch, asksLive: false });
}

/** The frame read as Latin-1, when everything but a content string is known to be right. */
function trySketch(text: string, options: DecodeOptions): Envelope | undefined {
  try {
    const sketch = decodeEnvelope(text, options);
    const { fromClientId, toClientId, content, ossKey, ext } = sketch;
    const isRight = typeof content === 'string' && ossKey === null && ext === undefined && isPlain(fromClientId) && isPlain(toClientId);
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

/** The `ext` of live messages to one client. */
const LIVE = Object.freeze({ delivery: 'live' });

/** An envelope of which only the addresses are decoded; the rest follows when it is first asked for. */
class LazyEnvelope implements Envelope {
  readonly fromClientId: string;
  readonly toClientId: string;
  readonly msgType: CommMsgType;
  readonly ossKey = null;
  readonly ext: Envelope['ext'];
  readonly #frame: Buffer;
  /** The text of a plain frame; undefined for another one, and when it was read. */
  #text: string | undefined;
  #msgId: string | undefined;
  #rest: Pick<Envelope, 'content' | 'timestamp'> | undefined;

  constructor(frame: Buffer, text: string | undefined, { fromClientId, toClientId, msgType, asksLive }: PlainFrame) {
    this.fromClientId = fromClientId;
    this.toClientId = toClientId;
    this.msgType = msgType;
    this.ext = asksLive ? LIVE : undefined;
    this.#frame = frame;
    this.#text = text;
  }

  get msgId(): string {
    if (this.#msgId === undefined) {
      if (this.#text === undefined) this.#decode();
      else this.#msgId = readPlainMsgId(this.#text, this.#frame);
    }
    return this.#msgId as string;
  }

  get content(): unknown {
    return (this.#rest ?? this.#decode()).content;
  }

  get timestamp(): number {
    return (this.#rest ?? this.#decode()).timestamp;
  }

  #decode(): Pick<Envelope, 'content' | 'timestamp'> {
    // what was accepted unread holds a string as content, so no limit applies to it
    if (this.#text === undefined) {
      const envelope = decodeEnvelope(this.#frame.toString('utf8'));
      this.#msgId = envelope.msgId;
      this.#rest = envelope;
    } else {
      this.#msgId ??= readPlainMsgId(this.#text, this.#frame);
      this.#rest = readPlainRest(this.#text);
      this.#text = undefined;
    }
    return this.#rest;
  }
}
