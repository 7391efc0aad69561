import type { IncomingHttpHeaders } from 'node:http';
import type { PeerCertificate } from 'node:tls';

/** What is known of who wants to log in. Holds secrets: not to be logged. */
export interface AuthRequest {
  /** The id it claims, already checked for its form. */
  readonly clientId: string;
  /** `cross_comm.token` of the login's content. */
  readonly token: string | undefined;
  /** HTTP Basic of the upgrade: what `ip='id:secret@host'` makes the Python client send. */
  readonly basic: { readonly user: string; readonly password: string } | undefined;
  /** Without port; behind a proxy that of the proxy. */
  readonly remoteAddress: string;
  /** Headers of the upgrade. */
  readonly headers: IncomingHttpHeaders;
  /** The client's certificate, where TLS asked for one and found it good. */
  readonly tlsPeer: PeerCertificate | undefined;
}

/** What an {@link Authenticator} decided. */
export interface AuthDecision {
  readonly allowed: boolean;
  /** Told to a refused client that announced protocol 2, and logged: without secrets. */
  readonly reason?: string;
  /** When the login ends, in Unix seconds: its connection is then closed with 4001, to log in again. Default never. */
  readonly expiresAt?: number;
}

/**
 * Decides who may log in under which id; also the injection token of the one in use. Asked at every login. One that
 * throws or rejects lets nobody in: the client is told `CC_INTERNAL`, and may try again.
 */
export abstract class Authenticator {
  abstract authenticate(request: AuthRequest): AuthDecision | Promise<AuthDecision>;

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

const ALLOWED: AuthDecision = { allowed: true };
