import { Injectable } from '@nestjs/common';
import { ClientRegistry, fromServer, type Connection } from '../clients/index.js';
import type { AckContent, Receipt } from '../protocol/index.js';

/** Message ids in one `ack` at most. */
const MAX_IDS = 500;

/** Acks on their way to the senders, put together: one frame per receipt and connection for all that comes at once. */
@Injectable()
export class Receipts {
  readonly #waiting = new Map<Connection, Map<Receipt, string[]>>();
  #isScheduled = false;
  #lastConnection: Connection | undefined;
  #lastReceipt: Receipt | undefined;
  #lastIds: string[] = [];

  constructor(private readonly registry: ClientRegistry) {}

  /** Tells a sender, if it is here and wants to know, how far its message has come. */
  tell(clientId: string, receipt: Receipt, msgId: string): void {
    const connection = this.registry.find(clientId)?.connection;
    if (connection?.can('acks')) this.add(connection, receipt, msgId);
  }

  /** The same for a sender whose connection is at hand. */
  add(connection: Connection, receipt: Receipt, msgId: string): void {
    // what comes at once mostly comes for one sender after the other
    if (connection !== this.#lastConnection || receipt !== this.#lastReceipt) this.#select(connection, receipt);
    this.#lastIds.push(msgId);
  }

  #select(connection: Connection, receipt: Receipt): void {
    let ofConnection = this.#waiting.get(connection);
    if (ofConnection === undefined) this.#waiting.set(connection, (ofConnection = new Map<Receipt, string[]>()));
    let ids = ofConnection.get(receipt);
    if (ids === undefined) ofConnection.set(receipt, (ids = []));
    this.#lastConnection = connection;
    this.#lastReceipt = receipt;
    this.#lastIds = ids;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Sends what waits. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#lastConnection = undefined;
    for (const [connection, receipts] of waiting)
      for (const [receipt, ids] of receipts)
        for (let from = 0; from < ids.length; from += MAX_IDS) send(connection, receipt, ids.slice(from, from + MAX_IDS));
  }
}

/** In one frame, or in as many as a receiver of small messages needs. */
function send(connection: Connection, receipt: Receipt, msgIds: readonly string[]): void {
  const content: AckContent = { receipt, msg_ids: msgIds };
  const outcome = connection.send(fromServer('ack', connection.client?.clientId ?? '', content));
  if (outcome !== 'too-large' || msgIds.length === 1) return;
  const middle = msgIds.length >> 1;
  send(connection, receipt, msgIds.slice(0, middle));
  send(connection, receipt, msgIds.slice(middle));
}
