import type { CrossCommError } from '../protocol/index.js';
import { armDeadline, type CallOptions } from './deadline.js';

/** A promise that its owner settles, unless the caller's signal or time ends it before. */
export class PendingCall<Result> {
  readonly #onSettled: () => void;
  readonly #promise: Promise<Result>;
  #resolve!: (result: Result) => void;
  #reject!: (error: CrossCommError) => void;
  #disarm: (() => void) | undefined;
  #isSettled = false;

  /** @param onSettled runs once, before the promise is settled, whatever ends it */
  constructor(onSettled: () => void) {
    this.#onSettled = onSettled;
    this.#promise = new Promise<Result>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The promise, from now on under the caller's limits. */
  wait(options: CallOptions): Promise<Result> {
    if (!this.#isSettled) this.#disarm = armDeadline(options, (error) => this.reject(error));
    return this.#promise;
  }

  resolve(result: Result): void {
    if (this.#settle()) this.#resolve(result);
  }

  reject(error: CrossCommError): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#isSettled) return false;
    this.#isSettled = true;
    this.#disarm?.();
    this.#onSettled();
    return true;
  }
}
