import type { ClientTransport, ClientTransportHandlers, OpenTransport } from './client-transport.js';

/**
 * The part of the WHATWG WebSocket this client uses, as a structure: the browser's, Node's own (from 22 on) and the
 * one of `ws` all fit, although none is assignable to another's type.
 */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** Makes a socket that is connecting to `url`, e.g. `(url) => new WebSocket(url)`. */
export type WebSocketFactory = (url: string) => WebSocketLike;

const OPEN = 1;

/** A transport over any WHATWG WebSocket. It can neither ping nor stop reading nor cut the connection. */
export function webSocketTransport(create: WebSocketFactory): OpenTransport {
  return (target, handlers) => new WebSocketTransport(create(target.url), handlers);
}

class WebSocketTransport implements ClientTransport {
  readonly #socket: WebSocketLike;
  readonly #handlers: ClientTransportHandlers;
  #ended = false;

  constructor(socket: WebSocketLike, handlers: ClientTransportHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    socket.binaryType = 'arraybuffer';
    let failure: unknown;
    socket.onopen = () => handlers.onOpen();
    socket.onmessage = (event: { data: unknown }) => handlers.onFrame(textOf(event.data));
    socket.onerror = (event: { error?: unknown }) => (failure = event.error);
    socket.onclose = (event: { code: number; reason: string }) => this.#end(event.code, event.reason, failure);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string): boolean {
    if (this.#socket.readyState !== OPEN) return false;
    this.#socket.send(frame);
    return true;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.close();
    // this API cannot cut the connection; what the socket says after this moment is not heard any more
    this.#end(1006, '');
  }

  #end(code: number, reason: string, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // kept: an error event without a handler is an uncaught exception in some implementations
    socket.onerror = () => undefined;
    this.#handlers.onClose(code, reason, error);
  }
}

/** Frames are text; a binary one that holds UTF-8 is read as such, as the Python client does (wire facts 1). */
function textOf(data: unknown): string {
  return typeof data === 'string' ? data : new TextDecoder().decode(data as ArrayBuffer);
}
