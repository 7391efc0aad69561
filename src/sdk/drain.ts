import { Subscribers } from './subscribers.js';

/** How often is looked whether enough has drained; a socket does not tell when it passes bytes on. */
const LOOK_MS = 10;

/** Tells when what is buffered has fallen to a bound after having been above it. Its timer runs only in between. */
export class Drain {
  readonly #boundBytes: number;
  readonly #bufferedBytes: () => number;
  readonly #failed: (error: unknown) => void;
  readonly #handlers = new Subscribers<[]>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(boundBytes: number, bufferedBytes: () => number, failed: (error: unknown) => void) {
    this.#boundBytes = boundBytes;
    this.#bufferedBytes = bufferedBytes;
    this.#failed = failed;
  }

  add(handle: () => void): () => void {
    const remove = this.#handlers.add(handle);
    this.watch();
    return remove;
  }

  /** Something was sent. */
  watch(): void {
    if (this.#timer || this.#handlers.count === 0 || this.#bufferedBytes() <= this.#boundBytes) return;
    this.#timer = setInterval(() => {
      if (this.#bufferedBytes() > this.#boundBytes) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#handlers.call([], this.#failed);
    }, LOOK_MS);
  }
}
