import { CrossCommError, type WireError } from './cross-comm.error.js';

/** Content of a `request`: which action, with which arguments. */
export interface RequestContent {
  readonly action: string;
  readonly data: unknown;
  /** Milliseconds after which the hub gives a request to another client up. Default, and at most, the hub's own limit. */
  readonly timeout_ms?: number | undefined;
}

/** Content of a `response`; `reply_to` is the request's msg_id. A client answers with `error` when it cannot do what was asked. */
export interface ResponseContent {
  readonly reply_to: string;
  readonly data?: unknown;
  readonly error?: WireError | undefined;
}

/** Content of a `cancel`: the msg_id of a request whose answer nobody waits for any more. */
export interface CancelContent {
  readonly reply_to: string;
}

/** Content of an `error`; `reply_to` is the msg_id of the frame it answers, null when that could not be read. */
export interface ErrorContent extends WireError {
  readonly reply_to: string | null;
}

/**
 * Reads a request's content.
 * @throws CrossCommError `CC_INVALID_CONTENT`
 */
export function parseRequest(content: unknown): RequestContent {
  const { action, data, timeout_ms } = (typeof content === 'object' && content !== null ? content : {}) as Partial<RequestContent>;
  if (typeof action !== 'string' || action === '' || action.length > 128)
    throw new CrossCommError('CC_INVALID_CONTENT', 'A request needs {"action", "data"}.');
  if (timeout_ms !== undefined && !(typeof timeout_ms === 'number' && timeout_ms > 0))
    throw new CrossCommError('CC_INVALID_CONTENT', 'timeout_ms is not above 0.');
  return { action, data: data ?? null, timeout_ms };
}

/** The msg_id a `response` or `error` answers, or undefined when it names none. */
export function replyTo(content: unknown): string | undefined {
  const id = (content as Partial<ResponseContent> | null | undefined)?.reply_to;
  return typeof id === 'string' ? id : undefined;
}
