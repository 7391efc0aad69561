import { Injectable } from '@nestjs/common';
import { ClientRegistry, ClientsOptions, fromServer } from '../clients/index.js';
import {
  CloseCode,
  CrossCommError,
  assertClientId,
  loginErrorContent,
  parseAnnouncement,
  quoted,
  type Announcement,
  type Envelope,
  type ErrorCode,
} from '../protocol/index.js';
import { Refusals, type AuthDecision } from '../security/index.js';
import { GatewayOptions } from './gateway.options.js';
import { assertWillContent } from './last-wills.js';
import { LoginExpiry } from './login-expiry.js';
import { LoginGuard } from './login-guard.js';
import { LoginWelcome } from './login-welcome.js';
import { setReceiveLimit } from './web-socket-inside.js';
import { WebSocketConnection } from './web-socket.connection.js';

/** What a refused login is closed with, where it is not {@link CloseCode.LOGIN_REFUSED}. */
const CLOSE_CODES: Readonly<Partial<Record<ErrorCode, CloseCode>>> = {
  CC_AUTH_FAILED: CloseCode.AUTH_FAILED,
  CC_RATE_LIMITED: CloseCode.RATE_LIMITED,
};

/** One login on its way. */
interface LoginAttempt {
  readonly connection: WebSocketConnection;
  readonly clientId: string;
  /** Grows with each login of this process: of two decided out of order, the one that came later is the newer. */
  readonly number: number;
  /** An announcement that cannot be read still is one: its sender understands a coded refusal. */
  isAnnounced: boolean;
  announcement: Announcement | undefined;
}

/** Decides about logins and answers them. */
@Injectable()
export class LoginHandler {
  #lastNumber = 0;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly clientsOptions: ClientsOptions,
    private readonly gatewayOptions: GatewayOptions,
    private readonly guard: LoginGuard,
    private readonly expiry: LoginExpiry,
    private readonly welcome: LoginWelcome,
    private readonly refusals: Refusals,
  ) {}

  /**
   * Binds the claimed id to the connection, or refuses and closes it.
   * @returns undefined when that is done; a promise, which never rejects, when the authentication takes its time
   */
  login(connection: WebSocketConnection, { fromClientId: clientId, content }: Envelope): Promise<void> | undefined {
    const attempt: LoginAttempt = { connection, clientId, number: ++this.#lastNumber, isAnnounced: true, announcement: undefined };
    try {
      const problem = readAnnouncement(attempt, content);
      this.guard.assertRate(connection.remoteAddress);
      if (problem !== undefined) throw problem;
      assertClientId(clientId);
      const decision = this.guard.decide(connection, clientId, content);
      if (decision instanceof Promise) return this.#later(attempt, decision);
      this.guard.assertAllowed(connection.remoteAddress, clientId, decision);
      this.#conclude(attempt, decision);
    } catch (error) {
      this.#refuse(attempt, CrossCommError.from(error));
    }
    return undefined;
  }

  async #later(attempt: LoginAttempt, decided: Promise<AuthDecision>): Promise<void> {
    const { connection, clientId } = attempt;
    // what follows a login may be as long as any message; it is not read before the decision
    setReceiveLimit(connection.webSocket, this.gatewayOptions.maxMessageBytes);
    try {
      const decision = await decided;
      // counts against its address even when the peer did not wait for it
      this.guard.assertAllowed(connection.remoteAddress, clientId, decision);
      // its peer left, or its time to log in is over
      if (!connection.isOpen) return;
      this.#conclude(attempt, decision);
    } catch (error) {
      if (connection.isOpen) this.#refuse(attempt, CrossCommError.from(error));
    }
  }

  #conclude(attempt: LoginAttempt, decision: AuthDecision): void {
    // not before: a stranger must not learn who is online
    this.#assertFree(attempt);
    const { connection, clientId, announcement, number } = attempt;
    const holder = this.registry.find(clientId)?.connection;
    if (holder instanceof WebSocketConnection && holder.loginNumber > number) {
      this.registry.logout(connection);
      connection.close(CloseCode.REPLACED, 'a newer login with the same client id was faster');
      return;
    }
    connection.loginNumber = number;
    connection.announcement = announcement;
    connection.bytesBeforeLogin = 0;
    connection.framesBeforeLogin = 0;
    connection.permissions = decision.permissions;
    connection.credential = decision.credential;
    setReceiveLimit(connection.webSocket, this.gatewayOptions.maxMessageBytes);
    const replaced = this.registry.login(clientId, connection);
    this.expiry.set(connection, decision.expiresAt);
    this.welcome.answer(connection, clientId, replaced);
  }

  #assertFree({ clientId, connection }: LoginAttempt): void {
    if (this.clientsOptions.duplicateLogin === 'replace') return;
    const holder = this.registry.find(clientId)?.connection;
    if (holder !== undefined && holder !== connection) throw new CrossCommError('CC_ALREADY_ONLINE');
  }

  #refuse({ connection, clientId, isAnnounced }: LoginAttempt, error: CrossCommError): void {
    const closeCode = CLOSE_CODES[error.code];
    // the others have been counted by who refused them
    if (closeCode === undefined && error.code !== 'CC_INTERNAL') this.refusals.add('login_refused', `Refused a login from ${connection.remoteAddress}: ${quoted(error.message)}`);
    // a refused login ends whatever identity the socket had before
    this.registry.logout(connection);
    if (isAnnounced) connection.send(fromServer('login_response', clientId.slice(0, 256), loginErrorContent(error.toWire())));
    connection.close(closeCode ?? CloseCode.LOGIN_REFUSED, error.code);
  }
}

/** @returns why it cannot be read; told only where the rate of logins allows to say anything but that */
function readAnnouncement(attempt: LoginAttempt, content: unknown): CrossCommError | undefined {
  try {
    attempt.announcement = parseAnnouncement(content);
    attempt.isAnnounced = attempt.announcement !== undefined;
    assertWillContent(attempt.announcement?.will);
    return undefined;
  } catch (error) {
    return CrossCommError.from(error);
  }
}
