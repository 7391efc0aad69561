/** What a receiver wants to happen with a message it could not process. */
export interface RejectOptions {
  /** Milliseconds until the hub sends it again. Default 1,000. */
  readonly delayMs?: number;
  /** Never send it again: it goes to the hub's dead letters. */
  readonly dead?: boolean;
}

/** Where the outcome of a {@link MailItem} goes. */
export interface MailOutcome {
  processed(item: MailItem): void;
  rejected(item: MailItem, options: RejectOptions): void;
}

/** One message of the client's mailbox, from its arrival on. */
export class MailItem {
  state: 'open' | 'processed' | 'rejected' = 'open';
  /** Who still works on it: its delivery, and each handler that confirms by itself. */
  #holds = 1;
  readonly #outcome: MailOutcome;

  constructor(
    /** Sender and message id. */
    readonly key: string,
    /** Which numbering of the hub its number belongs to; in a new one it comes again under another. */
    public numbering: number,
    public seq: number,
    outcome: MailOutcome,
  ) {
    this.#outcome = outcome;
  }

  hold(): void {
    this.#holds++;
  }

  /** One of those who work on it is done; after the last of them it is processed. */
  release(): void {
    if (--this.#holds > 0 || this.state !== 'open') return;
    this.state = 'processed';
    this.#outcome.processed(this);
  }

  /** Nobody will work on it any more: it is to be surfaced again when it comes again. */
  abandon(): void {
    if (this.state === 'open') this.state = 'rejected';
  }

  /** One of those who work on it could not; what the others do does not matter any more. */
  reject(options: RejectOptions): void {
    if (this.state !== 'open') return;
    this.state = 'rejected';
    this.#outcome.rejected(this, options);
  }
}
