import type { CrossCommError } from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import { PendingCall } from './pending-call.js';

/** Calls that wait for the same thing. A call leaves when it is settled or given up. No I/O. */
export class PendingCalls<Result> {
  readonly #calls = new Set<PendingCall<Result>>();

  wait(options: CallOptions): Promise<Result> {
    const call = new PendingCall<Result>(() => this.#calls.delete(call));
    this.#calls.add(call);
    return call.wait(options);
  }

  resolveAll(result: Result): void {
    for (const call of this.#calls) call.resolve(result);
  }

  rejectAll(error: CrossCommError): void {
    for (const call of this.#calls) call.reject(error);
  }
}
