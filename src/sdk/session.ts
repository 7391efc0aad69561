import {
  CrossCommError,
  FEATURES,
  PROTOCOL_VERSION,
  SERVER_ID,
  decodeEnvelope,
  loginContent,
  parseLoginAnswer,
  replyTo,
  type Announcement,
  type CommMsgType,
  type DecodeOptions,
  type Envelope,
  type Welcome,
} from '../protocol/index.js';
import type { ClientSettings } from './client.options.js';
import { sessionEnd, type SessionEnd, type SocketClose } from './session-end.js';
import { frameSizeProblem } from './frame-size.js';
import type { FrameWriter } from './frame-writer.js';
import { Heartbeat } from './heartbeat.js';
import { Liveness } from './liveness.js';
import type { ClientTransport, OpenTransport } from './transports/client-transport.js';

export interface SessionContext {
  readonly settings: ClientSettings;
  readonly writer: FrameWriter;
  readonly openTransport: OpenTransport;
  readonly token: string | undefined;
  /** What the login says besides what the settings say. */
  announcement(): Pick<Announcement, 'resume' | 'will'>;
  /** Whether an earlier socket of this client may still be open on the server's side. */
  readonly isReconnect: boolean;
  /** Whether an earlier login was answered with protocol 2: silence is no sign of an old server then. */
  readonly knowsHub: boolean;
}

export interface SessionEvents {
  onOnline(session: Session): void;
  onEnvelope(envelope: Envelope): void;
  /** A frame that is no envelope of this protocol. */
  onBadFrame(error: CrossCommError): void;
  /** Exactly once, when the socket is gone. */
  onEnd(end: SessionEnd): void;
}

/** A Python server writes messages anew and makes them up to six times longer (wire facts 5.13). */
const PYTHON_GROWTH = 6;
/** Time the other side has to answer our close frame. */
const CLOSE_TIMEOUT_MS = 1_000;
/** The same time when what was sent before a logout has yet to leave this machine. */
const FLUSH_TIMEOUT_MS = 6_000;
/** How long a Python server may take to notice that an earlier socket is dead: 20 s to ping, 20 s to wait, 10 s to close. */
const HALF_OPEN_MS = 90_000;

/** One socket: opening, login, heartbeats, probes, end. */
export class Session {
  readonly #context: SessionContext;
  readonly #events: SessionEvents;
  /** What a protocol-2 hub said at login; undefined towards a protocol-1 server. */
  welcome: Welcome | undefined;
  /** Milliseconds since the epoch of the login; 0 when it never came to that. */
  onlineSinceMs = 0;
  #phase: 'connecting' | 'login' | 'online' | 'ending' | 'closed' = 'connecting';
  #transport: ClientTransport | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #end: SessionEnd | undefined;
  /** The hub has said that it is about to go: it reads nothing more, but still answers. */
  #shutdown: CrossCommError | undefined;
  #probeId = '';
  #decoding: DecodeOptions = { allowExt: true };
  readonly #heartbeat: Heartbeat;
  readonly #liveness: Liveness;

  constructor(context: SessionContext, events: SessionEvents) {
    this.#context = context;
    this.#events = events;
    this.#heartbeat = new Heartbeat(context.settings.clock, (afterGap) => this.#beat(afterGap));
    this.#liveness = new Liveness(context.settings, {
      probe: () => this.#probe(),
      dead: () => this.terminate(new CrossCommError('CC_HEARTBEAT_TIMEOUT', 'The hub does not answer.')),
    });
  }

  get bufferedBytes(): number {
    return this.#transport?.bufferedBytes ?? 0;
  }

  open(url: string): void {
    const { settings, openTransport } = this.#context;
    this.#timer = setTimeout(() => {
      this.terminate(new CrossCommError('CC_CONNECT_FAILED', `It took longer than ${settings.connectTimeoutMs} ms.`));
    }, settings.connectTimeoutMs);
    try {
      this.#transport = openTransport(
        { url, maxInboundBytes: settings.maxMessageBytes * PYTHON_GROWTH },
        {
          onOpen: () => this.#login(),
          onFrame: (text) => this.#receive(text),
          onPong: () => this.#liveness.heard(),
          onClose: (code, reason, error) => this.#closed(this.#endOf({ phase: this.#phase, code, reason, error })),
        },
      );
    } catch (cause) {
      const error = new CrossCommError('CC_INVALID_OPTION', { detail: 'The url is not valid.', cause });
      this.#closed({ error, reconnect: false });
    }
  }

  /** Why a frame may not be sent to this server. */
  sizeProblem(frame: string): CrossCommError | undefined {
    return frameSizeProblem(frame, this.welcome?.limits.maxMessageBytes);
  }

  /** Hands a frame to the socket; `false` when nobody is logged in on it, or the hub reads no more. */
  send(frame: string): boolean {
    return this.#phase === 'online' && !this.#shutdown && this.#transport?.send(frame) === true;
  }

  /** Stops or continues reading, where the platform can. */
  pause(paused: boolean): void {
    const transport = this.#transport;
    if (!transport?.pause) return;
    this.#liveness.suspend(paused);
    if (paused) transport.pause();
    else transport.resume?.();
  }

  /** Says goodbye behind everything sent before, then closes. */
  logout(): void {
    const isOnline = this.#phase === 'online';
    if (isOnline) this.#control('logout', {});
    this.#beginEnd({ error: new CrossCommError('CC_CLOSED'), reconnect: false });
    if (isOnline) this.#close();
    else this.#transport?.terminate();
  }

  /** Cuts the connection. */
  terminate(error: CrossCommError): void {
    if (this.#phase === 'closed') return;
    this.#beginEnd({ error, reconnect: true });
    this.#transport?.terminate();
  }

  #login(): void {
    if (this.#phase !== 'connecting') return;
    clearTimeout(this.#timer);
    this.#phase = 'login';
    this.#timer = setTimeout(() => this.#unanswered(), this.#context.settings.loginTimeoutMs);
    this.#sendLogin();
  }

  #sendLogin(): void {
    const { settings, token } = this.#context;
    const { mailbox, maxMessageBytes, maxUnconfirmed } = settings;
    const features = FEATURES.filter((feature) => mailbox || feature !== 'mailbox');
    const announcement = { protocol: PROTOCOL_VERSION, features, maxMessageBytes, maxUnconfirmed, ...this.#context.announcement() };
    this.#control('login', loginContent(announcement, token));
  }

  #receive(text: string): void {
    this.#liveness.heard();
    if (this.#phase === 'ending' || this.#phase === 'closed') return;
    let envelope: Envelope;
    try {
      envelope = decodeEnvelope(text, this.#decoding);
    } catch (error) {
      this.#events.onBadFrame(CrossCommError.from(error, 'CC_INVALID_FRAME'));
      return;
    }
    if (envelope.fromClientId === SERVER_ID) {
      if (envelope.msgType === 'login_response') this.#answered(envelope.content);
      if (this.#probeId !== '' && replyTo(envelope.content) === this.#probeId) return;
      if (this.welcome && envelope.msgType === 'error' && this.#isShutdown(envelope.content)) return;
    }
    this.#events.onEnvelope(envelope);
  }

  #isShutdown(content: unknown): boolean {
    const error = CrossCommError.fromWire(content);
    if (error.code !== 'CC_SHUTTING_DOWN' || replyTo(content)) return false;
    this.#shutdown = error;
    return true;
  }

  #answered(content: unknown): void {
    const answer = parseLoginAnswer(content);
    if (this.#phase === 'online') {
      // it was taken for an old server, and speaks protocol 2 from here on: begin again
      if (!this.welcome && answer.status === 'success' && answer.welcome) this.#late();
    } else if (answer.status === 'success') this.#online(answer.welcome);
    else {
      this.#beginEnd({ error: answer.error, reconnect: answer.error.retryable });
      this.#close();
    }
  }

  #unanswered(): void {
    if (this.#context.knowsHub) this.#late();
    else this.#online(undefined);
  }

  #late(): void {
    this.terminate(new CrossCommError('CC_TIMEOUT', 'The hub does not answer.'));
  }

  #online(welcome: Welcome | undefined): void {
    const { settings } = this.#context;
    clearTimeout(this.#timer);
    this.#phase = 'online';
    this.welcome = welcome;
    this.#decoding = welcome ? { allowExt: true, maxNestingDepth: welcome.limits.maxNestingDepth } : {};
    this.onlineSinceMs = settings.clock.now();
    this.#heartbeat.start(Math.min(settings.heartbeatIntervalMs, welcome?.heartbeatIntervalMs ?? Infinity));
    this.#liveness.start();
    this.#events.onOnline(this);
  }

  /**
   * A Python server that gave the client up, or that only now closes its earlier socket, delivers nothing until the
   * next login, whatever the heartbeats say (wire facts 5.8, 5.9, 9.3); a second login on the same socket is harmless.
   */
  #beat(afterGap: boolean): void {
    const { settings, isReconnect } = this.#context;
    const mayBeReplaced = isReconnect && settings.clock.now() - this.onlineSinceMs < HALF_OPEN_MS;
    if (!this.welcome && (afterGap || mayBeReplaced)) this.#sendLogin();
    this.#control('heartbeat', {});
  }

  #probe(): void {
    if (this.#transport?.ping) this.#transport.ping();
    else if (this.welcome?.features.includes('requests')) this.#probeId = this.#control('request', { action: 'ping', data: null });
    else this.#control('text', '', this.#context.settings.clientId);
  }

  #control(msgType: CommMsgType, content: unknown, toClientId: string = SERVER_ID): string {
    const { msgId, frame } = this.#context.writer.write({ msgType, toClientId, content });
    this.#transport?.send(frame);
    return msgId;
  }

  #beginEnd(end: SessionEnd): void {
    this.#end ??= end;
    this.#phase = 'ending';
    this.#stopTimers();
  }

  #close(): void {
    const timeoutMs = this.bufferedBytes === 0 ? CLOSE_TIMEOUT_MS : FLUSH_TIMEOUT_MS;
    this.#timer = setTimeout(() => this.#transport?.terminate(), timeoutMs);
    this.#transport?.close(1000, '');
  }

  /** A hub that goes says in time when to come back; its close codes do not. */
  #endOf(close: SocketClose): SessionEnd {
    const end = this.#end ?? sessionEnd(close);
    return end.reconnect && this.#shutdown ? { error: this.#shutdown, reconnect: true } : end;
  }

  #closed(end: SessionEnd): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#stopTimers();
    this.#events.onEnd(end);
  }

  #stopTimers(): void {
    clearTimeout(this.#timer);
    this.#heartbeat.stop();
    this.#liveness.stop();
  }
}
