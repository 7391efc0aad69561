import { CrossCommError } from './cross-comm.error.js';
import type { Envelope } from './envelope.js';
import { PROTOCOL_LIMITS } from './limits.js';
import { roleOf, type CommMsgType } from './message-type.js';
import { parsePythonJson } from './python-json.js';

/** How {@link decodeEnvelope} judges a frame. */
export interface DecodeOptions {
  /** Objects and arrays inside each other in the content. Default 128. */
  readonly maxNestingDepth?: number;
  /** Whether the sender announced protocol 2 and may use the key `ext`. Default false. */
  readonly allowExt?: boolean;
}

interface WireEnvelope {
  msg_id: unknown;
  from_client_id: unknown;
  to_client_id: unknown;
  msg_type: unknown;
  content: unknown;
  timestamp: unknown;
  oss_key?: unknown;
  ext?: unknown;
}

const REQUIRED = ['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp'];

/**
 * Decodes one frame's text. Strict JSON first; text that only Python accepts (bare `NaN`, `Infinity`) second.
 *
 * @throws CrossCommError `CC_INVALID_FRAME`, `CC_INVALID_ENVELOPE`, `CC_UNKNOWN_KEY`, `CC_UNKNOWN_TYPE`, `CC_TOO_DEEP`;
 *   `data.msgId` names the message when it could be read
 */
export function decodeEnvelope(text: string, options: DecodeOptions = {}): Envelope {
  const maxDepth = options.maxNestingDepth ?? PROTOCOL_LIMITS.maxNestingDepth;
  const wire = parseObject(text, maxDepth);
  let required = 0;
  for (const key in wire) {
    if (isDeeperThan(wire[key as keyof WireEnvelope], maxDepth)) throw refusal('CC_TOO_DEEP', wire, `The limit is ${maxDepth}.`);
    if (REQUIRED.includes(key)) required++;
    // without the announcement `ext` is a key like any other
    else if (key !== 'oss_key' && !(key === 'ext' && options.allowExt)) throw refusal('CC_UNKNOWN_KEY', wire, `The key is ${quote(key)}.`);
  }
  if (required !== REQUIRED.length)
    throw refusal('CC_INVALID_ENVELOPE', wire, `${REQUIRED.find((key) => !Object.hasOwn(wire, key))} is missing.`);
  const { msg_id, from_client_id, to_client_id, msg_type, content, timestamp, oss_key, ext } = wire;
  if (typeof msg_type !== 'string' || roleOf(msg_type) === undefined)
    throw refusal('CC_UNKNOWN_TYPE', wire, `The type is ${quote(msg_type)}.`);
  if (typeof from_client_id !== 'string' || typeof to_client_id !== 'string')
    throw refusal('CC_INVALID_ENVELOPE', wire, `${typeof from_client_id === 'string' ? 'to' : 'from'}_client_id is not a string.`);
  const envelope: Envelope = {
    msgId: typeof msg_id === 'string' ? msg_id : JSON.stringify(msg_id),
    fromClientId: from_client_id,
    toClientId: to_client_id,
    msgType: msg_type as CommMsgType,
    content,
    timestamp: typeof timestamp === 'number' ? timestamp : 0,
    ossKey: typeof oss_key === 'string' ? oss_key : null,
  };
  if (ext === undefined) return envelope;
  if (typeof ext !== 'object' || ext === null || Array.isArray(ext))
    throw refusal('CC_INVALID_ENVELOPE', wire, 'ext is not an object.');
  return { ...envelope, ext: ext as Record<string, unknown> };
}

/** Encodes an envelope as one frame's text: the seven keys, and `ext` only when it is there. */
export function encodeEnvelope(envelope: Envelope): string {
  const wire: WireEnvelope = {
    msg_id: envelope.msgId,
    from_client_id: envelope.fromClientId,
    to_client_id: envelope.toClientId,
    msg_type: envelope.msgType,
    content: envelope.content ?? null,
    timestamp: envelope.timestamp,
    oss_key: envelope.ossKey,
    // JSON leaves it out when there is none
    ext: envelope.ext,
  };
  return JSON.stringify(wire);
}

function parseObject(text: string, maxDepth: number): WireEnvelope {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // not JSON for V8; Python's own spelling of NaN and Infinity is still a valid frame
    value = parsePythonJson(text, maxDepth + 1);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CrossCommError('CC_INVALID_FRAME', 'It is not an object.');
  return value as WireEnvelope;
}

function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (limit === 0) return true;
  for (const key in value) if (isDeeperThan((value as Record<string, unknown>)[key], limit - 1)) return true;
  return false;
}

function refusal(code: 'CC_INVALID_ENVELOPE' | 'CC_UNKNOWN_KEY' | 'CC_UNKNOWN_TYPE' | 'CC_TOO_DEEP', wire: WireEnvelope, detail: string): CrossCommError {
  return new CrossCommError(code, { detail, data: typeof wire.msg_id === 'string' ? { msgId: wire.msg_id.slice(0, 256) } : undefined });
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
