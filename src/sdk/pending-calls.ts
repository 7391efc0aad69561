import type { CrossCommError } from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import { PendingCall } from './pending-call.js';

/** Calls that wait for something, by what they wait for. A call leaves when it is settled or given up. No I/O. */
export class PendingCalls<Result> {
  readonly #calls = new Map<unknown, PendingCall<Result>>();

  wait(key: unknown, options: CallOptions): Promise<Result> {
    const call = new PendingCall<Result>(() => this.#calls.delete(key));
    this.#calls.set(key, call);
    return call.wait(options);
  }

  /** Settles one call; `false` when nobody waits with this key. */
  settle(key: unknown, settle: (call: PendingCall<Result>) => void): boolean {
    const call = this.#calls.get(key);
    if (call) settle(call);
    return call !== undefined;
  }

  resolveAll(result: Result): void {
    for (const call of this.#calls.values()) call.resolve(result);
  }

  rejectAll(error: CrossCommError): void {
    for (const call of this.#calls.values()) call.reject(error);
  }
}
