import type { WebSocket } from 'ws';

interface WebSocketInside {
  readonly _receiver?: { _maxPayload?: number };
  readonly _extensions?: Readonly<Record<string, { _maxPayload?: number }>>;
}

/**
 * Sets the largest message a `ws` socket accepts, which its public API can only do for a whole server. Before login it
 * is a few kilobytes (a stranger may not make the hub buffer a megabyte), afterwards the normal limit.
 *
 * @returns false when this version of `ws` has no such field; the limit is then checked once a message is complete,
 *   and a test fails to say so
 */
export function setReceiveLimit(webSocket: WebSocket, maxBytes: number): boolean {
  const { _receiver, _extensions } = webSocket as unknown as WebSocketInside;
  if (typeof _receiver?._maxPayload !== 'number') return false;
  _receiver._maxPayload = maxBytes;
  const deflate = _extensions?.['permessage-deflate'];
  if (deflate !== undefined) deflate._maxPayload = maxBytes;
  return true;
}
