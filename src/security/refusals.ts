import { Injectable, Logger } from '@nestjs/common';

/** What the hub refuses to protect itself. */
const REFUSAL_KINDS = [
  /** A browser page whose origin is not listed. */
  'origin',
  /** A connection beyond `maxConnections`. */
  'hub_full',
  /** A connection beyond `maxConnectionsPerAddress`. */
  'address_full',
  /** A TLS handshake that failed: too old, or without a good client certificate. */
  'tls',
  /** An upgrade whose bearer token can never log in. */
  'upgrade_auth',
  /** Too many bytes or frames before login. */
  'before_login',
  'login_rate',
  'auth_failed',
  /** A login whose credentials or id are revoked, or one that stood and was ended. */
  'revoked',
  'message_rate',
  /** A client cut off for going over its rate for `abuseSeconds`. */
  'abuse',
  /** A message larger than the limit. */
  'oversize',
  /** A frame that could not be read, or broke a rule of the protocol. */
  'bad_frame',
  /** A receiver that was closed because it did not read. */
  'slow_receiver',
  /** What the permissions of a client do not cover. */
  'not_allowed',
] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

/** One line per kind and so many milliseconds: who knocks a thousand times must not fill the log. */
const LOG_INTERVAL_MS = 10_000;

/** Counts refusals, and logs the first of each kind and then now and again. */
@Injectable()
export class Refusals {
  readonly #logger = new Logger('CrossCommSecurity');
  readonly #counts = Object.fromEntries(REFUSAL_KINDS.map((kind) => [kind, 0])) as Record<RefusalKind, number>;
  readonly #logged = new Map<RefusalKind, { readonly atMs: number; readonly count: number }>();

  /** How often, since the start. `message_rate` counts how often a client was stopped, not its messages. */
  get counts(): Readonly<Record<RefusalKind, number>> {
    return { ...this.#counts };
  }

  /** Counts without a word, what somebody else logs. */
  count(kind: RefusalKind): void {
    this.#counts[kind]++;
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
