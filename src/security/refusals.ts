import { Injectable, Logger } from '@nestjs/common';
import { PacedLog } from '../clients/index.js';
import type { ErrorCode } from '../protocol/index.js';

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
  /** A connection on which nobody logged in within `loginTimeoutMs`. */
  'login_timeout',
  'login_rate',
  /** A login that cannot be read, or whose id is none or taken. */
  'login_refused',
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
  /** A membership, watch or request beyond a limit of the hub. */
  'limit',
  /** A durable message for a mailbox that is full. */
  'mailbox_full',
  /** A durable message, or membership, that the store has no space for, or cannot take any more. */
  'store',
  /** A receiver that was closed because it did not read. */
  'slow_receiver',
  /** What the permissions of a client do not cover. */
  'not_allowed',
  /** What an authenticator or authorizer of the application could not decide, because it threw or gave no answer. */
  'undecided',
] as const;
export type RefusalKind = (typeof REFUSAL_KINDS)[number];

/** Kinds of what clients are told with a code of its own. */
const KIND_OF_CODE: Readonly<Partial<Record<ErrorCode, RefusalKind>>> = {
  CC_LIMIT_REACHED: 'limit',
  CC_MAILBOX_FULL: 'mailbox_full',
  CC_STORE_FULL: 'store',
  CC_STORE_FAILED: 'store',
};

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

  /** Counts an error that a client was told, where it is a limit of the hub. */
  countCode(code: ErrorCode): void {
    const kind = KIND_OF_CODE[code];
    if (kind !== undefined) this.count(kind);
  }

  /** @param text what happened, without secrets; foreign texts in it quoted */
  add(kind: RefusalKind, text: string, level: 'debug' | 'warn' | 'error' = 'warn'): void {
    this.#counts[kind]++;
    this.#lines[kind].add(level, text);
  }
}
