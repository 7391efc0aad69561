import { Injectable } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { AnonymousAuthenticator, Authenticator, ClientAddress, ConnectionLimit, Refusals, basicCredentials, bearerToken, isOriginAllowed } from '../security/index.js';
import { quoted } from '../protocol/index.js';
import { GatewayOptions } from './gateway.options.js';
import type { Handshake } from './web-socket.connection.js';

/** The HTTP answer to an upgrade that is not let in. */
export interface UpgradeRefusal {
  readonly status: string;
  /** Further headers, each ended by CR LF. */
  readonly headers: string;
}

/** When a connection that is one too many should be tried again, as a header; seconds. */
const RETRY_LATER = 'Retry-After: 5\r\n';

/** Decides who may become a WebSocket at all, before anything is kept of him. */
@Injectable()
export class UpgradeGuard {
  constructor(
    private readonly options: GatewayOptions,
    private readonly limit: ConnectionLimit,
    private readonly refusals: Refusals,
    private readonly authenticator: Authenticator,
    private readonly clientAddress: ClientAddress,
  ) {}

  /** Why this upgrade is refused; undefined when it may go on. */
  refusal(request: IncomingMessage): UpgradeRefusal | undefined {
    const { origin } = request.headers;
    if (!isOriginAllowed(origin, this.options.allowedOrigins)) {
      this.refusals.add('origin', `Refused a browser page of origin ${quoted(origin)}; list it in allowedOrigins to let it in.`);
      return { status: '403 Forbidden', headers: '' };
    }
    const address = this.addressOf(request);
    const kind = this.limit.refusal(address);
    if (kind === undefined) return this.#credentialsRefusal(request, address);
    const option = kind === 'hub_full' ? 'maxConnections' : 'maxConnectionsPerAddress';
    this.refusals.add(kind, `Refused a connection from ${address}: ${option} is reached.`);
    return { status: kind === 'hub_full' ? '503 Service Unavailable' : '429 Too Many Requests', headers: RETRY_LATER };
  }

  /** What the login will want to know of the upgrade; nothing is kept for an authenticator that never looks. */
  handshakeOf(request: IncomingMessage): Handshake | undefined {
    return this.authenticator instanceof AnonymousAuthenticator ? undefined : handshakeOf(request);
  }

  /** The address limits count by, and that is logged: of a trusted proxy's client, if there is one. */
  addressOf({ socket, headers }: IncomingMessage): string {
    return this.clientAddress.of(socket.remoteAddress ?? 'unknown', headers);
  }

  /** Notes a connection that was let in. */
  opened(address: string): void {
    this.limit.opened(address);
  }

  closed(address: string): void {
    this.limit.closed(address);
  }

  /** Whether the headers alone show that this peer can never log in. */
  #credentialsRefusal(request: IncomingMessage, remoteAddress: string): UpgradeRefusal | undefined {
    // an application may have put less than a whole Authenticator in its place
    const authenticator: Partial<Authenticator> = this.authenticator;
    try {
      if (authenticator.refusesUpgrade?.({ ...handshakeOf(request), remoteAddress }) !== true) return undefined;
    } catch (error) {
      this.refusals.add('undecided', `The authentication failed to decide about an upgrade: ${error instanceof Error ? error.name : typeof error}`, 'error');
      return { status: '500 Internal Server Error', headers: RETRY_LATER };
    }
    this.refusals.add('upgrade_auth', `Refused a connection from ${remoteAddress}: its credentials are not good for any login.`);
    return { status: '401 Unauthorized', headers: 'WWW-Authenticate: Bearer error="invalid_token"\r\n' };
  }
}

function handshakeOf({ headers, socket }: IncomingMessage): Handshake {
  const tlsPeer = socket instanceof TLSSocket && socket.authorized ? socket.getPeerCertificate() : undefined;
  return { headers, basic: basicCredentials(headers.authorization), bearer: bearerToken(headers.authorization), tlsPeer };
}
