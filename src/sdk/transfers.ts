import { CrossCommError } from '../protocol/index.js';
import { armDeadline, type CallOptions } from './deadline.js';

/** The uploads and downloads on their way, so that all of them end with the client. */
export class Transfers {
  readonly #running = new Set<AbortController>();

  /** Runs a transfer that ends with the caller's signal or time, or with {@link abortAll}. */
  async run<Result>(options: CallOptions, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.add(controller);
    const disarm = armDeadline(options, (error) => controller.abort(error));
    try {
      if (signal.aborted) throw signal.reason;
      return await work(signal);
    } catch (error) {
      // the storage knows only that it was aborted; the reason says by what
      throw signal.aborted ? signal.reason : CrossCommError.from(error, 'CC_STORAGE_FAILED');
    } finally {
      disarm();
      this.#running.delete(controller);
    }
  }

  abortAll(error: CrossCommError): void {
    for (const controller of this.#running) controller.abort(error);
  }
}
