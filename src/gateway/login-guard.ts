import { Injectable } from '@nestjs/common';
import { CrossCommError, loginToken, quoted } from '../protocol/index.js';
import { Authenticator, LoginRate, Refusals, Revocations, readPermissions, type AuthDecision, type AuthRequest, type LoginFacts } from '../security/index.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/** A failed login uses up as much of its address's rate as so many good ones. */
const COST_OF_FAILURE = 10;

/** Asks the security folder about a login and turns its answers into coded errors. Tokens end here. */
@Injectable()
export class LoginGuard {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly rate: LoginRate,
    private readonly refusals: Refusals,
    private readonly revocations: Revocations,
  ) {}

  /** @throws CrossCommError `CC_RATE_LIMITED` */
  assertRate(remoteAddress: string): void {
    const waitMs = this.rate.tryLogin(remoteAddress, performance.now());
    if (waitMs === 0) return;
    this.refusals.add('login_rate', `Refused a login from ${remoteAddress}: too many in too short a time.`);
    throw new CrossCommError('CC_RATE_LIMITED', { detail: 'Too many logins from this address.', retryAfter: Math.ceil(waitMs) / 1000 });
  }

  /** Asks whether this login is good. @throws (or rejects with) CrossCommError `CC_INTERNAL`, `CC_INVALID_ENVELOPE` */
  decide({ handshake, remoteAddress }: WebSocketConnection, clientId: string, content: unknown): AuthDecision | Promise<AuthDecision> {
    const token = loginToken(content);
    const { basic, bearer, headers = {}, tlsPeer } = handshake ?? {};
    return this.#ask({ clientId, token, basic, bearer, remoteAddress, headers, tlsPeer });
  }

  /** Asks whether a new token is good for a client that is logged in; nothing else counts. @throws as {@link decide} */
  decideRefresh({ handshake, remoteAddress }: WebSocketConnection, clientId: string, token: string): AuthDecision | Promise<AuthDecision> {
    const { headers = {}, tlsPeer } = handshake ?? {};
    return this.#ask({ clientId, token, basic: undefined, remoteAddress, headers, tlsPeer, isRefresh: true });
  }

  #ask(request: AuthRequest): AuthDecision | Promise<AuthDecision> {
    const failed = (error: unknown): never => this.#failed(error, [request.token, request.basic?.password, request.bearer]);
    try {
      const decision: unknown = this.authenticator.authenticate(request);
      return isThenable(decision) ? Promise.resolve(decision).then(readDecision).catch(failed) : readDecision(decision);
    } catch (error) {
      return failed(error);
    }
  }

  /** @throws CrossCommError `CC_AUTH_FAILED`, `CC_INTERNAL` */
  assertAllowed(remoteAddress: string, clientId: string, { allowed, reason, expiresAt, credential }: AuthDecision): void {
    const isExpired = expiresAt !== undefined && expiresAt * 1000 <= Date.now();
    if (allowed && this.#isRevoked({ clientId, credential })) {
      this.refusals.add('revoked', `Refused the login of ${quoted(clientId)} from ${remoteAddress}: it is revoked.`);
      throw new CrossCommError('CC_AUTH_FAILED', 'The credentials have been revoked.');
    }
    if (allowed && !isExpired) return;
    this.rate.charge(remoteAddress, COST_OF_FAILURE, performance.now());
    const why = allowed ? 'The credentials have expired.' : reason;
    this.refusals.add('auth_failed', `Refused the login of ${quoted(clientId)} from ${remoteAddress}: ${why === undefined ? 'wrong or no credentials' : quoted(why)}.`);
    throw new CrossCommError('CC_AUTH_FAILED', { detail: why });
  }

  #isRevoked(login: LoginFacts): boolean {
    try {
      return this.revocations.isRevoked(login);
    } catch (error) {
      // a function of the application is among them
      return this.#failed(error, []);
    }
  }

  #failed(error: unknown, secrets: readonly (string | undefined)[]): never {
    let text = error instanceof Error ? error.message : String(error);
    // an error of foreign code may quote what it was given
    for (const secret of secrets) if (secret !== undefined && secret !== '') text = text.replaceAll(secret, '…');
    this.refusals.add('undecided', `The authentication failed to decide: ${quoted(text)}`, 'error');
    throw new CrossCommError('CC_INTERNAL', 'The authentication could not decide.');
  }
}

/** Anything but a clear yes is a no; what is no decision at all is a fault of the authenticator. */
function readDecision(decision: unknown): AuthDecision {
  const { allowed, expiresAt, permissions } = (decision ?? {}) as Partial<AuthDecision>;
  if (typeof allowed !== 'boolean') throw new TypeError('authenticate() returned no decision');
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) throw new TypeError('expiresAt is not a number');
  readPermissions(permissions);
  return decision as AuthDecision;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
