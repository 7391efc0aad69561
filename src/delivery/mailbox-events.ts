import type { StoredMail } from './store/index.js';

/** The mailbox of one client, as it is counted. */
export interface CountedMailbox {
  readonly clientId: string;
  /** Messages in it. */
  count: number;
  /** Bytes of those. */
  bytes: number;
}

/** What a mailbox needs of its surroundings. */
export interface MailboxEvents {
  /** Bytes that may be on their way to one receiver. */
  readonly maxUnconfirmedBytes: number;
  readonly redeliveryDelayMs: number;
  /** Time that its receiver has for confirming what it was sent and what could not be stored. */
  readonly unstoredConfirmMs: number;
  /** Messages up to this number are stored, and their senders know; the others are dealt with in their order. */
  readonly settledSeq: number;
  /** Whether this message may be shown to its receiver before it is stored. */
  mayShow(mail: StoredMail): boolean;
  read(mails: readonly StoredMail[]): Promise<readonly (Buffer | undefined)[]>;
  /** Its receiver is done with these; they have left the mailbox. */
  processed(mailbox: CountedMailbox, mails: readonly StoredMail[]): void;
  /** Its receiver has this one. */
  delivered(mail: StoredMail): void;
  /** Counts a rejection. @returns whether the message may be sent once more */
  rejected(mailbox: CountedMailbox, mail: StoredMail): boolean;
  /** It will never be delivered from here; it has left the mailbox. */
  undeliverable(mailbox: CountedMailbox, mail: StoredMail, why: 'expired' | 'too_large' | 'rejected' | 'unreadable'): void;
  /** It was sent and could not be stored, and nobody will say what became of it; it has left the mailbox. */
  lost(mailbox: CountedMailbox, mail: StoredMail): void;
}
