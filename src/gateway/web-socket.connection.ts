import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { bufferOf, Connection, type FrameSource, type OutboundMessage, type SendOutcome } from '../clients/index.js';
import { PROTOCOL_LIMITS, type CloseCode } from '../protocol/index.js';
import type { AuthRequest, RateAccount } from '../security/index.js';
import type { GatewayOptions } from './gateway.options.js';
import { FrameBatch } from './frame-batch.js';
import type { BatchWriter, EventLoopTurn } from './event-loop-turn.js';
import type { BufferedReceiver, Slowness, SlowReceivers } from './slow-receivers.js';

const TEXT_FRAME = { binary: false, fin: true, mask: false };

/** Held back bytes beyond which a socket is written to within the turn, so that a burst does not look like a slow receiver. */
const FLUSH_BYTES = 128 * 1024;

/** Smallest message that compression, where it is switched on, is worth its cost for. */
const COMPRESS_BYTES = 1024;

/** Longest reason of a close frame (RFC 6455, 5.5); `ws` throws beyond it. */
const MAX_REASON_BYTES = 123;

/** `readyState` of an open WebSocket. */
const OPEN = 1;

/** What the upgrade told of the peer. */
export type Handshake = Pick<AuthRequest, 'basic' | 'bearer' | 'headers' | 'tlsPeer'>;

/** A frame that waits. */
export interface HeldFrame {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** What a {@link WebSocketConnection} is made of. */
export interface WebSocketConnectionParts {
  readonly webSocket: WebSocket;
  /** The socket below, as the upgrade event gave it. */
  readonly socket: Duplex;
  readonly remoteAddress: string;
  readonly options: GatewayOptions;
  readonly turn: EventLoopTurn;
  readonly slowReceivers: SlowReceivers;
}

/** A client behind a WebSocket. */
export class WebSocketConnection extends Connection implements BatchWriter, BufferedReceiver, RateAccount {
  override readonly transport = 'websocket';
  override readonly remoteAddress: string;
  readonly socket: Duplex;
  readonly webSocket: WebSocket;
  /** Bytes of messages received before login. */
  bytesBeforeLogin = 0;
  /** Frames received before login. */
  framesBeforeLogin = 0;
  /** What the upgrade told of the peer; only kept where an authenticator wants to know. */
  handshake: Handshake | undefined;
  /** Names the credential of the login, without giving it away. */
  credential: string | undefined;
  /** Unix seconds when its login ends; undefined: it has no end. */
  expiresAt: number | undefined;
  /** Number of the login that bound its id. */
  loginNumber = 0;
  /** Frames behind a login that is not decided yet, or a message that has to wait; undefined while there is none. */
  heldFrames: HeldFrame[] | undefined;
  messagesUsedUntilMs = 0;
  bytesUsedUntilMs = 0;
  /** Whether its messages are durable unless they say otherwise. */
  sendsDurably = false;
  /** Whose mail it was sent; stays when the connection loses the id, for what it then still confirms. */
  mailOwner: string | undefined;
  /** Since when it goes over its rate again and again, and when it was read again last; monotonic milliseconds. */
  overRateSinceMs = 0;
  readAgainAtMs = Number.NEGATIVE_INFINITY;
  /** Whether a frame of this connection was refused already. */
  wasRefused = false;
  freeBytes: number;
  slowness: Slowness | undefined;
  /** What is held back until the end of this turn. */
  #batch: FrameBatch | undefined;
  #isClosing = false;
  /** What closes it, while that waits for its peer's last word. */
  #closeNow: (() => void) | undefined;
  /** Who wants this socket not to be read, counted. */
  #stops = 0;
  readonly #options: GatewayOptions;
  readonly #turn: EventLoopTurn;
  readonly #slowReceivers: SlowReceivers;
  #isDrainWatched = false;
  /** Messages given to `ws` to be compressed that have not left. */
  #compressing = 0;

  constructor({ webSocket, socket, remoteAddress, options, turn, slowReceivers }: WebSocketConnectionParts) {
    super();
    this.webSocket = webSocket;
    this.socket = socket;
    this.remoteAddress = remoteAddress;
    this.#options = options;
    this.#turn = turn;
    this.#slowReceivers = slowReceivers;
    this.freeBytes = slowReceivers.freeBytes;
    // `ws` itself calls this too, to answer the peer's close or a broken frame: what is held back leaves before
    const close = webSocket.close.bind(webSocket);
    webSocket.close = (...args) => {
      slowReceivers.drained(this);
      this.flush();
      close(...args);
    };
  }

  /** Whether the end of this connection is decided; what its peer still sends is not read any more. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  override get bufferedBytes(): number {
    return this.unwrittenBytes + (this.slowness?.backlog.sizeBytes ?? 0);
  }

  get unwrittenBytes(): number {
    const held = this.#batch === undefined ? 0 : this.#batch.sizeBytes;
    return held + (this.#options.compression ? this.webSocket.bufferedAmount : this.socket.writableLength);
  }

  override get maxReceiveBytes(): number {
    return this.announcement?.maxMessageBytes ?? PROTOCOL_LIMITS.legacyReceiveBytes;
  }

  override send(message: OutboundMessage): SendOutcome {
    if (this.#isClosing || this.webSocket.readyState !== OPEN) return 'closed';
    const payload = this.announcement === undefined ? message.legacyFrame : message.source;
    if (payload.length > this.maxReceiveBytes) return 'too-large';
    if (this.unwrittenBytes + payload.length > this.freeBytes) return this.#slowReceivers.send(this, message, bufferOf(payload));
    this.write(payload);
    return 'sent';
  }

  /** Writes a frame, with the others of this turn. */
  write(payload: FrameSource): void {
    if (this.#options.compression) this.#compress(bufferOf(payload));
    else this.#hold(payload);
  }

  #compress(payload: Buffer): void {
    this.#compressing++;
    this.webSocket.send(payload, { ...TEXT_FRAME, compress: payload.length >= COMPRESS_BYTES }, this.#onCompressed);
  }

  readonly #onCompressed = (): void => {
    this.#compressing--;
    if (this.slowness !== undefined) this.#slowReceivers.written(this);
  };

  watchDrain(): boolean {
    // what waits to be compressed is not in the socket yet
    if (this.#options.compression) return this.#compressing > 0;
    if (!this.socket.writableNeedDrain) return false;
    if (!this.#isDrainWatched) this.socket.on('drain', () => this.#slowReceivers.drained(this));
    this.#isDrainWatched = true;
    return true;
  }

  #hold(payload: FrameSource): void {
    const held = this.#batch;
    this.#batch = (held ?? this.#turn.start).append(payload);
    if (held === undefined) {
      if (this.#turn.isLone) this.flush();
      else this.#turn.flushAtEnd(this);
    } else if (this.#batch.sizeBytes > FLUSH_BYTES) this.flush();
  }

  /** Writes what is held back: whole frames onto the socket below `ws`, which puts its own frames between them. */
  flush(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch === undefined || this.webSocket.readyState !== OPEN) return;
    const { chunks } = batch;
    if (chunks.length === 1) {
      this.socket.write(chunks[0]);
      return;
    }
    this.socket.cork();
    for (const chunk of chunks) this.socket.write(chunk);
    this.socket.uncork();
  }

  override close(code: CloseCode, reason: string): void {
    this.closeWithin(this.#options.closeTimeoutMs, code, reason);
  }

  /** As {@link close}, with another time for what is buffered to leave. */
  closeWithin(timeoutMs: number, code: CloseCode, reason: string): void {
    this.#closeNow?.();
    if (this.#isClosing) return;
    this.#end();
    this.#sendClose(timeoutMs, code, reason);
  }

  /** As {@link close}, but later: its peer may go on for `closeTimeoutMs`, or until `settled`, to say what became of its mail. */
  closeAfter(settled: Promise<void>, code: CloseCode, reason: string): void {
    if (this.#isClosing) return;
    this.#end();
    const timer = setTimeout(() => this.#closeNow?.(), this.#options.closeTimeoutMs);
    this.#closeNow = () => {
      this.#closeNow = undefined;
      clearTimeout(timer);
      this.#sendClose(this.#options.closeTimeoutMs, code, reason);
    };
    this.webSocket.once('close', () => clearTimeout(timer));
    void settled.then(() => this.#closeNow?.());
  }

  #end(): void {
    this.#isClosing = true;
    // a socket that is not read never sees the answer
    if (this.#stops > 0) this.webSocket.resume();
  }

  #sendClose(timeoutMs: number, code: CloseCode, reason: string): void {
    this.webSocket.close(code, closeReason(reason));
    // the Java client never answers a close (wire facts 7); a peer that does not read cannot
    const cut = setTimeout(() => this.webSocket.terminate(), timeoutMs);
    this.webSocket.once('close', () => clearTimeout(cut));
  }

  /** Whether the socket is open and is to stay so. */
  get isOpen(): boolean {
    return !this.#isClosing && this.webSocket.readyState === OPEN;
  }

  /**
   * Puts frames aside until {@link release}, and reads no more of them: what can still come is the rest of what one
   * read of the socket brought.
   * @param first what is put aside already
   */
  hold(first: readonly HeldFrame[]): void {
    this.heldFrames = [...first];
    this.stopReading();
  }

  /** Goes on reading. @returns what was put aside, in its order */
  release(): readonly HeldFrame[] {
    const held = this.heldFrames ?? [];
    this.heldFrames = undefined;
    this.continueReading();
    return held;
  }

  override get isReadingStopped(): boolean {
    return this.#stops > 0;
  }

  override stopReading(): void {
    this.#stops++;
    if (!this.#isClosing) this.webSocket.pause();
  }

  override continueReading(): void {
    if (--this.#stops === 0) this.webSocket.resume();
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.#isClosing = true;
    this.webSocket.terminate();
  }
}

/** As much of a reason as a close frame holds, in whole characters. */
function closeReason(reason: string): string {
  // decoded as a stream, half a character at the end is waited for and so left out
  return new TextDecoder().decode(Buffer.from(reason).subarray(0, MAX_REASON_BYTES), { stream: true });
}
