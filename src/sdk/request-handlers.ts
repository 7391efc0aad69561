import { CrossCommError, assertRequestAction, parseRequest, replyTo, type Envelope } from '../protocol/index.js';
import type { ClientProblem } from './client-problem.js';
import type { FrameContent } from './frame-writer.js';
import { wireContent } from './send-message.js';

/** What a handler is told about a request besides its data. */
export interface RequestContext {
  /** Who asks: a client's id, or `"server"`. */
  readonly fromClientId: string;
  readonly action: string;
  /** Fires when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** Answers requests with what it returns or resolves with; a `CrossCommError` it throws is told to who asked. */
export type RequestFunction<Data = unknown> = (data: Data, context: RequestContext) => unknown;

/** Who answers an action. */
export interface ActionHandler {
  readonly action: string;
  readonly call: RequestFunction;
}

export interface RequestHandlersContext {
  /** Requests that may be worked on at a time. */
  readonly maxRunning: number;
  /** @throws CrossCommError `CC_NOT_CONNECTED`, `CC_TOO_LARGE` */
  send(content: FrameContent): string;
  report(problem: ClientProblem): void;
}

/** Answers the requests of others. */
export class RequestHandlers {
  readonly #context: RequestHandlersContext;
  readonly #handlers = new Map<string, ActionHandler>();
  /** By who asks and message id. */
  readonly #running = new Map<string, AbortController>();

  constructor(context: RequestHandlersContext) {
    this.#context = context;
  }

  /**
   * @returns removes them
   * @throws CrossCommError `CC_INVALID_LISTENER`, and then none was added
   */
  add(handlers: readonly ActionHandler[]): () => void {
    for (const { action, call } of handlers) {
      assertRequestAction(action, 'onRequest');
      if (typeof call !== 'function') throw new CrossCommError('CC_INVALID_LISTENER', 'onRequest needs a function.');
      if (this.#handlers.has(action)) throw new CrossCommError('CC_INVALID_LISTENER', `There is a handler for "${action}" already.`);
    }
    for (const handler of handlers) this.#handlers.set(handler.action, handler);
    return () => {
      for (const handler of handlers) if (this.#handlers.get(handler.action) === handler) this.#handlers.delete(handler.action);
    };
  }

  /** Takes a `request` and answers it, exactly once unless it is taken back. Never rejects. */
  async receive({ fromClientId, msgId, content }: Envelope): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    const key = keyOf(fromClientId, msgId);
    this.#running.set(key, controller);
    let action = '';
    let isDone = false;
    let answer: object;
    try {
      const request = parseRequest(content);
      ({ action } = request);
      const handler = this.#handlers.get(action);
      if (!handler) throw new CrossCommError('CC_NO_HANDLER', `The action is "${action}".`);
      if (this.#running.size > this.#context.maxRunning) throw new CrossCommError('CC_LIMIT_REACHED');
      const result = await handler.call(request.data, { fromClientId, action, signal });
      isDone = true;
      answer = { data: wireContent('dict', result ?? null) };
    } catch (cause) {
      const isMeant = cause instanceof CrossCommError && !isDone;
      // of anything else nothing but the failure is told: it may hold secrets
      const error = isMeant ? cause : new CrossCommError('CC_HANDLER_FAILED', { cause });
      if (!isMeant) this.#context.report({ kind: 'request', error: cause, action, fromClientId });
      answer = { error: error.toWire() };
    }
    if (this.#running.get(key) === controller) this.#running.delete(key);
    if (!signal.aborted) this.#answer(fromClientId, msgId, answer);
  }

  /** Takes a `cancel` of who asked. */
  cancelled({ fromClientId, content }: Envelope): void {
    this.#running.get(keyOf(fromClientId, replyTo(content) ?? ''))?.abort();
  }

  /** The connection is gone: no answer can be given any more. */
  abortAll(): void {
    for (const controller of this.#running.values()) controller.abort();
  }

  #answer(toClientId: string, reply_to: string, answer: object): void {
    try {
      this.#context.send({ msgType: 'response', toClientId, content: { reply_to, ...answer } });
    } catch (error) {
      const { code } = error as CrossCommError;
      if (code === 'CC_TOO_LARGE') this.#answer(toClientId, reply_to, { error: new CrossCommError(code, 'The answer is too large.').toWire() });
    }
  }
}

function keyOf(fromClientId: string, msgId: string): string {
  return `${fromClientId}\n${msgId}`;
}
