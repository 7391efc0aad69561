import { sendError, type Connection } from '../clients/index.js';
import type { CrossCommError } from '../protocol/index.js';
import type { Receipts } from './receipts.js';
import type { SenderCredit } from './sender-credit.js';

/** Who sent a durable message and is to be answered, exactly once. */
export interface Asker {
  accepted(receipt: 'stored' | 'live', msgId: string): void;
  refused(error: CrossCommError, msgId: string): void;
}

/** A client, which gets an `ack` or an `error`. */
export class AskingClient implements Asker {
  constructor(
    private readonly connection: Connection,
    private readonly bytes: number,
    private readonly receipts: Receipts,
    private readonly credit: SenderCredit,
  ) {
    credit.take(connection, bytes);
  }

  accepted(receipt: 'stored' | 'live', msgId: string): void {
    this.credit.giveBack(this.connection, this.bytes);
    this.receipts.add(this.connection, receipt, msgId);
  }

  refused(error: CrossCommError, msgId: string): void {
    this.credit.giveBack(this.connection, this.bytes);
    sendError(this.connection, error, msgId);
  }
}

/** The application of the hub itself, which waits for a promise. */
export class AskingHub implements Asker {
  accepted!: Asker['accepted'];
  refused!: Asker['refused'];
  readonly answer = new Promise<'stored' | 'live'>((resolve, reject) => {
    this.accepted = resolve;
    this.refused = reject;
  });
}
