import type { Logger } from '@nestjs/common';

/** One line in so many milliseconds: who does a thousand times what is worth a line must not fill the log. */
const INTERVAL_MS = 10_000;

/** Lines about what clients can cause in masses: the first, and then now and again one that tells how many were left out. */
export class PacedLog {
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(private readonly logger: Logger) {}

  /** @param text without secrets; foreign texts in it quoted */
  add(level: 'debug' | 'warn' | 'error', text: string, ...cause: readonly unknown[]): void {
    const nowMs = performance.now();
    if (nowMs - this.#loggedAtMs < INTERVAL_MS) {
      this.#unsaid++;
      return;
    }
    this.logger[level](this.#unsaid > 0 ? `${text} (${this.#unsaid} more of this kind since the last such line)` : text, ...cause);
    this.#loggedAtMs = nowMs;
    this.#unsaid = 0;
  }
}
