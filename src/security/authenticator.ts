import type { IncomingHttpHeaders } from 'node:http';
import type { PeerCertificate } from 'node:tls';
import type { Permissions } from '../protocol/index.js';

/** What is known of who wants to log in. Holds secrets: not to be logged. */
export interface AuthRequest {
  /** The id it claims, already checked for its form. */
  readonly clientId: string;
  /** `cross_comm.token` of the login's content. */
  readonly token: string | undefined;
  /** HTTP Basic of the upgrade: what `ip='id:secret@host'` makes the Python client send. */
  readonly basic: { readonly user: string; readonly password: string } | undefined;
  /** `Authorization: Bearer` of the upgrade. */
  readonly bearer?: string | undefined;
  /** Without port; behind a proxy that of the proxy, unless it is one of `trustedProxies`. */
  readonly remoteAddress: string;
  /** Headers of the upgrade. */
  readonly headers: IncomingHttpHeaders;
  /** The client's certificate, where TLS asked for one and found it good. */
  readonly tlsPeer: PeerCertificate | undefined;
  /** A client that is logged in gives a new token (`auth.refresh`): only that may count. */
  readonly isRefresh?: boolean;
}

/** What is known of a peer at its upgrade, before it claims an id. Holds secrets: not to be logged. */
export type UpgradeRequest = Pick<AuthRequest, 'basic' | 'bearer' | 'remoteAddress' | 'headers' | 'tlsPeer'>;

/** What an {@link Authenticator} decided. */
export interface AuthDecision {
  readonly allowed: boolean;
  /** Told to a refused client that announced protocol 2, and logged: without secrets. */
  readonly reason?: string;
  /** When the login ends, in Unix seconds: its connection is then closed with 4001, to log in again. Default never. */
  readonly expiresAt?: number;
  /** What the login may do. Default everything; what cannot be read lets nobody in. */
  readonly permissions?: Permissions | undefined;
  /** Names the credential without giving it away, e.g. `jwt:<jti>`: all logins by it can be revoked at once. */
  readonly credential?: string | undefined;
}

/**
 * Decides who may log in under which id; also the injection token of the one in use. Asked at every login. One that
 * throws or rejects lets nobody in: the client is told `CC_INTERNAL`, and may try again.
 */
export abstract class Authenticator {
  abstract authenticate(request: AuthRequest): AuthDecision | Promise<AuthDecision>;

  /**
   * Whether a peer is to be refused at its upgrade already, with 401: its headers alone show that it can never log in.
   * Default never.
   */
  refusesUpgrade(_request: UpgradeRequest): boolean {
    return false;
  }

  /** What the hub says at its start of how it authenticates. */
  get description(): string {
    return this.constructor.name;
  }
}

/** Lets everyone in under any id: the default. */
export class AnonymousAuthenticator extends Authenticator {
  override authenticate(): AuthDecision {
    return ALLOWED;
  }

  override get description(): string {
    return 'none';
  }
}

/** A function in place of a class. */
export type AuthenticateFunction = Authenticator['authenticate'];

/** Asks a function of the application. */
export class FunctionAuthenticator extends Authenticator {
  constructor(private readonly decide: AuthenticateFunction) {
    super();
  }

  override authenticate(request: AuthRequest): AuthDecision | Promise<AuthDecision> {
    return this.decide(request);
  }

  override get description(): string {
    return 'a function of the application';
  }
}

/**
 * The token a client gave: in the login, as HTTP Basic password whose user is the id, or as bearer of the upgrade; in
 * this order.
 */
export function givenToken({ clientId, token, basic, bearer }: AuthRequest): string | undefined {
  return token ?? (basic?.user === clientId ? basic.password : undefined) ?? bearer;
}

const ALLOWED: AuthDecision = { allowed: true };
