import { FrameBatch } from './frame-batch.js';

/** Something that holds frames back until the end of the turn. */
export interface BatchWriter {
  /** Writes what is held back. */
  flush(): void;
}

/**
 * Ends each turn of the event loop by writing what its messages left for the sockets: one write, so one system call,
 * per socket and turn. A lone message leaves at the end of the same turn; nothing waits for a timer.
 */
export class WriteScheduler {
  #waiting: BatchWriter[] = [];
  #start = FrameBatch.start();

  /** Where the chains of this turn begin; shared by all connections, so that equal chains are the same. */
  get start(): FrameBatch {
    return this.#start;
  }

  /** Has `flush` called at the end of this turn. */
  schedule(writer: BatchWriter): void {
    if (this.#waiting.push(writer) === 1) setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const writers = this.#waiting;
    this.#waiting = [];
    // a new beginning, so that the last payloads of this turn are not kept alive
    this.#start = FrameBatch.start();
    for (const writer of writers) writer.flush();
  };
}
