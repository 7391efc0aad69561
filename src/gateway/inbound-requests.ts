import { Injectable } from '@nestjs/common';
import { sendError, type Connection } from '../clients/index.js';
import { RequestRouter } from '../delivery/index.js';
import { BROADCAST_ID, CrossCommError, SERVER_ID, groupOf, parseRequest, type Envelope } from '../protocol/index.js';
import { Refusals } from '../security/index.js';
import { AccessControl } from './access-control.js';
import { HubActions } from './hub-actions.service.js';

/** Handles `request`, `response` and `cancel` of clients: those to the hub are answered here, others are sent on. */
@Injectable()
export class InboundRequests {
  constructor(
    private readonly actions: HubActions,
    private readonly router: RequestRouter,
    private readonly access: AccessControl,
    private readonly refusals: Refusals,
  ) {}

  /** @param frame the sender's own frame as UTF-8 text. @throws CrossCommError that answers the frame */
  receive(connection: Connection, envelope: Envelope, frame: Buffer): void {
    if (!connection.isAnnounced) throw new CrossCommError('CC_TYPE_NOT_ALLOWED', 'Requests need protocol 2.');
    switch (envelope.msgType) {
      case 'request':
        this.#request(connection, envelope, frame);
        break;
      case 'response':
        this.router.respond({ envelope, frame });
        break;
      default:
        this.router.cancel({ envelope, frame });
    }
  }

  #request(connection: Connection, envelope: Envelope, frame: Buffer): void {
    const { fromClientId, toClientId, msgId, content } = envelope;
    if (toClientId === SERVER_ID) {
      this.actions.answer(connection, envelope);
      return;
    }
    try {
      if (toClientId === BROADCAST_ID || groupOf(toClientId) !== undefined)
        throw new CrossCommError('CC_INVALID_CONTENT', 'A request goes to one client, or to "server".');
      this.access.assertMayRequest(connection, toClientId, parseRequest(content).action);
      this.router.request(this.router.requesterAt(connection, fromClientId), { envelope, frame });
    } catch (error) {
      const coded = CrossCommError.from(error);
      this.refusals.countCode(coded.code);
      sendError(connection, coded, msgId);
    }
  }
}
