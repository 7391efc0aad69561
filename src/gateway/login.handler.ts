import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { ClientRegistry, ClientsOptions } from '../clients/index.js';
import {
  CloseCode,
  CrossCommError,
  FEATURES,
  PROTOCOL_VERSION,
  assertClientId,
  loginErrorContent,
  loginSuccessContent,
  parseAnnouncement,
  type Announcement,
  type Envelope,
  type ErrorCode,
  type Welcome,
} from '../protocol/index.js';
import { LoginRate, Refusals } from '../security/index.js';
import { FileBroker } from './file-broker.service.js';
import { GatewayOptions } from './gateway.options.js';
import { fromServer } from './hub-replies.js';
import { setReceiveLimit } from './receive-limit.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/** What a refused login is closed with, where it is not {@link CloseCode.LOGIN_REFUSED}. */
const CLOSE_CODES: Readonly<Partial<Record<ErrorCode, CloseCode>>> = {
  CC_AUTH_FAILED: CloseCode.AUTH_FAILED,
  CC_RATE_LIMITED: CloseCode.RATE_LIMITED,
};

/** Decides about logins and answers them. */
@Injectable()
export class LoginHandler {
  readonly #logger = new Logger(LoginHandler.name);

  constructor(
    private readonly registry: ClientRegistry,
    private readonly clientsOptions: ClientsOptions,
    private readonly gatewayOptions: GatewayOptions,
    private readonly fileBroker: FileBroker,
    private readonly loginRate: LoginRate,
    private readonly refusals: Refusals,
  ) {}

  /** Binds the claimed id to the connection, or refuses and closes it. */
  login(connection: WebSocketConnection, envelope: Envelope): void {
    const clientId = envelope.fromClientId;
    let announcement: Announcement | undefined;
    // an announcement that cannot be read still is one: its sender understands a coded refusal
    let isAnnounced = true;
    try {
      announcement = parseAnnouncement(envelope.content);
      isAnnounced = announcement !== undefined;
      this.#assertRate(connection);
      assertClientId(clientId);
      this.#assertFree(clientId, connection);
    } catch (error) {
      this.#refuse(connection, clientId, { error: CrossCommError.from(error), announced: isAnnounced });
      return;
    }
    connection.announcement = announcement;
    connection.bytesBeforeLogin = 0;
    setReceiveLimit(connection.webSocket, this.gatewayOptions.maxMessageBytes);
    const replaced = this.registry.login(clientId, connection);
    replaced?.close(CloseCode.REPLACED, 'a newer login with the same client id took over');
    const welcome = announcement === undefined ? undefined : this.#welcome();
    connection.send(fromServer('login_response', clientId, loginSuccessContent(welcome)));
  }

  #assertRate({ remoteAddress }: WebSocketConnection): void {
    const waitMs = this.loginRate.tryLogin(remoteAddress, performance.now());
    if (waitMs === 0) return;
    this.refusals.add('login_rate', `Refused a login from ${remoteAddress}: too many in too short a time.`);
    throw new CrossCommError('CC_RATE_LIMITED', { detail: 'Too many logins from this address.', retryAfter: Math.ceil(waitMs) / 1000 });
  }

  #assertFree(clientId: string, connection: WebSocketConnection): void {
    if (this.clientsOptions.duplicateLogin === 'replace') return;
    const holder = this.registry.find(clientId)?.connection;
    if (holder !== undefined && holder !== connection) throw new CrossCommError('CC_ALREADY_ONLINE');
  }

  #refuse(connection: WebSocketConnection, clientId: string, { error, announced }: { error: CrossCommError; announced: boolean }): void {
    // what comes in masses is logged by who counts it
    if (error.code !== 'CC_RATE_LIMITED') this.#logger.warn(`Login refused from ${connection.remoteAddress}: ${error.message}`);
    // a refused login ends whatever identity the socket had before
    this.registry.logout(connection);
    if (announced) connection.send(fromServer('login_response', clientId.slice(0, 256), loginErrorContent(error.toWire())));
    connection.close(CLOSE_CODES[error.code] ?? CloseCode.LOGIN_REFUSED, error.code);
  }

  #welcome(): Welcome {
    const { maxMessageBytes, maxNestingDepth } = this.gatewayOptions;
    return {
      protocol: PROTOCOL_VERSION,
      session: randomUUID(),
      features: this.fileBroker.isEnabled ? FEATURES : FEATURES.filter((feature) => feature !== 'files'),
      limits: { maxMessageBytes, maxNestingDepth },
      heartbeatIntervalMs: this.clientsOptions.heartbeatInterval * 1000,
      heartbeatTimeoutMs: this.clientsOptions.heartbeatTimeout * 1000,
    };
  }
}
