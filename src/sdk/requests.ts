import { CrossCommError, SERVER_ID, assertClientId, parseRequest, replyTo, type Envelope, type ResponseContent } from '../protocol/index.js';
import type { ClientProblem } from './client-problem.js';
import type { CallOptions } from './deadline.js';
import type { FrameContent } from './frame-writer.js';
import { PendingCall } from './pending-call.js';
import { wireContent } from './send-message.js';
import type { Session } from './session.js';

/** Time a request waits for its answer unless told otherwise. */
const REQUEST_TIMEOUT_MS = 10_000;

/** What is asked of whom. */
export interface Request {
  /** A client's id, or `"server"`. */
  readonly to: string;
  readonly action: string;
  readonly data: unknown;
}

/** How it is asked. */
export interface RequestOptions extends CallOptions {
  /** Sees the answer before any later frame. */
  readonly onAnswer?: (data: unknown) => void;
}

export interface RequestsContext {
  /** The session that is logged in. */
  online(): Session | undefined;
  /**
   * Sends a frame that must not wait; returns its id.
   * @throws CrossCommError `CC_NOT_CONNECTED`, `CC_TOO_LARGE`
   */
  send(content: FrameContent): string;
  report(problem: ClientProblem): void;
}

/** What this client has asked the hub and other clients. */
export class Requests {
  readonly #context: RequestsContext;
  /** By message id. */
  readonly #pending = new Map<string, { readonly to: string; readonly onAnswer: RequestOptions['onAnswer']; readonly call: PendingCall<unknown> }>();

  constructor(context: RequestsContext) {
    this.#context = context;
  }

  /** @throws CrossCommError see `CrossCommClient.request` */
  async request({ to, action, data }: Request, { timeoutMs = REQUEST_TIMEOUT_MS, onAnswer, ...options }: RequestOptions = {}): Promise<unknown> {
    if (to !== SERVER_ID) assertClientId(to);
    parseRequest({ action });
    if (this.#context.online() && !this.#can(to === SERVER_ID ? 'requests' : 'calls')) throw new CrossCommError('CC_UNSUPPORTED', 'This server takes no such requests.');
    // what has no end is written as null
    const content = { action, data: wireContent('dict', data ?? null), timeout_ms: timeoutMs < Infinity ? timeoutMs : undefined };
    const msgId = this.#context.send({ msgType: 'request', toClientId: to, content });
    const call = new PendingCall<unknown>(() => this.#pending.delete(msgId));
    this.#pending.set(msgId, { to, onAnswer, call });
    try {
      return await call.wait({ timeoutMs, ...options });
    } catch (error) {
      const { code } = error as CrossCommError;
      if (code === 'CC_ABORTED' || code === 'CC_TIMEOUT') this.#cancel(to, msgId);
      throw error;
    }
  }

  /** Asks the hub. */
  readonly hub = (action: string, data: unknown, options?: RequestOptions): Promise<unknown> => this.request({ to: SERVER_ID, action, data }, options);

  /** Asks the hub for what every new connection is told; when that is lost again, the next one takes care. */
  renew(action: string, data: unknown, options?: RequestOptions): void {
    this.hub(action, data, options).catch((error: CrossCommError) => {
      if (error.code !== 'CC_NOT_CONNECTED') this.#context.report({ kind: 'refused', error, msgId: undefined });
    });
  }

  /** Takes a `response`, which counts from the one that was asked only. */
  answered({ fromClientId, content }: Envelope): void {
    const pending = this.#pending.get(replyTo(content) ?? '');
    if (!pending || pending.to !== fromClientId) return;
    const { data, error } = content as ResponseContent;
    if (error) pending.call.reject(CrossCommError.fromWire(error, 'CC_HANDLER_FAILED'));
    else {
      pending.onAnswer?.(data);
      pending.call.resolve(data);
    }
  }

  /** Takes an `error` of the hub about message `msgId`; `false` when it is not about a request. */
  refused(msgId: string | undefined, error: CrossCommError): boolean {
    const pending = this.#pending.get(msgId ?? '');
    pending?.call.reject(error);
    return pending !== undefined;
  }

  /** The connection is gone, and with it all answers. */
  failAll(error: CrossCommError): void {
    for (const { call } of this.#pending.values()) call.reject(error);
  }

  #can(feature: string): boolean {
    return this.#context.online()?.welcome?.features.includes(feature) === true;
  }

  /** Nobody waits any more; the other side may stop its work. */
  #cancel(to: string, msgId: string): void {
    if (!this.#can('calls')) return;
    try {
      this.#context.send({ msgType: 'cancel', toClientId: to, content: { reply_to: msgId } });
    } catch (error) {
      // without a connection the hub knows already
      if ((error as CrossCommError).code !== 'CC_NOT_CONNECTED') throw error;
    }
  }
}
