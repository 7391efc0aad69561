import { Injectable } from '@nestjs/common';
import type { Connection } from '../clients/index.js';
import { DeliveryOptions } from './delivery.options.js';

/**
 * What senders may have unanswered. Who has more is not read until half of it is answered: TCP makes it wait, and
 * nothing of it is lost.
 */
@Injectable()
export class SenderCredit {
  readonly #stopped = new Set<Connection>();

  constructor(private readonly options: DeliveryOptions) {}

  /** A message has come in. */
  take(connection: Connection, bytes: number): void {
    const messages = ++connection.unackedMessages;
    const all = (connection.unackedBytes += bytes);
    if ((messages <= this.options.maxUnacked && all <= this.options.maxUnackedBytes) || this.#stopped.has(connection)) return;
    this.#stopped.add(connection);
    connection.stopReading();
  }

  /** It is answered. */
  giveBack(connection: Connection, bytes: number): void {
    const messages = --connection.unackedMessages;
    const all = (connection.unackedBytes -= bytes);
    if (this.#stopped.size === 0 || messages > this.options.maxUnacked / 2 || all > this.options.maxUnackedBytes / 2) return;
    if (this.#stopped.delete(connection)) connection.continueReading();
  }
}
