import { Injectable, Logger } from '@nestjs/common';
import { PacedLog } from '../clients/index.js';

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
  /** A login with an id, an announcement or a last will that is not valid, or with an id that is taken. */
  'login_refused',
  'auth_failed',
  /** A login or upgrade that the authentication failed to decide about. */
  'auth_error',
  /** A login whose credentials or id are revoked, or one that stood and was ended. */
  'revoked',
  'message_rate',
  /** A client cut off for going over its rate for `abuseSeconds`. */
  'abuse',
  /** A message larger than the limit. */
  'oversize',
  /** A frame that could not be read, or broke a rule of the protocol. */
  'bad_frame',
  /** What the permissions of a client do not cover. */
  'not_allowed',
] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

/** Counts refusals, and logs the first of each kind and then now and again. */
@Injectable()
export class Refusals {
  readonly #logger = new Logger('CrossCommSecurity');
  readonly #counts = Object.fromEntries(REFUSAL_KINDS.map((kind) => [kind, 0])) as Record<RefusalKind, number>;
  readonly #lines = Object.fromEntries(REFUSAL_KINDS.map((kind) => [kind, new PacedLog(this.#logger)])) as Record<RefusalKind, PacedLog>;

  /** How often, since the start. `message_rate` counts how often a client was stopped, not its messages. */
  get counts(): Readonly<Record<RefusalKind, number>> {
    return { ...this.#counts };
  }

  /** Counts without a word, what somebody else logs. */
  count(kind: RefusalKind): void {
    this.#counts[kind]++;
  }

  /** @param text what happened, without secrets; foreign texts in it quoted */
  add(kind: RefusalKind, text: string, level: 'debug' | 'warn' | 'error' = 'warn'): void {
    this.#counts[kind]++;
    this.#lines[kind].add(level, text);
  }
}
