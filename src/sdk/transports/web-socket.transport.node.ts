import { WebSocket, type RawData } from 'ws';
import type { ClientTransport, ClientTransportHandlers, OpenTransport } from './client-transport.js';

/** The transport of Node, over `ws`: can ping, stop reading and cut the connection. Compression is not offered. */
export const openNodeWebSocket: OpenTransport = (target, handlers) => {
  const socket = new WebSocket(target.url, { perMessageDeflate: false, maxPayload: target.maxInboundBytes });
  return new NodeWebSocketTransport(socket, handlers);
};

class NodeWebSocketTransport implements ClientTransport {
  #paused = false;

  constructor(
    private readonly socket: WebSocket,
    handlers: ClientTransportHandlers,
  ) {
    let failure: unknown;
    socket.on('open', () => handlers.onOpen());
    // on() and not the WHATWG events: no event object per message
    socket.on('message', (data: RawData) => handlers.onFrame(textOf(data)));
    socket.on('pong', () => handlers.onPong());
    socket.on('error', (error) => (failure = error));
    socket.on('close', (code, reason) => handlers.onClose(code, reason.toString(), failure));
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  send(frame: string): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(frame);
    return true;
  }

  ping(): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    // not without need: ws cannot resume a socket that never opened
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  close(code: number, reason: string): void {
    // a paused socket never sees the other side's close frame
    this.resume();
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.resume();
    this.socket.terminate();
  }
}

/** Frames are text; a binary one that holds UTF-8 is read as such, as the Python client does (wire facts 1). */
function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data).toString('utf8');
}
