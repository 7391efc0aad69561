import { Inject, Injectable, Logger } from '@nestjs/common';
import { ClientRegistry, sendError, type ConnectedClient } from '../clients/index.js';
import { MessageHub } from '../delivery/index.js';
import { ListenerDispatcher } from '../listeners/index.js';
import {
  CloseCode,
  CrossCommError,
  parseListRequest,
  roleOf,
  type DecodeOptions,
  type Envelope,
} from '../protocol/index.js';
import { Refusals, quoted } from '../security/index.js';
import { AccessControl } from './access-control.js';
import { EventLoopTurn } from './event-loop-turn.js';
import { decodeTextFrame } from './frame-decoder.js';
import { textOfBinaryFrame } from './frame-text.js';
import { GatewayOptions } from './gateway.options.js';
import { HubActions } from './hub-actions.service.js';
import { listReply } from './list-reply.js';
import { LoginHandler } from './login.handler.js';
import { ReadControl } from './read-control.js';
import { hasMoreRead } from './web-socket-inside.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/**
 * The way of every inbound frame, top to bottom: decode, who speaks, route, listen. Straight-line and synchronous, so
 * that the frames of one socket are handled in their order.
 */
@Injectable()
export class InboundPipeline {
  readonly #logger = new Logger(InboundPipeline.name);
  readonly #legacyDecoding: DecodeOptions;
  readonly #announcedDecoding: DecodeOptions;
  @Inject(AccessControl)
  private readonly access!: AccessControl;
  @Inject(Refusals)
  private readonly refusals!: Refusals;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly hub: MessageHub,
    private readonly dispatcher: ListenerDispatcher,
    private readonly loginHandler: LoginHandler,
    private readonly actions: HubActions,
    private readonly options: GatewayOptions,
    private readonly turn: EventLoopTurn,
    private readonly readControl: ReadControl,
  ) {
    const { maxNestingDepth } = options;
    this.#legacyDecoding = { maxNestingDepth, allowExt: false };
    this.#announcedDecoding = { maxNestingDepth, allowExt: true };
  }

  /** Handles one whole frame. Never throws: what is wrong is answered, or kept silent towards old clients. */
  receive(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void {
    try {
      this.#handle(connection, data, isBinary);
    } catch (error) {
      // a fault of the hub: it costs this one frame, not the process
      this.#logger.error(`A frame of ${quoted(connection.client?.clientId ?? connection.remoteAddress)} could not be handled.`, error);
      this.#refuse(connection, CrossCommError.from(error), null);
    }
  }

  #handle(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void {
    // a replaced or refused peer may not log in again through the socket that is being closed
    if (connection.isClosing) return;
    if (connection.heldFrames !== undefined) {
      connection.heldFrames.push({ data, isBinary });
      return;
    }
    const identity = connection.client;
    if (identity !== undefined) {
      const { nowMs } = this.turn;
      identity.lastHeardAtMs = nowMs;
      this.readControl.spend(connection, data.length, nowMs);
    } else if (!this.#mayStillLogin(connection, data)) return;
    let envelope: Envelope;
    let frame = data;
    try {
      const options = connection.isAnnounced ? this.#announcedDecoding : this.#legacyDecoding;
      // receivers get text frames, whatever the sender used (wire facts 1)
      if (isBinary) frame = Buffer.from(textOfBinaryFrame(data));
      envelope = decodeTextFrame(frame, options);
    } catch (error) {
      this.#refuse(connection, CrossCommError.from(error), null);
      return;
    }
    if (envelope.msgType === 'login') {
      const decided = this.loginHandler.login(connection, envelope);
      if (decided !== undefined) void this.#holdUntil(connection, decided);
      return;
    }
    if (identity === undefined) {
      this.#refuse(connection, new CrossCommError('CC_NOT_LOGGED_IN'), envelope.msgId);
      return;
    }
    if (envelope.fromClientId !== identity.clientId) {
      this.#refuse(connection, new CrossCommError('CC_IDENTITY_MISMATCH'), envelope.msgId);
      return;
    }
    switch (roleOf(envelope.msgType)) {
      case 'user':
        this.#forward(connection, identity as ConnectedClient, { envelope, frame });
        break;
      case 'control':
        this.#control(connection, envelope);
        break;
      case 'request':
        this.#request(connection, envelope);
        break;
      default:
        this.#refuse(connection, new CrossCommError('CC_TYPE_NOT_ALLOWED', `The type is "${envelope.msgType}".`), envelope.msgId);
    }
  }

  /** Frames right behind a login that takes its time wait for it, in their order. */
  async #holdUntil(connection: WebSocketConnection, decided: Promise<void>): Promise<void> {
    connection.hold();
    await decided;
    for (const { data, isBinary } of connection.release()) this.receive(connection, data, isBinary);
  }

  #forward(connection: WebSocketConnection, sender: ConnectedClient, { envelope, frame }: { envelope: Envelope; frame: Buffer }): void {
    const refusal = this.access.sendRefusal(connection, envelope.toClientId, envelope.msgType);
    if (refusal !== undefined) {
      sendError(connection, refusal, envelope.msgId);
      return;
    }
    this.turn.messageBegins(hasMoreRead(connection.webSocket) ?? true);
    const { error } = this.hub.route(envelope, frame);
    this.turn.messageEnds();
    if (error !== undefined) sendError(connection, error, envelope.msgId);
    this.dispatcher.dispatch(sender, envelope);
  }

  #control(connection: WebSocketConnection, envelope: Envelope): void {
    switch (envelope.msgType) {
      case 'logout':
        this.registry.logout(connection);
        break;
      case 'list_clients':
        this.#list(connection, envelope);
        break;
      default:
      // a heartbeat has done its work by being heard
    }
  }

  #list(connection: WebSocketConnection, { fromClientId, content, msgId }: Envelope): void {
    const onlyOnline = parseListRequest(content);
    let clients = this.registry.wireList(Boolean(onlyOnline));
    try {
      this.access.assertMayList(connection);
    } catch (error) {
      // an old client waits for an answer; it sees itself
      if (connection.isAnnounced) return sendError(connection, CrossCommError.from(error), msgId);
      clients = clients.filter(({ client_id: id }) => id === fromClientId);
    }
    const { maxReceiveBytes: maxBytes } = connection;
    const outcome = connection.send(listReply(clients, { toClientId: fromClientId, onlyShowOnline: onlyOnline, maxBytes }));
    if (outcome === 'too-large') this.#refuse(connection, new CrossCommError('CC_RECEIVER_LIMIT', 'The list is too long.'), msgId);
  }

  #request(connection: WebSocketConnection, envelope: Envelope): void {
    if (!connection.isAnnounced) {
      this.#refuse(connection, new CrossCommError('CC_TYPE_NOT_ALLOWED', 'Requests need protocol 2.'), envelope.msgId);
      return;
    }
    void this.actions.answer(connection, envelope);
  }

  /** Counts a ping, which is answered and costs as much as a message. */
  pinged(connection: WebSocketConnection, data: Buffer): void {
    if (connection.isClosing) return;
    if (connection.client === undefined) this.#mayStillLogin(connection, data);
    else this.readControl.spend(connection, data.length, this.turn.nowMs);
    // who does not read the answers must not pile them up
    if (connection.bufferedBytes > this.options.maxBufferedBytes) connection.terminate();
  }

  /** Before login a peer may send one small frame after the other, but not many, and not much in all. */
  #mayStillLogin(connection: WebSocketConnection, data: Buffer): boolean {
    const { maxLoginBytes, maxLoginFrames } = this.options;
    connection.bytesBeforeLogin += data.length;
    connection.framesBeforeLogin++;
    const isTooMuch = connection.bytesBeforeLogin > maxLoginBytes;
    if (!isTooMuch && connection.framesBeforeLogin <= maxLoginFrames) return true;
    this.refusals.add('before_login', `Closed a connection from ${connection.remoteAddress}: too ${isTooMuch ? 'much' : 'many frames'} before its login.`);
    if (isTooMuch) connection.close(CloseCode.TOO_LARGE, `more than ${maxLoginBytes} bytes before login`);
    else connection.close(CloseCode.RATE_LIMITED, `more than ${maxLoginFrames} frames before login`);
    return false;
  }

  #refuse(connection: WebSocketConnection, error: CrossCommError, msgId: string | null): void {
    const named = error.data?.['msgId'];
    this.refusals.count('bad_frame');
    // one line per connection, so that a broken client does not fill the log
    if (!connection.wasRefused) this.#logger.debug(`Refused a frame of ${quoted(connection.client?.clientId ?? connection.remoteAddress)}: ${error.code}`);
    connection.wasRefused = true;
    sendError(connection, error, msgId ?? (typeof named === 'string' ? named : null));
  }
}
