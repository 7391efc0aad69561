import { Injectable } from '@nestjs/common';
import { DurableDelivery } from '../delivery/index.js';
import { CrossCommError, PeerAction, type ResendData } from '../protocol/index.js';
import { HubActions, type Asker } from './hub-actions.service.js';

/** What a sender of durable messages asks the hub. */
@Injectable()
export class DeliveryActions {
  constructor(
    private readonly durable: DurableDelivery,
    actions: HubActions,
  ) {
    actions.add(PeerAction.DELIVERY_RESEND, (data, asker) => this.#resend(data, asker));
  }

  #resend(data: unknown, { connection }: Asker): null {
    const { msg_ids } = (data ?? {}) as Partial<ResendData>;
    if (!Array.isArray(msg_ids) || !msg_ids.every((id) => typeof id === 'string'))
      throw new CrossCommError('CC_INVALID_CONTENT', 'delivery.resend needs {"msg_ids": [string]}.');
    if (!this.durable.isEnabled) throw new CrossCommError('CC_UNSUPPORTED', 'This hub keeps no mail.');
    this.durable.resending(connection, msg_ids);
    return null;
  }
}
