import { CrossCommError } from './cross-comm.error.js';
import type { Envelope } from './envelope.js';

/**
 * What became of a message, in the order in which it happens.
 *
 * `live`: handed to receivers that cannot confirm, at most once · `stored`: cannot be lost any more · `delivered`: it
 * reached the receiver's program · `processed`: the receiver has confirmed it, after its listeners ran.
 */
export const RECEIPTS = ['live', 'stored', 'delivered', 'processed'] as const;
export type Receipt = (typeof RECEIPTS)[number];

/** Content of an `ack`: these messages of the client have come so far. */
export interface AckContent {
  readonly receipt: Receipt;
  readonly msg_ids: readonly string[];
}

/** Message that the receiver could not process. */
export interface Rejection {
  readonly seq: number;
  /** Seconds until it is sent again. Default 1. */
  readonly delay?: number | undefined;
  /** Never send it again: it goes to the dead letters. */
  readonly dead?: boolean | undefined;
}

/** Content of a `confirm`; numbers are `ext.seq` of the messages. Unknown ones are ignored. */
export interface ConfirmContent {
  /** Everything up to this number that was sent on this connection is processed. */
  readonly up_to?: number | undefined;
  /** These are processed. */
  readonly seqs?: readonly number[] | undefined;
  /** These have arrived; only wanted of messages with `ext.receipt` `delivered`. */
  readonly received?: readonly number[] | undefined;
  readonly rejected?: readonly Rejection[] | undefined;
}

/** What a sender may ask of the delivery of one message, in `ext`. */
export interface DeliveryRequest {
  /** Default: `durable` to a client or group, `live` to all. */
  readonly delivery: 'live' | 'durable' | undefined;
  /** A receipt beyond `stored` that the sender wants to have. */
  readonly receipt: 'delivered' | 'processed' | undefined;
  /** Seconds after which it is not delivered any more. */
  readonly ttl: number | undefined;
}

const NOTHING_ASKED: DeliveryRequest = { delivery: undefined, receipt: undefined, ttl: undefined };

/**
 * Reads what a message asks of its delivery.
 * @throws CrossCommError `CC_INVALID_CONTENT`
 */
export function readDeliveryRequest({ ext }: Envelope): DeliveryRequest {
  if (ext === undefined) return NOTHING_ASKED;
  const { delivery, receipt, ttl } = ext as Partial<DeliveryRequest>;
  if (delivery !== undefined && delivery !== 'live' && delivery !== 'durable') throw invalid('ext.delivery is not "live" or "durable".');
  if (receipt !== undefined && receipt !== 'delivered' && receipt !== 'processed') throw invalid('ext.receipt is not "delivered" or "processed".');
  if (ttl !== undefined && !(typeof ttl === 'number' && ttl > 0)) throw invalid('ext.ttl is not a positive number of seconds.');
  return { delivery, receipt, ttl };
}

/**
 * Reads a confirmation.
 * @throws CrossCommError `CC_INVALID_CONTENT`
 */
export function parseConfirm(content: unknown): ConfirmContent {
  const { up_to, seqs, received, rejected } = (typeof content === 'object' && content !== null ? content : {}) as Partial<ConfirmContent>;
  if (up_to !== undefined && !isSeq(up_to)) throw invalid('up_to is not a number of a message.');
  for (const list of [seqs, received])
    if (list !== undefined && !(Array.isArray(list) && list.every(isSeq))) throw invalid('seqs or received is not a list of numbers of messages.');
  if (rejected !== undefined && !(Array.isArray(rejected) && rejected.every(isRejection))) throw invalid('rejected is not a list of {"seq", "delay"?, "dead"?}.');
  if (up_to === undefined && seqs === undefined && received === undefined && rejected === undefined) throw invalid('Give up_to, seqs, received or rejected.');
  return { up_to, seqs, received, rejected };
}

function isSeq(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRejection(value: unknown): boolean {
  const { seq, delay, dead } = (typeof value === 'object' && value !== null ? value : {}) as Partial<Rejection>;
  return isSeq(seq) && (delay === undefined || (typeof delay === 'number' && delay >= 0)) && (dead === undefined || typeof dead === 'boolean');
}

function invalid(detail: string): CrossCommError {
  return new CrossCommError('CC_INVALID_CONTENT', detail);
}
