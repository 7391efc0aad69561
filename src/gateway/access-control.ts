import { Injectable } from '@nestjs/common';
import type { Connection } from '../clients/index.js';
import { CrossCommError, quoted } from '../protocol/index.js';
import { Authorizer, Refusals, type AuthorizedClient } from '../security/index.js';

/** Who sends, asks, joins: a connection, or what is left of one. */
type Sender = Pick<Connection, 'client' | 'permissions'>;

/** Asks the {@link Authorizer} about a client that is logged in, and counts what it refuses. */
@Injectable()
export class AccessControl {
  readonly #isOpen: boolean;

  constructor(
    private readonly authorizer: Authorizer,
    private readonly refusals: Refusals,
  ) {
    this.#isOpen = authorizer.isOpen;
  }

  /** Why a message may not go there; undefined when it may. Where nothing is restricted nobody is asked. */
  sendRefusal(sender: Sender, toClientId: string, msgType: string): CrossCommError | undefined {
    if (this.#isOpen && sender.permissions === undefined) return undefined;
    const client = authorized(sender);
    if (this.authorizer.maySend(client, toClientId, msgType)) return undefined;
    return this.#refusal(client, `send to ${quoted(toClientId)}`, { to_client_id: toClientId.slice(0, 256) });
  }

  /** @param group its name without `group:` @throws CrossCommError `CC_NOT_ALLOWED` */
  assertMayJoin(connection: Connection, group: string): void {
    const client = authorized(connection);
    if (!this.authorizer.mayJoin(client, group)) throw this.#refusal(client, `join ${quoted(group)}`, { group });
  }

  /** @throws CrossCommError `CC_NOT_ALLOWED` */
  assertMayRequest(connection: Connection, toClientId: string, action: string): void {
    const client = authorized(connection);
    if (this.authorizer.mayRequest(client, toClientId, action)) return;
    throw this.#refusal(client, `ask ${quoted(toClientId)} for ${quoted(action)}`, { to_client_id: toClientId.slice(0, 256) });
  }

  /** @param target a client id or `group:<name>` @throws CrossCommError `CC_NOT_ALLOWED` */
  assertMayWatch(connection: Connection, target: string): void {
    const client = authorized(connection);
    if (!this.authorizer.mayWatch(client, target)) throw this.#refusal(client, `watch ${quoted(target)}`, { target: target.slice(0, 256) });
  }

  /** @throws CrossCommError `CC_NOT_ALLOWED` */
  assertMayList(connection: Connection): void {
    const client = authorized(connection);
    if (!this.authorizer.mayList(client)) throw this.#refusal(client, 'list clients', {});
  }

  #refusal({ clientId }: AuthorizedClient, what: string, data: Readonly<Record<string, unknown>>): CrossCommError {
    this.refusals.add('not_allowed', `${quoted(clientId)} may not ${what}.`);
    return new CrossCommError('CC_NOT_ALLOWED', { data });
  }
}

function authorized({ client, permissions }: Sender): AuthorizedClient {
  return { clientId: client?.clientId ?? '', permissions };
}
