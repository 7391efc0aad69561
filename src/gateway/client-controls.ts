import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../clients/index.js';
import { Mailboxes } from '../delivery/index.js';
import { CrossCommError, parseConfirm, parseListRequest, type Envelope } from '../protocol/index.js';
import { AccessControl } from './access-control.js';
import { listReply } from './list-reply.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/** What clients say to the hub about themselves: logout, who is there, and that their mail was processed. */
@Injectable()
export class ClientControls {
  constructor(
    private readonly registry: ClientRegistry,
    private readonly mailboxes: Mailboxes,
    private readonly access: AccessControl,
  ) {}

  /** @throws CrossCommError `CC_NOT_ALLOWED`, `CC_RECEIVER_LIMIT` */
  control(connection: WebSocketConnection, { msgType, fromClientId, content }: Envelope): void {
    // a heartbeat has done its work by being heard
    if (msgType === 'logout') this.registry.logout(connection);
    if (msgType !== 'list_clients') return;
    const onlyShowOnline = parseListRequest(content);
    let clients = this.registry.wireList(Boolean(onlyShowOnline));
    try {
      this.access.assertMayList(connection);
    } catch (error) {
      if (connection.isAnnounced) throw error;
      // an old client waits for an answer; it sees itself
      clients = clients.filter(({ client_id: id }) => id === fromClientId);
    }
    const outcome = connection.send(listReply(clients, { toClientId: fromClientId, onlyShowOnline, maxBytes: connection.maxReceiveBytes }));
    if (outcome === 'too-large') throw new CrossCommError('CC_RECEIVER_LIMIT', 'The list is too long.');
  }

  /**
   * A receiver's word about its mail.
   * @param owner whose mail it is
   * @throws CrossCommError `CC_TYPE_NOT_ALLOWED`, `CC_INVALID_CONTENT`
   */
  confirm(connection: WebSocketConnection, owner: string, content: unknown): void {
    if (!connection.isAnnounced) throw new CrossCommError('CC_TYPE_NOT_ALLOWED', 'Confirmations need protocol 2.');
    this.mailboxes.confirm(owner, parseConfirm(content), connection);
  }
}
