import { Injectable } from '@nestjs/common';
import { CrossCommError } from '../protocol/index.js';
import { HubActions, type Asker } from './hub-actions.service.js';
import { LoginExpiry, leftMs } from './login-expiry.js';
import { LoginGuard } from './login-guard.js';
import { WebSocketConnection } from './web-socket.connection.js';

/** What {@link AuthRefresh} answers: when the login ends now, in Unix seconds and in seconds from now; absent: it does not. */
interface Refreshed {
  readonly expires_at?: number | undefined;
  readonly expires_in?: number | undefined;
}

/** The action `auth.refresh`: a client that is logged in gives a new token in time, and stays connected. */
@Injectable()
export class AuthRefresh {
  constructor(
    actions: HubActions,
    private readonly guard: LoginGuard,
    private readonly expiry: LoginExpiry,
  ) {
    actions.add('auth.refresh', (data, asker) => this.#refresh(data, asker));
  }

  /** A refresh that fails changes nothing: the login goes on until its end. */
  async #refresh(data: unknown, { clientId, connection }: Asker): Promise<Refreshed> {
    const token = (data as { readonly token?: unknown } | null)?.token;
    if (typeof token !== 'string' || token === '') throw new CrossCommError('CC_INVALID_CONTENT', 'auth.refresh needs {"token": string}.');
    if (!(connection instanceof WebSocketConnection)) throw new CrossCommError('CC_UNSUPPORTED');
    this.guard.assertRate(connection.remoteAddress);
    const decision = await this.guard.decideRefresh(connection, clientId, token);
    this.guard.assertAllowed(connection.remoteAddress, clientId, decision);
    // it left, or became somebody else, while this was decided
    if (!connection.isOpen || connection.client?.clientId !== clientId) throw new CrossCommError('CC_NOT_LOGGED_IN');
    connection.permissions = decision.permissions;
    connection.credential = decision.credential;
    this.expiry.set(connection, decision.expiresAt);
    const { expiresAt } = decision;
    return { expires_at: expiresAt, expires_in: expiresAt === undefined ? undefined : leftMs(expiresAt) / 1000 };
  }
}
