import { Injectable, Logger } from '@nestjs/common';
import { sendError, type ConnectedClient } from '../clients/index.js';
import type { ReceivedMessage } from '../delivery/index.js';
import { CloseCode, CrossCommError, quoted, roleOf, type DecodeOptions, type Envelope } from '../protocol/index.js';
import { Refusals } from '../security/index.js';
import { ClientControls } from './client-controls.js';
import { EventLoopTurn } from './event-loop-turn.js';
import { decodeTextFrame } from './frame-decoder.js';
import { textOfBinaryFrame } from './frame-text.js';
import { GatewayOptions } from './gateway.options.js';
import { InboundRequests } from './inbound-requests.js';
import { LoginHandler } from './login.handler.js';
import { MessageForwarder } from './message-forwarder.js';
import { ReadControl } from './read-control.js';
import { hasMoreRead } from './web-socket-inside.js';
import type { HeldFrame, WebSocketConnection } from './web-socket.connection.js';

/** Frames beyond this size are looked at for how long they take. */
const LARGE_FRAME_BYTES = 16 * 1024;

/** A turn of the event loop in which others have waited long enough, in milliseconds. */
const LONG_TURN_MS = 5;

/**
 * The way of every inbound frame, top to bottom: decode, who speaks, route, listen. Straight-line and synchronous, so
 * that the frames of one socket are handled in their order.
 */
@Injectable()
export class InboundPipeline {
  readonly #logger = new Logger(InboundPipeline.name);
  readonly #legacyDecoding: DecodeOptions;
  readonly #announcedDecoding: DecodeOptions;

  constructor(
    private readonly loginHandler: LoginHandler,
    private readonly forwarder: MessageForwarder,
    private readonly controls: ClientControls,
    private readonly requests: InboundRequests,
    private readonly options: GatewayOptions,
    private readonly turn: EventLoopTurn,
    private readonly readControl: ReadControl,
    private readonly refusals: Refusals,
  ) {
    const { maxNestingDepth } = options;
    this.#legacyDecoding = { maxNestingDepth, allowExt: false };
    this.#announcedDecoding = { maxNestingDepth, allowExt: true };
  }

  /** Handles one whole frame. Never throws: what is wrong is answered, or kept silent towards old clients. */
  receive(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void {
    const startedMs = data.length > LARGE_FRAME_BYTES ? performance.now() : 0;
    try {
      this.#handle(connection, data, isBinary);
    } catch (error) {
      // a fault of the hub: it costs this one frame, not the process
      this.#logger.error(`A frame of ${quoted(connection.client?.clientId ?? connection.remoteAddress)} could not be handled.`, error);
      this.#refuse(connection, CrossCommError.from(error), null);
    }
    if (startedMs > 0) this.#took(connection, startedMs);
  }

  #handle(connection: WebSocketConnection, data: Buffer, isBinary: boolean): void {
    // a replaced or refused peer may not log in again through the socket that is being closed
    if (connection.isClosing) {
      this.#afterwards(connection, data);
      return;
    }
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
    try {
      this.#dispatch(connection, identity as ConnectedClient, { envelope, frame });
    } catch (error) {
      this.#refuse(connection, CrossCommError.from(error), envelope.msgId);
    }
  }

  /** @throws CrossCommError why the frame is refused */
  #dispatch(connection: WebSocketConnection, client: ConnectedClient, message: ReceivedMessage): void {
    const { envelope, frame } = message;
    switch (roleOf(envelope.msgType)) {
      case 'user':
        this.#forward(connection, client, message);
        break;
      case 'control':
        this.#control(connection, envelope);
        break;
      case 'confirm':
        this.controls.confirm(connection, client.clientId, envelope.content);
        break;
      case 'request':
      case 'response':
      case 'cancel':
        this.#request(connection, envelope, frame);
        break;
      default:
        throw new CrossCommError('CC_TYPE_NOT_ALLOWED', `The type is "${envelope.msgType}".`);
    }
  }

  /** What a connection whose end is decided had under way: nothing counts but the word that mail was processed. */
  #afterwards(connection: WebSocketConnection, data: Buffer): void {
    const { mailOwner } = connection;
    if (mailOwner === undefined) return;
    try {
      const { msgType, fromClientId, content } = decodeTextFrame(data, this.#announcedDecoding);
      if (msgType === 'confirm' && fromClientId === mailOwner) this.controls.confirm(connection, mailOwner, content);
    } catch (error) {
      this.refusals.add('bad_frame', `A last frame of ${quoted(mailOwner)} was ignored: ${CrossCommError.from(error).code}`, 'debug');
    }
  }

  /** Frames right behind a login that takes its time, or a message that has to wait, wait too, in their order. */
  async #holdUntil(connection: WebSocketConnection, decided: Promise<void>, first: readonly HeldFrame[] = []): Promise<void> {
    connection.hold(first);
    await decided;
    for (const { data, isBinary } of connection.release()) this.receive(connection, data, isBinary);
  }

  #control(connection: WebSocketConnection, envelope: Envelope): void {
    const startedMs = performance.now();
    this.controls.control(connection, envelope);
    this.#took(connection, startedMs);
  }

  #forward(connection: WebSocketConnection, client: ConnectedClient, message: ReceivedMessage): void {
    const slow = this.forwarder.forward(connection, client, message);
    // it is the first of what its sender then has to wait with
    if (slow !== undefined) void this.#holdUntil(connection, slow, [{ data: message.frame, isBinary: false }]);
  }

  #request(connection: WebSocketConnection, envelope: Envelope, frame: Buffer): void {
    const startedMs = performance.now();
    this.turn.messageBegins(hasMoreRead(connection.webSocket) ?? true);
    try {
      this.requests.receive(connection, envelope, frame);
    } finally {
      this.turn.messageEnds();
      this.#took(connection, startedMs);
    }
  }

  /**
   * Something was handled that may cost much more than it weighs: a large frame, or a question with a long answer. Its
   * time counts, and where it made the turn of the event loop long, what its sender sent behind it waits until the
   * others had theirs.
   */
  #took(connection: WebSocketConnection, startedMs: number): void {
    const endedMs = performance.now();
    this.readControl.spendTime(connection, endedMs - startedMs, endedMs);
    if (endedMs - this.turn.nowMs > LONG_TURN_MS && connection.heldFrames === undefined && connection.isOpen)
      void this.#holdUntil(connection, new Promise((resolve) => setImmediate(resolve)));
  }

  /**
   * Counts a ping, which is answered and costs as much as a message, or a pong. Uncounted they would also bring no end of
   * bytes between the fragments of one message, each of which keeps alive all that was read together with it.
   */
  pinged(connection: WebSocketConnection, data: Buffer): void {
    if (connection.isClosing) return;
    if (connection.client === undefined) this.#mayStillLogin(connection, data);
    else this.readControl.spend(connection, data.length, this.turn.nowMs);
    // who does not read the answers must not pile them up
    if (connection.bufferedBytes <= this.options.maxBufferedBytes) return;
    this.refusals.add('slow_receiver', `Cut off ${quoted(connection.client?.clientId ?? connection.remoteAddress)}, which pings and does not read the answers.`);
    connection.terminate();
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
    // what is not allowed has been counted as such, and a fault of the hub or its application is none of the client
    if (error.code !== 'CC_NOT_ALLOWED' && error.code !== 'CC_INTERNAL') {
      // no more than one line per connection, so that one broken client does not hide the others
      if (connection.wasRefused) this.refusals.count('bad_frame');
      else this.refusals.add('bad_frame', `Refused a frame of ${quoted(connection.client?.clientId ?? connection.remoteAddress)}: ${error.code}`, 'debug');
      connection.wasRefused = true;
    }
    sendError(connection, error, msgId ?? (typeof named === 'string' ? named : null));
  }
}
