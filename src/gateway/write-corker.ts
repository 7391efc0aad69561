import type { Duplex } from 'node:stream';

/** Something that writes to a socket and wants to know when its cork was pulled. */
export interface Corkable {
  readonly socket: Duplex;
  uncorked(): void;
}

/**
 * Collects what is written to a socket within one turn of the event loop into one system call. A lone message leaves
 * at the end of the same turn, so nothing waits for a timer.
 */
export class WriteCorker {
  #corked: Corkable[] = [];

  /** Corks the socket until the end of this turn. Must not be called again before `uncorked`. */
  cork(writer: Corkable): void {
    writer.socket.cork();
    if (this.#corked.push(writer) === 1) setImmediate(this.#uncorkAll);
  }

  readonly #uncorkAll = (): void => {
    const writers = this.#corked;
    this.#corked = [];
    for (const writer of writers) {
      writer.socket.uncork();
      writer.uncorked();
    }
  };
}
