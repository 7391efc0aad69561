import {
  BROADCAST_ID,
  CrossCommError,
  SERVER_ID,
  groupOf,
  roleOf,
  targetProblem,
  toWireContent,
  type CommMsgType,
  type Receipt,
  type UserMessageType,
} from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import type { ProgressHandler } from './client-files.js';
import { isPlainJson } from './plain-json.js';

/**
 * Options of `sendMessage`. Without a time-out a message waits for the connection and for its receipt as long as the
 * client lives. One that ends with `CC_TIMEOUT` or `CC_ABORTED` after it was sent may be delivered nevertheless.
 */
export interface SendOptions extends CallOptions {
  /**
   * `durable`: kept by the hub until the receiver has processed it, sent again by this client until the hub has it.
   * `live`: to whoever is there now, at most once; may arrive before durable messages sent earlier. Default: `durable`
   * to a client or group, where the hub offers that; `live` to all.
   */
  readonly delivery?: 'durable' | 'live';
  /**
   * What a durable message waits for: that it cannot be lost any more (`stored`), that it has reached the receiver's
   * program (`delivered`), or that its handlers ran (`processed`). To groups always `stored`. Default `stored`.
   */
  readonly receipt?: 'stored' | 'delivered' | 'processed';
  /** Milliseconds after which the hub does not deliver a durable message any more. Default: the hub's. */
  readonly ttlMs?: number;
  /** Progress of the upload of a file, image or folder. */
  readonly onProgress?: ProgressHandler;
}

/** What `sendMessage` resolves with. */
export interface SentMessage {
  /** The message's id on the wire; a later refusal by the hub names it. */
  readonly msgId: string;
  /**
   * How far it has come: `sent`, handed to a live connection, which is no proof of delivery; `live`, handed over by the
   * hub to a receiver that cannot confirm, and no more will be known; else at least what was asked for.
   */
  readonly receipt: 'sent' | Receipt;
}

/** How a message is to be delivered. */
export interface DeliveryPlan {
  readonly isDurable: boolean;
  readonly awaits: Receipt;
  /** Text that puts `ext` behind the seven keys of a frame; empty when the hub's defaults will do. */
  readonly ext: string;
}

const DURABLE: DeliveryPlan = { isDurable: true, awaits: 'stored', ext: '' };
const LIVE: DeliveryPlan = { isDurable: false, awaits: 'stored', ext: '' };
const LIVE_TO_ONE: DeliveryPlan = { ...LIVE, ext: extText({ delivery: 'live' }) };

/**
 * Checks type and addressee of a message.
 * @throws CrossCommError `CC_UNKNOWN_TYPE`, `CC_TYPE_NOT_ALLOWED`, `CC_INVALID_CLIENT_ID`
 */
export function assertSendable(msgType: CommMsgType, toClientId: string): asserts msgType is UserMessageType {
  const role = roleOf(msgType);
  if (!role) throw new CrossCommError('CC_UNKNOWN_TYPE', `The type is "${msgType}".`);
  if (role !== 'user') throw new CrossCommError('CC_TYPE_NOT_ALLOWED', `The type is "${msgType}".`);
  const problem = targetProblem(toClientId);
  if (problem) throw new CrossCommError('CC_INVALID_CLIENT_ID', problem);
}

/**
 * Reads how a message is to be delivered.
 * @throws CrossCommError `CC_INVALID_CONTENT`, `CC_INVALID_OPTION`
 */
export function deliveryPlan(toClientId: string, { delivery, receipt = 'stored', ttlMs }: SendOptions): DeliveryPlan {
  const isToOne = toClientId !== BROADCAST_ID && toClientId !== SERVER_ID;
  if (delivery === 'durable' && !isToOne) throw new CrossCommError('CC_INVALID_CONTENT', 'Only messages to a client or group can be durable.');
  if (ttlMs !== undefined && !(ttlMs > 0)) throw new CrossCommError('CC_INVALID_OPTION', `ttlMs is ${ttlMs}; give more than 0.`);
  if (!isToOne) return LIVE;
  if (delivery === 'live') return LIVE_TO_ONE;
  const awaits = groupOf(toClientId) === undefined ? receipt : 'stored';
  if (awaits === 'stored' && ttlMs === undefined) return DURABLE;
  return { isDurable: true, awaits, ext: extText({ receipt: awaits === 'stored' ? undefined : awaits, ttl: ttlMs && ttlMs / 1000 }) };
}

/** As `toWireContent`, without its second serialisation for the dicts that need no check. */
export function wireContent(msgType: UserMessageType, content: unknown): unknown {
  return msgType === 'dict' && isPlainJson(content) ? content : toWireContent(msgType, content);
}

function extText(ext: object): string {
  return `,"ext":${JSON.stringify(ext)}}`;
}
