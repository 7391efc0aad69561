import { CrossCommError, type Envelope } from '../protocol/index.js';
import type { ClientStatus } from './client-status.js';
import { MAX_TIMER_MS } from './deadline.js';
import { detailOf, type SessionEnd } from './session-end.js';
import { reconnectDelayMs } from './reconnect-policy.js';
import { Session, type SessionContext } from './session.js';

export type ConnectionContext = Omit<SessionContext, 'isReconnect' | 'knowsHub' | 'token'>;

export interface ConnectionEvents {
  onStatus(status: ClientStatus): void;
  onOnline(session: Session): void;
  onEnvelope(envelope: Envelope): void;
  onBadFrame(error: CrossCommError): void;
  /** A session ended; what waited for its answers will not get them. */
  onLost(error: CrossCommError): void;
}

/** A session that was online for so long counts as a success: the next loss begins with attempt 1 again. */
const STABLE_MS = 5_000;

/** At most one session at a time, and a new one after a loss. */
export class ReconnectingConnection {
  readonly #context: ConnectionContext;
  readonly #events: ConnectionEvents;
  #status: ClientStatus = { state: 'idle' };
  #session: Session | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  /** Whether a failed attempt is followed by another one: after the first success, or on request. */
  #keepsTrying = false;
  #wasOnline = false;
  #knowsHub = false;
  /** Counts starts and stops, so that an address that arrives late is known to be stale. */
  #run = 0;
  #url = '';
  #onStopped: (() => void) | undefined;

  constructor(context: ConnectionContext, events: ConnectionEvents) {
    this.#context = context;
    this.#events = events;
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** The address of the newest connection, or an empty string before the first. */
  get url(): string {
    return this.#url;
  }

  /** The session that is logged in. */
  get online(): Session | undefined {
    return this.#status.state === 'online' ? this.#session : undefined;
  }

  /** Begins to connect. Only from `idle` and `closed`. */
  start(keepsTrying: boolean): void {
    this.#run++;
    this.#attempt = 0;
    this.#wasOnline = false;
    this.#keepsTrying = keepsTrying;
    this.#setStatus({ state: 'connecting' });
    void this.#connect();
  }

  /**
   * Ends it and resolves when the socket is gone.
   * @param reason why the client gives up, and then it cuts the connection; without one it logs out properly
   */
  async stop(reason?: CrossCommError): Promise<void> {
    this.#run++;
    clearTimeout(this.#timer);
    const session = this.#session;
    if (session) {
      const stopped = new Promise<void>((resolve) => {
        this.#onStopped = () => {
          this.#setStatus({ state: 'closed', reason });
          resolve();
        };
      });
      if (reason) session.terminate(reason);
      else session.logout();
      await stopped;
    } else if (this.#status.state !== 'closed' && this.#status.state !== 'idle') {
      this.#setStatus({ state: 'closed', reason });
    }
  }

  async #connect(): Promise<void> {
    const run = this.#run;
    const { settings } = this.#context;
    let address: string;
    let token: string | undefined;
    try {
      address = await ask(settings.url);
      token = await ask(settings.token);
    } catch (cause) {
      if (run === this.#run)
        this.#ended({ error: new CrossCommError('CC_CONNECT_FAILED', { detail: detailOf(cause), cause }), reconnect: true });
      return;
    }
    if (run !== this.#run) return;
    const session = new Session(
      { ...this.#context, token, isReconnect: this.#wasOnline, knowsHub: this.#knowsHub },
      {
        ...this.#events,
        onOnline: (online) => this.#onOnline(online),
        onEnd: (end) => this.#ended(end),
      },
    );
    this.#session = session;
    this.#url = address;
    session.open(address);
  }

  #onOnline(session: Session): void {
    this.#keepsTrying = true;
    this.#wasOnline = true;
    const { welcome } = session;
    this.#knowsHub ||= welcome !== undefined;
    this.#setStatus({ state: 'online', protocolVersion: welcome?.protocol ?? 1, session: welcome?.session ?? '' });
    this.#events.onOnline(session);
  }

  #ended(end: SessionEnd): void {
    const onlineSinceMs = this.#session?.onlineSinceMs ?? 0;
    this.#session = undefined;
    // before the status: its handlers may begin anew
    this.#events.onLost(end.error);
    const { settings } = this.#context;
    if (onlineSinceMs !== 0 && settings.clock.now() - onlineSinceMs >= STABLE_MS) this.#attempt = 0;
    const { reconnect } = settings;
    const onStopped = this.#onStopped;
    this.#onStopped = undefined;
    if (onStopped) onStopped();
    else if (!end.reconnect || reconnect === false || !this.#keepsTrying || this.#attempt >= reconnect.maxAttempts) {
      this.#setStatus({ state: 'closed', reason: end.error });
    } else {
      this.#attempt++;
      const jitterMs = reconnectDelayMs(reconnect, this.#attempt, settings.random());
      const { code, retryAfterMs = 0 } = end.error;
      // a hub that goes spreads its clients by itself
      const delayMs = code === 'CC_SHUTTING_DOWN' && retryAfterMs > 0 ? retryAfterMs : Math.max(jitterMs, retryAfterMs);
      const nextDelayMs = Math.min(MAX_TIMER_MS, delayMs);
      this.#timer = setTimeout(() => void this.#connect(), nextDelayMs);
      this.#setStatus({ state: 'reconnecting', attempt: this.#attempt, nextDelayMs, reason: end.error });
    }
  }

  #setStatus(status: ClientStatus): void {
    this.#status = status;
    this.#events.onStatus(status);
  }
}

function ask<Given>(given: Given | (() => Given | Promise<Given>)): Given | Promise<Given> {
  return typeof given === 'function' ? (given as () => Given | Promise<Given>)() : given;
}
