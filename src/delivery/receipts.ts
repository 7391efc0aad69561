import { Injectable } from '@nestjs/common';
import { ClientRegistry, fromServer, type Connection } from '../clients/index.js';
import { RECEIPTS, type AckContent, type Receipt } from '../protocol/index.js';

/** Message ids in one `ack` at most. */
const MAX_IDS = 500;

const NO_IDS: readonly string[] = [];

/** Acks on their way to the senders, put together: one frame per receipt and connection for all that comes at once. */
@Injectable()
export class Receipts {
  /**
   * Those whose acks are due. Not a map by connection: the tables that one leaves behind when it is emptied again and again
   * keep what was in them from the garbage collector.
   */
  #due: Connection[] = [];
  #isScheduled = false;

  constructor(private readonly registry: ClientRegistry) {}

  /** Tells a sender, if it is here and wants to know, how far its message has come. */
  tell(clientId: string, receipt: Receipt, msgId: string): void {
    const connection = this.registry.find(clientId)?.connection;
    if (connection?.can('acks')) this.add(connection, receipt, msgId);
  }

  /** The same for a sender whose connection is at hand. */
  add(connection: Connection, receipt: Receipt, msgId: string): void {
    let due = connection.dueAcks;
    if (due === undefined) {
      connection.dueAcks = due = {};
      this.#due.push(connection);
      this.#flushLater();
    }
    (due[receipt] ??= []).push(msgId);
  }

  #flushLater(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.flush());
  }

  /** Sends what waits. */
  flush(): void {
    this.#isScheduled = false;
    const connections = this.#due;
    this.#due = [];
    for (const connection of connections) {
      const due = connection.dueAcks ?? {};
      connection.dueAcks = undefined;
      // in this order, because one message may have become all of it at once
      for (const receipt of RECEIPTS) {
        const ids = due[receipt] ?? NO_IDS;
        for (let from = 0; from < ids.length; from += MAX_IDS) send(connection, receipt, ids.slice(from, from + MAX_IDS));
      }
    }
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
