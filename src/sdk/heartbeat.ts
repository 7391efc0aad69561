import type { Clock } from './frame-writer.js';

/**
 * Calls `beat` at once and then in every interval. `afterGap` is true when the beat comes so late that the server may
 * have given the client up meanwhile: the machine slept, or the program was stopped.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #beat: (afterGap: boolean) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lastMs = 0;

  constructor(clock: Clock, beat: (afterGap: boolean) => void) {
    this.#clock = clock;
    this.#beat = beat;
  }

  start(intervalMs: number): void {
    this.#lastMs = this.#clock.now();
    this.#timer = setInterval(() => {
      const nowMs = this.#clock.now();
      const afterGap = nowMs - this.#lastMs >= 2 * intervalMs;
      this.#lastMs = nowMs;
      this.#beat(afterGap);
    }, intervalMs);
    this.#beat(false);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
