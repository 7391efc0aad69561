import {
  BROADCAST_ID,
  CrossCommError,
  SERVER_ID,
  assertClientId,
  roleOf,
  toWireContent,
  type CommMsgType,
  type UserMessageType,
} from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import type { ProgressHandler } from './client-files.js';
import { isPlainJson } from './plain-json.js';

/** Options of `sendMessage`. Without a time-out a message waits for the connection as long as the client lives. */
export interface SendOptions extends CallOptions {
  /** Progress of the upload of a file, image or folder. */
  readonly onProgress?: ProgressHandler;
}

/** What `sendMessage` resolves with. */
export interface SentMessage {
  /** The message's id on the wire; a later refusal by the hub names it. */
  readonly msgId: string;
}

/**
 * Checks type and addressee of a message.
 * @throws CrossCommError `CC_UNKNOWN_TYPE`, `CC_TYPE_NOT_ALLOWED`, `CC_INVALID_CLIENT_ID`
 */
export function assertSendable(msgType: CommMsgType, toClientId: string): asserts msgType is UserMessageType {
  const role = roleOf(msgType);
  if (role === undefined) throw new CrossCommError('CC_UNKNOWN_TYPE', `The type is "${msgType}".`);
  if (role !== 'user') throw new CrossCommError('CC_TYPE_NOT_ALLOWED', `The type is "${msgType}".`);
  if (toClientId !== BROADCAST_ID && toClientId !== SERVER_ID) assertClientId(toClientId);
}

/** As `toWireContent`, without its second serialisation for the dicts that need no check. */
export function wireContent(msgType: UserMessageType, content: unknown): unknown {
  return msgType === 'dict' && isPlainJson(content) ? content : toWireContent(msgType, content);
}
