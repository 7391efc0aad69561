import { CrossCommError, type WireError } from './cross-comm.error.js';

/** Content of a `request`: which action, with which arguments. */
export interface RequestContent {
  readonly action: string;
  readonly data: unknown;
}

/** Content of a `response`; `reply_to` is the request's msg_id. */
export interface ResponseContent {
  readonly reply_to: string;
  readonly data: unknown;
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
  const { action, data } = (typeof content === 'object' && content !== null ? content : {}) as Partial<RequestContent>;
  if (typeof action !== 'string' || action === '' || action.length > 128)
    throw new CrossCommError('CC_INVALID_CONTENT', 'A request needs {"action": string, "data": any}.');
  return { action, data: data ?? null };
}

/** The msg_id a `response` or `error` answers, or undefined when it names none. */
export function replyTo(content: unknown): string | undefined {
  const id = (content as Partial<ResponseContent> | null | undefined)?.reply_to;
  return typeof id === 'string' ? id : undefined;
}
