import { Injectable } from '@nestjs/common';
import { sendError, type ConnectedClient } from '../clients/index.js';
import { DurableDelivery, MessageHub, withoutHubWords, type ReceivedMessage } from '../delivery/index.js';
import { ListenerDispatcher } from '../listeners/index.js';
import { BROADCAST_ID, SERVER_ID } from '../protocol/index.js';
import { AccessControl } from './access-control.js';
import { EventLoopTurn } from './event-loop-turn.js';
import { SlowReceivers } from './slow-receivers.js';
import { hasMoreRead } from './web-socket-inside.js';
import type { WebSocketConnection } from './web-socket.connection.js';

/** What users send to each other: to the receivers, and to the hub's own listeners. */
@Injectable()
export class MessageForwarder {
  constructor(
    private readonly hub: MessageHub,
    private readonly durable: DurableDelivery,
    private readonly dispatcher: ListenerDispatcher,
    private readonly turn: EventLoopTurn,
    private readonly access: AccessControl,
    private readonly slowReceivers: SlowReceivers,
  ) {}

  /**
   * @returns undefined when it is done; a promise when it was not, and is to be tried again when that resolves: a receiver
   *   is too slow
   * @throws CrossCommError `CC_NOT_ALLOWED`, `CC_INVALID_CONTENT` when it asks for a delivery that does not exist
   */
  forward(connection: WebSocketConnection, sender: ConnectedClient, received: ReceivedMessage): Promise<void> | undefined {
    const { envelope, frame } = withoutHubWords(received);
    const refusal = this.access.sendRefusal(connection, envelope.toClientId, envelope.msgType);
    if (refusal !== undefined) throw refusal;
    if (connection.sendsDurably) {
      const { toClientId } = envelope;
      const request = this.durable.requestOf(envelope, toClientId === BROADCAST_ID || toClientId === SERVER_ID);
      if (request !== undefined) {
        this.durable.accept(sender, envelope, frame, request);
        return undefined;
      }
    }
    const slow = this.slowReceivers.mustWait(envelope);
    if (slow !== undefined) return slow;
    this.turn.messageBegins(hasMoreRead(connection.webSocket) ?? true);
    const { error } = this.hub.route(envelope, frame);
    this.turn.messageEnds();
    if (error !== undefined) sendError(connection, error, envelope.msgId);
    this.dispatcher.dispatch(sender, envelope);
    return undefined;
  }
}
