import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { Connection, type OutboundMessage, type SendOutcome } from '../clients/index.js';
import { CloseCode, PROTOCOL_LIMITS } from '../protocol/index.js';
import type { GatewayOptions } from './gateway.options.js';
import type { Corkable, WriteCorker } from './write-corker.js';

const TEXT_FRAME = { binary: false, compress: false, fin: true, mask: false };
const COMPRESSED_TEXT_FRAME = { ...TEXT_FRAME, compress: true };

/** `readyState` of an open socket; the class itself is not imported for one number. */
const OPEN: WebSocket['OPEN'] = 1;

/** Corked bytes beyond which a socket is written to within the turn, so that a burst does not look like a slow receiver. */
const FLUSH_BYTES = 128 * 1024;

/** What a {@link WebSocketConnection} is made of. */
export interface WebSocketConnectionParts {
  readonly webSocket: WebSocket;
  /** The socket below, as the upgrade event gave it. */
  readonly socket: Duplex;
  readonly remoteAddress: string;
  readonly options: GatewayOptions;
  readonly corker: WriteCorker;
  /** Called once, when the receiver is given up for not reading. */
  readonly onOverflow: (connection: WebSocketConnection) => void;
}

/** A client behind a WebSocket. */
export class WebSocketConnection extends Connection implements Corkable {
  override readonly transport = 'websocket';
  override readonly remoteAddress: string;
  readonly socket: Duplex;
  readonly webSocket: WebSocket;
  /** Bytes of messages received before login. */
  bytesBeforeLogin = 0;
  #isCorked = false;
  #isClosing = false;
  readonly #options: GatewayOptions;
  readonly #corker: WriteCorker;
  readonly #onOverflow: (connection: WebSocketConnection) => void;

  constructor({ webSocket, socket, remoteAddress, options, corker, onOverflow }: WebSocketConnectionParts) {
    super();
    this.webSocket = webSocket;
    this.socket = socket;
    this.remoteAddress = remoteAddress;
    this.#options = options;
    this.#corker = corker;
    this.#onOverflow = onOverflow;
  }

  /** Whether the end of this connection is decided; what its peer still sends is not read any more. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  override get bufferedBytes(): number {
    return this.webSocket.bufferedAmount;
  }

  /** Largest message this client can take, in bytes. */
  get maxReceiveBytes(): number {
    return this.announcement?.maxMessageBytes ?? PROTOCOL_LIMITS.legacyReceiveBytes;
  }

  override send(message: OutboundMessage): SendOutcome {
    if (this.#isClosing || this.webSocket.readyState !== OPEN) return 'closed';
    const frame = this.announcement === undefined ? message.legacyFrame : message.frame;
    if (frame.length > this.maxReceiveBytes) return 'too-large';
    const waiting = this.webSocket.bufferedAmount;
    // with nothing waiting the receiver is not slow, however large this one message is
    if (waiting > 0 && waiting + frame.length > this.#options.maxBufferedBytes) {
      this.#onOverflow(this);
      this.close(CloseCode.SLOW_RECEIVER, `more than ${this.#options.maxBufferedBytes} bytes unread`);
      return 'overflow';
    }
    if (this.#isCorked) {
      if (this.socket.writableLength > FLUSH_BYTES) this.socket.uncork();
    } else {
      this.#isCorked = true;
      this.#corker.cork(this);
    }
    this.webSocket.send(frame, this.#options.compression && frame.length >= 1024 ? COMPRESSED_TEXT_FRAME : TEXT_FRAME);
    return 'sent';
  }

  override close(code: CloseCode, reason: string): void {
    this.closeWithin(this.#options.closeTimeoutMs, code, reason);
  }

  /** As {@link close}, with another time for what is buffered to leave. */
  closeWithin(timeoutMs: number, code: CloseCode, reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.webSocket.close(code, reason.slice(0, 120));
    // the Java client never answers a close (wire facts 7); a peer that does not read cannot
    const cut = setTimeout(() => this.webSocket.terminate(), timeoutMs);
    this.webSocket.once('close', () => clearTimeout(cut));
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#isClosing = true;
    this.webSocket.terminate();
  }

  /** Called by the corker at the end of the turn. */
  uncorked(): void {
    this.#isCorked = false;
  }
}
