import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ClientsOptions, fromServer, type Connection } from '../clients/index.js';
import { DeliveryOptions, DurableDelivery, Mailboxes } from '../delivery/index.js';
import { CloseCode, FEATURES, PROTOCOL_VERSION, loginSuccessContent, type Feature, type MailWelcome, type Welcome } from '../protocol/index.js';
import { FileBroker } from './file-broker.service.js';
import { GatewayOptions } from './gateway.options.js';
import { leftMs } from './login-expiry.js';
import { WebSocketConnection } from './web-socket.connection.js';

const TOOK_OVER = 'a newer login with the same client id took over';

/** Answers a login that was accepted, lets the client's mail follow, and ends the login that it replaces. */
@Injectable()
export class LoginWelcome {
  constructor(
    private readonly clientsOptions: ClientsOptions,
    private readonly gatewayOptions: GatewayOptions,
    private readonly deliveryOptions: DeliveryOptions,
    private readonly fileBroker: FileBroker,
    private readonly durable: DurableDelivery,
    private readonly mailboxes: Mailboxes,
  ) {}

  /** @param replaced the connection that held the id until now; it is closed */
  answer(connection: WebSocketConnection, clientId: string, replaced: Connection | undefined): void {
    const { announcement } = connection;
    const { isEnabled } = this.durable;
    connection.sendsDurably = isEnabled && connection.can('acks');
    const mail = isEnabled ? this.mailboxes.attach(clientId, connection, announcement?.resume) : undefined;
    connection.mailOwner = mail && clientId;
    connection.send(fromServer('login_response', clientId, loginSuccessContent(announcement && this.#capabilities(connection, mail))));
    // a program without a position is a new one: what its predecessor is just confirming it should not get again
    const predecessor = announcement?.resume === undefined && replaced instanceof WebSocketConnection ? replaced : undefined;
    if (predecessor === undefined) this.mailboxes.release(clientId, connection);
    else predecessor.webSocket.once('close', () => this.mailboxes.release(clientId, connection));
    const settled = predecessor && this.mailboxes.settled(predecessor);
    if (settled === undefined) replaced?.close(CloseCode.REPLACED, TOOK_OVER);
    else predecessor?.closeAfter(settled, CloseCode.REPLACED, TOOK_OVER);
  }

  #capabilities({ expiresAt }: WebSocketConnection, mail: MailWelcome | undefined): Welcome {
    const { maxMessageBytes, maxNestingDepth } = this.gatewayOptions;
    const { maxUnacked, maxUnackedBytes, duplicateWindowMs } = this.deliveryOptions;
    const absent = new Set<Feature>();
    if (!this.fileBroker.isEnabled) absent.add('files');
    if (!this.durable.isEnabled) absent.add('acks').add('mailbox');
    return {
      protocol: PROTOCOL_VERSION,
      session: randomUUID(),
      features: FEATURES.filter((feature) => !absent.has(feature)),
      limits: { maxMessageBytes, maxNestingDepth, maxUnacked, maxUnackedBytes, duplicateWindowMs },
      heartbeatIntervalMs: this.clientsOptions.heartbeatInterval * 1000,
      heartbeatTimeoutMs: this.clientsOptions.heartbeatTimeout * 1000,
      expiresInMs: leftMs(expiresAt),
      mail,
    };
  }
}
