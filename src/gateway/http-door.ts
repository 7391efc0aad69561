import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Server as TlsServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { CrossCommError } from '../protocol/index.js';
import type { GatewayOptions } from './gateway.options.js';
import { TlsFiles } from './tls-files.js';

/** What wants to be served. Each returns false for what is not its own. */
export interface DoorHandlers {
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
  readonly request: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Sees an own server before it listens. */
  readonly opening: (server: Server) => void;
  /** A TLS handshake on an own server that failed; `code` is OpenSSL's or Node's. */
  readonly tlsFailed: (address: string, code: string) => void;
}

/** The listeners that hubs of this process have put on shared servers. */
const UPGRADE_LISTENERS_OF_HUBS = new WeakSet<object>();

/** Headers of a request on the own port; the same bound that Node uses by default. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * The HTTP server the hub is reached through: one of its own, or that of the application around it. On a foreign
 * server it takes exactly what is its own and leaves everything else, other WebSocket adapters included, untouched.
 */
export class HttpDoor {
  #server: Server | undefined;
  #isOwn = false;
  #tls: TlsFiles | undefined;
  #detach: () => void = () => undefined;

  constructor(
    private readonly options: GatewayOptions,
    private readonly handlers: DoorHandlers,
  ) {}

  /** Opens a server of our own; resolves when it accepts. */
  async listen(port: number): Promise<void> {
    const server = await this.#createServer();
    this.#isOwn = true;
    this.handlers.opening(server);
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!this.handlers.upgrade(request, socket, head)) refuseUpgrade(socket, '404 Not Found');
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (!this.handlers.request(request, response)) answerPlainRequest(request, response);
    });
    await new Promise<void>((resolve, reject) => {
      const onError = (cause: NodeJS.ErrnoException): void =>
        reject(new CrossCommError('CC_INVALID_OPTION', { detail: `${this.options.host}:${port} cannot be listened on (${cause.code ?? cause.message}).`, cause }));
      server.once('error', onError);
      server.listen(port, this.options.host, () => {
        server.off('error', onError);
        resolve();
      });
    });
    this.#server = server;
  }

  /**
   * Shares a server. Its `emit` is wrapped, because listeners of others may be added before or after ours, and Nest's
   * WsAdapter destroys every upgrade whose path it does not know.
   */
  attach(server: unknown): void {
    if (!isHttpServer(server))
      throw new CrossCommError('CC_ATTACH_FAILED', 'The application has no HTTP server of Node.');
    this.#server = server;
    const { upgrade, request } = this.handlers;
    const emit = server.emit.bind(server) as (...all: unknown[]) => boolean;
    const original: unknown = Reflect.get(server, 'emit');
    let isAttached = true;
    const wrapped = (event: string | symbol, ...args: unknown[]): boolean => {
      if (!isAttached) return emit(event, ...args);
      if (event === 'upgrade' && upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer)) return true;
      if (event === 'request' && request(args[0] as IncomingMessage, args[1] as ServerResponse)) return true;
      return emit(event, ...args);
    };
    server.emit = wrapped as Server['emit'];
    // without any listener Node would not raise the event at all; what nobody takes is answered here, by the first
    // of the hubs when several share the server
    const onUnhandled = (_request: IncomingMessage, socket: Duplex): void => {
      const listeners = server.listeners('upgrade');
      if (listeners[0] === onUnhandled && listeners.every((listener) => UPGRADE_LISTENERS_OF_HUBS.has(listener)))
        refuseUpgrade(socket, '404 Not Found');
    };
    UPGRADE_LISTENERS_OF_HUBS.add(onUnhandled);
    server.on('upgrade', onUnhandled);
    this.#detach = () => {
      server.off('upgrade', onUnhandled);
      // who wrapped `emit` after us still calls us; then everything is only passed on
      isAttached = false;
      if ((Reflect.get(server, 'emit') as unknown) === wrapped) server.emit = original as Server['emit'];
    };
  }

  /** Where the server listens; undefined before it does. */
  get address(): AddressInfo | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address : undefined;
  }

  /** Whether clients need `wss`. */
  get isTls(): boolean {
    return this.#server instanceof TlsServer;
  }

  /** Stops an own server; leaves a shared one running without us. */
  async close(): Promise<void> {
    this.#detach();
    this.#tls?.close();
    const server = this.#server;
    if (!this.#isOwn || server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #createServer(): Promise<Server> {
    const { handshakeTimeoutMs } = this.options;
    // what is too slow is looked for often enough for the time to mean something
    const limits = { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: handshakeTimeoutMs, connectionsCheckingInterval: Math.min(1_000, handshakeTimeoutMs / 2) };
    this.#tls = await TlsFiles.open(this.options);
    if (this.#tls === undefined) return createServer(limits);
    const server = createTlsServer({ ...this.#tls.serverOptions, ...limits });
    this.#tls.serve(server);
    server.on('tlsClientError', ({ code }: NodeJS.ErrnoException, { remoteAddress, authorizationError }) => {
      // a certificate that is no good looks like a peer that went away, which is not refused
      const why = (authorizationError as Error | string | null | undefined) ?? (code === 'ECONNRESET' ? undefined : code);
      if (why !== undefined) this.handlers.tlsFailed(remoteAddress ?? 'unknown', String(why));
    });
    return server;
  }
}

/** Ends an upgrade with a plain HTTP answer. @param headers further ones, each ended by CR LF */
export function refuseUpgrade(socket: Duplex, status: string, headers = ''): void {
  // Node has taken its own listener off; a peer that is gone already must not end the process
  socket.on('error', () => socket.destroy());
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${headers}Content-Length: 0\r\n\r\n`);
}

/** As the Python server answers what is not a WebSocket: 426 to GET, 400 to everything else (wire facts 1). */
function answerPlainRequest(request: IncomingMessage, response: ServerResponse): void {
  const isGet = request.method === 'GET' || request.method === 'HEAD';
  const body = 'This is a CrossComm hub. Connect with a WebSocket client.\n';
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': Buffer.byteLength(body), Connection: 'close' };
  response.writeHead(isGet ? 426 : 400, isGet ? { ...headers, Upgrade: 'websocket' } : headers);
  response.end(body);
}

function isHttpServer(server: unknown): server is Server {
  return typeof server === 'object' && server !== null && 'listen' in server && 'emit' in server && 'address' in server;
}
