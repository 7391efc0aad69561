import type { CrossCommError, Message } from '../protocol/index.js';
import type { ClientLogger } from './logger.js';

/** Where a problem comes from that no call could report. */
export type ClientProblem =
  /** The hub refused a frame; `msgId` names the message as `sendMessage` returned it. */
  | { readonly kind: 'refused'; readonly error: CrossCommError; readonly msgId: string | undefined }
  /** A listener threw or rejected; `listener` is its class and method, or the function's name. */
  | { readonly kind: 'listener'; readonly error: unknown; readonly listener: string; readonly message: Message }
  /** An `onStatus` handler threw. */
  | { readonly kind: 'status'; readonly error: unknown }
  /** A frame arrived that this version cannot read; it was dropped. */
  | { readonly kind: 'frame'; readonly error: CrossCommError };

/**
 * @param error the hub's `CrossCommError` for kind `refused` and `frame`; for `listener` and `status` an error that
 *   names what failed, with the thrown value as its `cause`
 */
export type ProblemHandler = (error: Error, problem: ClientProblem) => void;

/** Hands problems to the handlers, or to the logger when there is none. */
export class ProblemReporter {
  readonly #handlers = new Set<{ readonly handle: ProblemHandler }>();

  constructor(private readonly logger: ClientLogger) {}

  add(handle: ProblemHandler): () => void {
    const entry = { handle };
    this.#handlers.add(entry);
    return () => void this.#handlers.delete(entry);
  }

  report(problem: ClientProblem): void {
    if (this.#handlers.size === 0) this.#log(problem);
    for (const { handle } of this.#handlers) {
      try {
        handle(errorOf(problem), problem);
      } catch (error) {
        this.logger.error('CrossComm: an onError handler failed.', error);
      }
    }
  }

  #log(problem: ClientProblem): void {
    const { message } = errorOf(problem);
    if (problem.kind === 'refused') this.logger.warn(`CrossComm: message ${problem.msgId ?? '(unknown)'} was refused. ${message}`);
    else if (problem.kind === 'frame') this.logger.warn(`CrossComm: a frame was dropped. ${message}`);
    else this.logger.error(`CrossComm: ${message}`, problem.error);
  }
}

function errorOf(problem: ClientProblem): Error {
  switch (problem.kind) {
    case 'refused':
    case 'frame':
      return problem.error;
    case 'listener':
      return failureOf(`Listener ${problem.listener}`, problem.error);
    case 'status':
      return failureOf('An onStatus handler', problem.error);
  }
}

function failureOf(what: string, cause: unknown): Error {
  return new Error(`${what} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
