import type { WebSocket } from 'ws';

// The one place that looks inside `ws`. Both functions have a fallback, and a test says so when a new version needs it.

interface Inside {
  readonly _receiver?: { _maxPayload?: number; readonly _bufferedBytes?: number };
  readonly _extensions?: Readonly<Record<string, { _maxPayload?: number }>>;
}

/**
 * Sets the largest message a socket accepts, which the public API can only do for a whole server. Before login it is a
 * few kilobytes (a stranger may not make the hub buffer a megabyte), afterwards the normal limit.
 *
 * @returns false when this version of `ws` has no such field; the limit is then checked once a message is complete
 */
export function setReceiveLimit(webSocket: WebSocket, maxBytes: number): boolean {
  const { _receiver, _extensions } = webSocket as unknown as Inside;
  if (typeof _receiver?._maxPayload !== 'number') return false;
  _receiver._maxPayload = maxBytes;
  const deflate = _extensions?.['permessage-deflate'];
  if (deflate !== undefined) deflate._maxPayload = maxBytes;
  return true;
}

/**
 * Whether more bytes have been read from the socket than the message that is being handled, so that another message
 * probably follows within this turn. Undefined when this version of `ws` does not tell.
 */
export function hasMoreRead(webSocket: WebSocket): boolean | undefined {
  const bytes = (webSocket as unknown as Inside)._receiver?._bufferedBytes;
  return typeof bytes === 'number' ? bytes > 0 : undefined;
}
