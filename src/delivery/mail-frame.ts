import { OutboundMessage, type FrameSource } from '../clients/index.js';
import { decodeEnvelope, removeTopLevelMember, type Envelope } from '../protocol/index.js';

const SPACE = new Set([0x20, 0x09, 0x0a, 0x0d]);
const CLOSING_BRACE = 0x7d;
const ZERO = 0x30;

/** A message as it came in. */
export interface ReceivedMessage {
  readonly envelope: Envelope;
  /** As UTF-8 text. */
  readonly frame: Buffer;
}

/**
 * The message without what only the hub may say in `ext`: who forged a sequence number could make a receiver confirm
 * mail that it never saw.
 */
export function withoutHubWords(message: ReceivedMessage): ReceivedMessage {
  const { envelope, frame } = message;
  if (envelope.ext === undefined || !('seq' in envelope.ext || 'attempt' in envelope.ext)) return message;
  const { seq: _seq, attempt: _attempt, ...ext } = envelope.ext;
  // one by one: an envelope may make some members only when it is asked
  const { msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey } = envelope;
  return { envelope: { msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey, ext }, frame: withExt(withoutExt(frame), JSON.stringify(ext)) };
}

/**
 * The sender's own bytes with `ext.seq` added: what a receiver that confirms gets. The sender's `ext` is kept.
 *
 * @param frame a valid frame as UTF-8 text
 */
export function mailFrame({ ext }: Envelope, frame: Buffer, seq: number): FrameSource {
  return ext === undefined ? new NumberedFrame(frame, seq) : withExt(withoutExt(frame), JSON.stringify({ ...ext, seq }));
}

const SEQ_MEMBER = Buffer.from(', "ext": {"seq": ');

/** A frame without `ext` that gets one with its number, put together where it is needed. */
class NumberedFrame implements FrameSource {
  readonly length: number;
  readonly #frame: Buffer;
  readonly #seq: number;
  /** Bytes of the frame that stay. */
  readonly #headBytes: number;

  constructor(frame: Buffer, seq: number) {
    this.#frame = frame;
    this.#seq = seq;
    this.#headBytes = endOfMembers(frame);
    let digits = 1;
    for (let left = seq; left >= 10; left = Math.floor(left / 10)) digits++;
    this.length = this.#headBytes + SEQ_MEMBER.length + digits + 2;
  }

  copy(target: Buffer, at: number): void {
    const frame = this.#frame;
    // all of it where there is room: a part would be one more object, and what is too much is written over
    target.set(frame.length <= this.length ? frame : frame.subarray(0, this.#headBytes), at);
    let end = at + this.length;
    target[--end] = CLOSING_BRACE;
    target[--end] = CLOSING_BRACE;
    let left = this.#seq;
    do {
      target[--end] = ZERO + (left % 10);
      left = Math.floor(left / 10);
    } while (left > 0);
    for (let index = SEQ_MEMBER.length; index > 0; ) target[--end] = SEQ_MEMBER[--index] as number;
  }
}

/** Stands for what the frame says; that it has an `ext` matters, which old clients must not see. */
const MAIL: Envelope = { msgId: '', fromClientId: '', toClientId: '', msgType: 'text', content: null, timestamp: 0, ossKey: null, ext: {} };

/** A frame of {@link mailFrame} as connections take it. */
export function outboundMail(frame: FrameSource): OutboundMessage {
  return new OutboundMessage(MAIL, frame);
}

/** A stored frame on its way to a receiver that rejected it before. @param attempt how often it is sent with this time */
export function redeliveryFrame(frame: Buffer, attempt: number): Buffer {
  const { ext } = decodeEnvelope(frame.toString('utf8'), { allowExt: true, maxNestingDepth: Infinity });
  return withExt(withoutExt(frame), JSON.stringify({ ...ext, attempt }));
}

function withoutExt(frame: Buffer): Buffer {
  return Buffer.from(removeTopLevelMember(frame.toString('utf8'), 'ext'));
}

/** The frame with one more member, which is its last. */
function withExt(frame: Buffer, ext: string): Buffer {
  const end = endOfMembers(frame);
  const tail = `, "ext": ${ext}}`;
  const result = Buffer.allocUnsafe(end + Buffer.byteLength(tail));
  frame.copy(result, 0, 0, end);
  result.write(tail, end, 'utf8');
  return result;
}

/** Where the closing brace of a JSON object stands. */
function endOfMembers(frame: Buffer): number {
  let end = frame.length - 1;
  while (SPACE.has(frame[end] as number)) end--;
  if (frame[end] !== CLOSING_BRACE) throw new TypeError('The frame is no JSON object.');
  return end;
}
