import { CrossCommError } from './cross-comm.error.js';
import { PROTOCOL_LIMITS } from './limits.js';

/** Addressee of a broadcast. */
export const BROADCAST_ID = 'all';
/** The hub itself, as sender and as addressee of control messages. */
export const SERVER_ID = 'server';
/** What `to_client_id` begins with when it names a group; no client id begins so. */
export const GROUP_PREFIX = 'group:';

const CONTROL = /\p{Cc}/u;
/** Half of a pair: no UTF-8, so neither a file name nor a part of a URL. */
export const LONE_SURROGATE = /\p{Cs}/u;

/** Bytes that a string takes in UTF-8; a lone surrogate counts as three. */
export function utf8ByteLength(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // a pair takes four bytes, not twice three
    if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) bytes -= 2;
  }
  return bytes;
}

/**
 * Why `id` cannot be a client's id, or `undefined` when it can.
 * Any non-empty Unicode string is allowed (spaces and colons too) except the reserved ones, control characters,
 * lone surrogates and what is longer than 256 bytes.
 */
export function clientIdProblem(id: unknown): string | undefined {
  if (typeof id !== 'string') return 'It is not a string.';
  if (id === '') return 'It is empty.';
  if (id === BROADCAST_ID || id === SERVER_ID || id.startsWith(GROUP_PREFIX)) return `"${id.slice(0, 64)}" is reserved.`;
  if (id.length > PROTOCOL_LIMITS.maxClientIdBytes || utf8ByteLength(id) > PROTOCOL_LIMITS.maxClientIdBytes)
    return `It is longer than ${PROTOCOL_LIMITS.maxClientIdBytes} bytes.`;
  if (CONTROL.test(id)) return 'It has a control character.';
  if (LONE_SURROGATE.test(id)) return 'It has half a surrogate pair.';
  return undefined;
}

/**
 * Returns `id` when it is valid.
 * @throws CrossCommError `CC_INVALID_CLIENT_ID` otherwise
 */
export function assertClientId(id: unknown): string {
  const problem = clientIdProblem(id);
  if (problem) throw new CrossCommError('CC_INVALID_CLIENT_ID', problem);
  return id as string;
}
