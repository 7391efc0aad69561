import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { ClientRegistry, HeartbeatService, sendError } from '../clients/index.js';
import { DeliveryOptions, DurableDelivery } from '../delivery/index.js';
import { ListenerDispatcher, ListenerExplorer } from '../listeners/index.js';
import { CloseCode, CrossCommError } from '../protocol/index.js';
import { Refusals } from '../security/index.js';
import { EventLoopTurn } from './event-loop-turn.js';
import { FileDoor } from './file-door.service.js';
import { GatewayOptions } from './gateway.options.js';
import { HttpDoor, refuseUpgrade } from './http-door.js';
import { InboundPipeline } from './inbound-pipeline.js';
import { SlowReceivers } from './slow-receivers.js';
import { UpgradeGuard } from './upgrade-guard.js';
import { setReceiveLimit } from './web-socket-inside.js';
import { WebSocketConnection } from './web-socket.connection.js';

/**
 * The WebSocket door: sockets in, frames on to the pipeline, nothing decided here.
 *
 * It runs its own `ws` server on the upgrade event in place of `@WebSocketGateway`, whose path is fixed at decoration
 * time and whose adapter belongs to the application: so the path is an option, two hubs fit into one process, and an
 * application that uses another WebSocket adapter keeps it.
 */
@Injectable()
export class CrossCommGateway implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #logger = new Logger(CrossCommGateway.name);
  readonly #connections = new Set<WebSocketConnection>();
  @Inject(UpgradeGuard)
  private readonly guard!: UpgradeGuard;
  @Inject(SlowReceivers)
  private readonly slowReceivers!: SlowReceivers;
  @Inject(DurableDelivery)
  private readonly durable!: DurableDelivery;
  @Inject(ListenerDispatcher)
  private readonly dispatcher!: ListenerDispatcher;
  @Inject(DeliveryOptions)
  private readonly deliveryOptions!: DeliveryOptions;
  @Inject(Refusals)
  private readonly refusals!: Refusals;
  readonly #door: HttpDoor;
  readonly #webSocketServer: WebSocketServer;
  #isAccepting = false;

  constructor(
    private readonly options: GatewayOptions,
    private readonly registry: ClientRegistry,
    private readonly heartbeat: HeartbeatService,
    private readonly explorer: ListenerExplorer,
    private readonly pipeline: InboundPipeline,
    private readonly fileDoor: FileDoor,
    private readonly adapterHost: HttpAdapterHost,
    private readonly turn: EventLoopTurn,
  ) {
    this.#door = new HttpDoor(options, {
      upgrade: (request, socket, head) => this.#upgrade(request, socket, head),
      request: (request, response) => this.#request(request, response),
      opening: (server) => this.fileDoor.prepare(server),
      tlsFailed: (address, code) => this.refusals.add('tls', `Refused a TLS connection from ${address}: ${code}.`),
    });
    // closeTimeout is newer than the types of `ws`
    const serverOptions: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      // no sub-protocol is picked, as the Python server does not (wire facts 1): we speak none of them
      handleProtocols: () => false,
      maxPayload: options.maxMessageBytes,
      closeTimeout: options.closeTimeoutMs,
      perMessageDeflate: options.compression ? { threshold: 1024, serverNoContextTakeover: true, clientNoContextTakeover: true } : false,
    };
    this.#webSocketServer = new WebSocketServer(serverOptions);
  }

  /** Everything that listens is bound and everything that is remembered is read before the first socket is accepted. */
  async onApplicationBootstrap(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  async #start(): Promise<void> {
    this.explorer.explore();
    await this.durable.open({
      wants: (envelope) => this.dispatcher.wants(envelope),
      routed: (sender, envelope) => this.dispatcher.dispatch(sender, envelope),
      refused: ({ code }) => this.refusals.countCode(code),
    });
    await this.registry.restore();
    this.#isAccepting = true;
    this.heartbeat.start(({ remoteAddress }) => this.refusals.add('login_timeout', `Closed a connection from ${remoteAddress}: no login in time.`));
    const { port } = this.options;
    if (port !== undefined) return this.#door.listen(port);
    // undefined or null, depending on how the application without HTTP was made
    const adapter = this.adapterHost.httpAdapter as HttpAdapterHost['httpAdapter'] | null | undefined;
    if (adapter === undefined || adapter === null) throw new CrossCommError('CC_ATTACH_FAILED', 'The application has no HTTP adapter.');
    this.#door.attach(adapter.getHttpServer());
    this.#logger.log(`CrossComm is attached to the application's HTTP server at ${this.#path ?? '/'}`);
  }

  /** The first hook of a closing application: the sockets still live, so that they can be told. */
  onModuleDestroy(): Promise<void> {
    return this.shutdown();
  }

  /** Where the hub listens; undefined while it does not. */
  get address(): { readonly host: string; readonly port: number; readonly isTls: boolean } | undefined {
    const address = this.#door.address;
    return address === undefined ? undefined : { host: address.address, port: address.port, isTls: this.#door.isTls };
  }

  /** Open connections, logged in or not. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Stops accepting, tells everyone to come back later, and waits until what was buffered has left. */
  async shutdown(): Promise<void> {
    if (!this.#isAccepting) return;
    this.#isAccepting = false;
    this.heartbeat.stop();
    await this.#drain();
    for (const connection of [...this.#connections]) {
      this.registry.closed(connection, 'shutdown');
      connection.closeWithin(this.options.shutdownTimeoutMs, CloseCode.RESTART, 'the hub shuts down; connect again later');
    }
    const startedMs = performance.now();
    while (this.#connections.size > 0) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const waitedMs = performance.now() - startedMs;
      for (const connection of [...this.#connections]) {
        // a peer that has everything and just does not answer (Java's never does) is not waited for any longer
        const isDone = connection.bufferedBytes === 0 && waitedMs > this.options.closeTimeoutMs;
        if (isDone || waitedMs > this.options.shutdownTimeoutMs) connection.terminate();
      }
    }
    await this.#release();
  }

  /** Takes nothing more in, tells everyone when to come back, and answers what was accepted. */
  async #drain(): Promise<void> {
    const connections = [...this.#connections];
    for (const [place, connection] of connections.entries()) {
      connection.stopReading();
      // not all at once, so that the next hub is not run over
      const retryAfter = Math.round((this.deliveryOptions.drainSpreadMs * place) / connections.length) / 1000;
      sendError(connection, new CrossCommError('CC_SHUTTING_DOWN', { retryAfter }), null);
    }
    // a disk that hangs must not keep the hub from ending
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.options.shutdownTimeoutMs)));
    await Promise.race([this.durable.flush(), tooLate]);
    clearTimeout(timer);
  }

  async #release(): Promise<void> {
    this.#isAccepting = false;
    this.heartbeat.stop();
    await this.#door.close();
    this.fileDoor.close();
    await this.durable.close();
    await this.registry.flush();
  }

  /** The path that is ours; undefined means any. */
  get #path(): string | undefined {
    return this.options.path ?? (this.options.port === undefined ? '/' : undefined);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const path = this.#path;
    if (path !== undefined && pathOf(request) !== path) return false;
    socket.on('error', this.#onSocketError);
    const refusal = this.#isAccepting ? this.guard.refusal(request) : { status: '503 Service Unavailable', headers: '' };
    if (refusal !== undefined) refuseUpgrade(socket, refusal.status, refusal.headers);
    else this.#webSocketServer.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, socket, request));
    return true;
  }

  #accept(webSocket: WebSocket, socket: Duplex, request: IncomingMessage): void {
    socket.off('error', this.#onSocketError);
    setReceiveLimit(webSocket, this.options.maxLoginBytes);
    const connection = new WebSocketConnection({
      webSocket,
      socket,
      remoteAddress: this.guard.addressOf(request),
      options: this.options,
      turn: this.turn,
      slowReceivers: this.slowReceivers,
    });
    connection.handshake = this.guard.handshakeOf(request);
    this.#connections.add(connection);
    this.guard.opened(connection.remoteAddress);
    this.registry.opened(connection);
    webSocket.on('message', (data, isBinary) => this.pipeline.receive(connection, data as Buffer, isBinary));
    webSocket.on('ping', (data: Buffer) => this.pipeline.pinged(connection, data));
    // nobody asked for them, so they are counted as pings are
    webSocket.on('pong', (data: Buffer) => this.pipeline.pinged(connection, data));
    webSocket.on('close', () => this.#closed(connection));
    webSocket.on('error', (error: NodeJS.ErrnoException) => {
      this.refusals.add(error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'oversize' : 'bad_frame', `Socket of ${connection.remoteAddress}: ${error.message}`, 'debug');
      // `ws` has sent its close frame (1007, 1009) and would wait half a minute for the peer
      this.registry.closed(connection, 'closed');
      connection.close(CloseCode.INVALID_DATA, error.message);
    });
  }

  #closed(connection: WebSocketConnection): void {
    this.#connections.delete(connection);
    this.slowReceivers.gone(connection);
    this.guard.closed(connection.remoteAddress);
    this.registry.closed(connection, 'closed');
  }

  #request(request: IncomingMessage, response: ServerResponse): boolean {
    return this.#isAccepting && this.fileDoor.handle(request, response);
  }

  /** A peer that is gone before its upgrade is over: nobody is left who could be told, and a line for each would be a flood. */
  readonly #onSocketError = (): void => undefined;
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
