import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../clients/index.js';
import { Mailboxes } from '../delivery/index.js';
import { CloseCode, quoted } from '../protocol/index.js';
import { Refusals, Revocations, type LoginFacts, type RevocationTarget } from '../security/index.js';
import { WebSocketConnection } from './web-socket.connection.js';

/** Ends logins that stand and are not good any more, at once. */
@Injectable()
export class LoginRevoker {
  constructor(
    private readonly registry: ClientRegistry,
    private readonly revocations: Revocations,
    private readonly refusals: Refusals,
    mailboxes: Mailboxes,
  ) {
    mailboxes.bar((clientId) => this.#isRevoked(clientId));
    revocations.onRevoked((matches) => this.#end(matches));
  }

  /** Refuses logins from now on and ends those that stand. @returns how many clients that took offline */
  revoke(target: RevocationTarget): number {
    const before = this.registry.onlineCount;
    this.revocations.add(target);
    return before - this.registry.onlineCount;
  }

  /** Takes a revocation back; false when there was none. */
  unrevoke(target: RevocationTarget): boolean {
    return this.revocations.lift(target);
  }

  #isRevoked(clientId: string): boolean {
    try {
      return this.revocations.isRevoked({ clientId, credential: undefined });
    } catch (error) {
      // a function of the application is among them; the mail is kept, and who it is for cannot log in before it is known
      this.refusals.add('undecided', `A revocation failed to decide about ${quoted(clientId)}: ${error instanceof Error ? error.name : typeof error}`, 'error');
      return false;
    }
  }

  #end(matches: (login: LoginFacts) => boolean): void {
    for (const { clientId, connection } of [...this.registry.online()]) {
      const credential = connection instanceof WebSocketConnection ? connection.credential : undefined;
      if (!matches({ clientId, credential })) continue;
      this.refusals.add('revoked', `Ended the login of ${quoted(clientId)}: it was revoked.`);
      this.registry.closed(connection, 'revoked');
      connection.close(CloseCode.AUTH_FAILED, 'the login was revoked');
    }
  }
}
