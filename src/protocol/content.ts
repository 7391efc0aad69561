import { decodeBase64Leniently, encodeBase64 } from './base64.js';
import { CrossCommError } from './cross-comm.error.js';
import type { UserMessageType } from './message-type.js';

/**
 * Turns what a user sends into the wire's content, with the conversions and checks of the Python sender (wire facts 3):
 * text takes `String(x)`; json takes a string that parses, or any JSON value, and sends a string; dict takes any JSON
 * value; bytes takes a `Uint8Array` or `ArrayBuffer` (sent as base64) or a string (sent as is); file, image and folder
 * take a path.
 *
 * @throws CrossCommError `CC_INVALID_CONTENT`, also for what JSON cannot carry (NaN, Infinity, bigint, cycles,
 *   functions): Java clients drop NaN, and `JSON.stringify` would change it into null unnoticed
 */
export function toWireContent(msgType: UserMessageType, content: unknown): unknown {
  switch (msgType) {
    case 'text':
      return String(content);
    case 'json':
      if (typeof content !== 'string') return stringifyStrictly(content, msgType);
      parseJsonText(content, 'The string');
      return content;
    case 'dict':
      stringifyStrictly(content, msgType);
      return content;
    case 'bytes':
      if (content instanceof Uint8Array) return encodeBase64(content);
      if (content instanceof ArrayBuffer) return encodeBase64(new Uint8Array(content));
      if (typeof content === 'string') return content;
      throw new CrossCommError('CC_INVALID_CONTENT', `${msgType} takes a Uint8Array, ArrayBuffer or base64 string.`);
    case 'file':
    case 'image':
    case 'folder':
      if (typeof content === 'string' && content !== '') return content;
      throw new CrossCommError('CC_INVALID_CONTENT', `${msgType} takes a path.`);
  }
}

/** Turns the wire's content into what a listener sees: bytes become a `Uint8Array`, everything else stays. */
export function fromWireContent(msgType: string, content: unknown): unknown {
  if (msgType !== 'bytes' || typeof content !== 'string') return content;
  return decodeBase64Leniently(content) ?? content;
}

/** @throws CrossCommError `CC_INVALID_CONTENT` that names `what` */
export function parseJsonText(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CrossCommError('CC_INVALID_CONTENT', { detail: `${what} is not valid.`, cause });
  }
}

function stringifyStrictly(content: unknown, msgType: string): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(content, (key, value: unknown) => {
      if (typeof value === 'number' && !Number.isFinite(value))
        throw new CrossCommError('CC_INVALID_CONTENT', `JSON cannot carry ${value} at "${key}".`);
      return value;
    });
  } catch (cause) {
    throw CrossCommError.from(cause, 'CC_INVALID_CONTENT');
  }
  if (text === undefined) throw new CrossCommError('CC_INVALID_CONTENT', `${msgType} takes a JSON value.`);
  return text;
}
