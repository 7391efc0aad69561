import { Injectable, Logger } from '@nestjs/common';

/** What the hub refuses to protect itself. */
export type RefusalKind = 'origin' | 'hub_full' | 'address_full' | 'login_rate' | 'message_rate' | 'auth_failed';

/** One line per kind and so many milliseconds: who knocks a thousand times must not fill the log. */
const LOG_INTERVAL_MS = 10_000;

/** Counts refusals, and logs the first of each kind and then now and again. */
@Injectable()
export class Refusals {
  readonly #logger = new Logger('CrossCommSecurity');
  readonly #counts: Record<RefusalKind, number> = { origin: 0, hub_full: 0, address_full: 0, login_rate: 0, message_rate: 0, auth_failed: 0 };
  readonly #logged = new Map<RefusalKind, { readonly atMs: number; readonly count: number }>();

  /** How often, since the start. `message_rate` counts how often a client was stopped, not its messages. */
  get counts(): Readonly<Record<RefusalKind, number>> {
    return { ...this.#counts };
  }

  /** @param text what happened, without secrets; foreign texts in it quoted */
  add(kind: RefusalKind, text: string): void {
    const count = ++this.#counts[kind];
    const nowMs = performance.now();
    const last = this.#logged.get(kind);
    if (last !== undefined && nowMs - last.atMs < LOG_INTERVAL_MS) return;
    const unsaid = count - 1 - (last?.count ?? 0);
    this.#logged.set(kind, { atMs: nowMs, count });
    this.#logger.warn(unsaid > 0 ? `${text} (${unsaid} more of this kind since the last such line)` : text);
  }
}
