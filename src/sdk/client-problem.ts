import type { CrossCommError, Message } from '../protocol/index.js';
import type { ClientLogger } from './logger.js';
import { Subscribers } from './subscribers.js';

/** Where a problem comes from that no call could report. */
export type ClientProblem =
  /** The hub refused a frame; `msgId` names the message as `sendMessage` returned it. */
  | { readonly kind: 'refused'; readonly error: CrossCommError; readonly msgId: string | undefined }
  /** A listener threw or rejected; `listener` is its class and method, or the function's name. */
  | { readonly kind: 'listener'; readonly error: unknown; readonly listener: string; readonly message: Message }
  /** An `onStatus` handler threw. */
  | { readonly kind: 'status'; readonly error: unknown }
  /** A handler of requests failed; who asked was told no more than that. */
  | { readonly kind: 'request'; readonly error: unknown; readonly action: string; readonly fromClientId: string }
  /** Another handler threw; `handler` is what it was registered with, e.g. `onDrain`. */
  | { readonly kind: 'handler'; readonly error: unknown; readonly handler: string }
  /** A frame arrived that this version cannot read; it was dropped. */
  | { readonly kind: 'frame'; readonly error: CrossCommError };

/**
 * @param error the hub's `CrossCommError` for kind `refused` and `frame`; for the others an error that
 *   names what failed, with the thrown value as its `cause`
 */
export type ProblemHandler = (error: Error, problem: ClientProblem) => void;

/** Hands problems to the handlers, or to the logger when there is none. */
export class ProblemReporter {
  readonly #logger: ClientLogger;
  readonly #handlers = new Subscribers<Parameters<ProblemHandler>>();

  constructor(logger: ClientLogger) {
    this.#logger = logger;
  }

  add(handle: ProblemHandler): () => void {
    return this.#handlers.add(handle);
  }

  readonly report = (problem: ClientProblem): void => {
    if (this.#handlers.count === 0) this.#log(problem);
    this.#handlers.call([errorOf(problem), problem], (error) => this.#logger.error('CrossComm: An onError handler failed.', error));
  };

  #log(problem: ClientProblem): void {
    const { message } = errorOf(problem);
    if (problem.kind === 'refused') this.#logger.warn(`CrossComm: message ${problem.msgId} was refused. ${message}`);
    else if (problem.kind === 'frame') this.#logger.warn(`CrossComm: a frame was dropped. ${message}`);
    else this.#logger.error(`CrossComm: ${message}`, problem.error);
  }
}

function errorOf(problem: ClientProblem): Error {
  if (problem.kind === 'refused' || problem.kind === 'frame') return problem.error;
  const { error: cause } = problem;
  const what = whatFailed(problem);
  return new Error(`${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

function whatFailed(problem: Exclude<ClientProblem, { readonly kind: 'refused' | 'frame' }>): string {
  if (problem.kind === 'listener') return `Listener ${problem.listener}`;
  if (problem.kind === 'request') return `The handler of "${problem.action}"`;
  return `A handler of ${problem.kind === 'handler' ? problem.handler : 'onStatus'}`;
}
