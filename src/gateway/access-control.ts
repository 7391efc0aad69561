import { Injectable } from '@nestjs/common';
import type { Connection } from '../clients/index.js';
import { CrossCommError, quoted } from '../protocol/index.js';
import { Authorizer, Refusals, type AuthorizedClient } from '../security/index.js';

/** Who sends, asks, joins: a connection, or what is left of one. */
type Sender = Pick<Connection, 'client' | 'permissions'>;

/**
 * Asks the {@link Authorizer} about a client that is logged in, and counts what it refuses. One that throws, or answers
 * otherwise than true or false at once, refuses with `CC_INTERNAL`.
 */
@Injectable()
export class AccessControl {
  readonly #isOpen: boolean;

  constructor(
    private readonly authorizer: Authorizer,
    private readonly refusals: Refusals,
  ) {
    this.#isOpen = authorizer.isOpen;
  }

  /** Why a message may not go there; undefined when it may. Where nothing is restricted nobody is asked. @throws CrossCommError `CC_INTERNAL` */
  sendRefusal(sender: Sender, toClientId: string, msgType: string): CrossCommError | undefined {
    if (this.#isOpen && sender.permissions === undefined) return undefined;
    const client = authorized(sender);
    if (this.#isAllowed(() => this.authorizer.maySend(client, toClientId, msgType))) return undefined;
    return this.#refusal(client, `send to ${quoted(toClientId)}`, { to_client_id: toClientId.slice(0, 256) });
  }

  /** @param group its name without `group:` @throws CrossCommError `CC_NOT_ALLOWED`, `CC_INTERNAL` */
  assertMayJoin(connection: Connection, group: string): void {
    const client = authorized(connection);
    if (!this.#isAllowed(() => this.authorizer.mayJoin(client, group))) throw this.#refusal(client, `join ${quoted(group)}`, { group });
  }

  /** @throws CrossCommError `CC_NOT_ALLOWED`, `CC_INTERNAL` */
  assertMayRequest(connection: Connection, toClientId: string, action: string): void {
    const client = authorized(connection);
    if (this.#isAllowed(() => this.authorizer.mayRequest(client, toClientId, action))) return;
    throw this.#refusal(client, `ask ${quoted(toClientId)} for ${quoted(action)}`, { to_client_id: toClientId.slice(0, 256) });
  }

  /** @param target a client id or `group:<name>` @throws CrossCommError `CC_NOT_ALLOWED`, `CC_INTERNAL` */
  assertMayWatch(connection: Connection, target: string): void {
    const client = authorized(connection);
    if (!this.#isAllowed(() => this.authorizer.mayWatch(client, target))) throw this.#refusal(client, `watch ${quoted(target)}`, { target: target.slice(0, 256) });
  }

  /** @throws CrossCommError `CC_NOT_ALLOWED`, `CC_INTERNAL` */
  assertMayList(connection: Connection): void {
    const client = authorized(connection);
    if (!this.#isAllowed(() => this.authorizer.mayList(client))) throw this.#refusal(client, 'list clients', {});
  }

  #isAllowed(question: () => unknown): boolean {
    let why = 'it answers neither true nor false';
    try {
      const answer = question();
      if (typeof answer === 'boolean') return answer;
      // one that comes later comes too late, and its failure must not end the process
      Promise.resolve(answer).catch(() => undefined);
    } catch (error) {
      why = error instanceof Error ? error.message : String(error);
    }
    // not told to the client: what foreign code throws may hold secrets
    this.refusals.add('undecided', `The authorizer failed to decide: ${quoted(why)}.`);
    throw new CrossCommError('CC_INTERNAL', 'The authorizer could not decide.');
  }

  #refusal({ clientId }: AuthorizedClient, what: string, data: Readonly<Record<string, unknown>>): CrossCommError {
    this.refusals.add('not_allowed', `${quoted(clientId)} may not ${what}.`);
    return new CrossCommError('CC_NOT_ALLOWED', { data });
  }
}

function authorized({ client, permissions }: Sender): AuthorizedClient {
  return { clientId: client?.clientId ?? '', permissions };
}
