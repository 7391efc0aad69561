import type { FrameSource } from '../../clients/index.js';

/** One message in the store; one object per message, shared by store and mailboxes. */
export interface StoredMail {
  /** Number in the order of storing; grows over all mailboxes and restarts, and is never given twice. */
  readonly seq: number;
  readonly fromClientId: string;
  readonly msgId: string;
  /** Receipts beyond `stored` that its sender wants. */
  readonly receipt: 'delivered' | 'processed' | undefined;
  /** Milliseconds since the epoch. */
  readonly storedAtMs: number;
  /** Milliseconds since the epoch after which it is not delivered any more. */
  readonly expiresAtMs: number;
  /** Length of its frame. */
  readonly sizeBytes: number;
  /** Mailboxes that it is still in. Changed by the store only. */
  readonly recipients: readonly string[];
  /** Negative confirmations so far, by recipient; absent for most. Changed by the store only. */
  readonly attempts: ReadonlyMap<string, number> | undefined;
  /** The frame as receivers get it, while it is at hand, as it is until it is stored; else {@link MailStore.read} fetches it. */
  readonly frame: FrameSource | undefined;
  /** Whether it survives the hub by now. Changed by the store only. */
  readonly state: 'storing' | 'stored' | 'refused';
  /** Whether a receiver was sent it before it was stored. Set by its mailbox only. */
  wasShown: boolean;
  /** Copies its frame, so that what that came in with need not be kept together with it. */
  ownFrame(): void;
}

/** What a message to be stored is made of. */
export interface NewMail {
  /** From {@link MailStore.nextSeq}. */
  readonly seq: number;
  readonly fromClientId: string;
  readonly msgId: string;
  readonly receipt: StoredMail['receipt'];
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
  /** At least one. The store takes an array of more than one over; it does not change one of one, which many may share. */
  readonly recipients: string[];
  readonly frame: FrameSource;
}

/** What was found when the store was opened. */
export interface OpenedStore {
  /** Names the life of this store. A new one whenever messages may have been lost: torn or damaged data, or none at all. */
  readonly epoch: string;
  /** Messages that are still in a mailbox, by growing number. */
  readonly mails: readonly StoredMail[];
  /** Small facts as they were last set. */
  readonly facts: ReadonlyMap<string, string>;
}

/** Told by the store, in the order of storing. Must not throw. */
export interface StoreEvents {
  /**
   * These messages, one commit's worth in the order of `put`, cannot be lost any more. Those that left their mailbox before
   * they were written are not among them: of them only the ids are kept.
   */
  onStored(mails: readonly StoredMail[]): void;
  /**
   * These, which are in a mailbox, could not be stored and are forgotten: `CC_STORE_FULL` or `CC_STORE_FAILED`. Only those
   * that were shown are known until {@link MailStore.forgetId}, or {@link MailStore.remove}, which keeps their ids.
   */
  onRefused(mails: readonly StoredMail[], error: Error): void;
}

/** How the store is doing. */
export interface StoreStats {
  readonly state: 'open' | 'full' | 'failed' | 'closed';
  /** Bytes on disk. */
  readonly bytes: number;
  /** Bytes of messages that are still in a mailbox. */
  readonly liveBytes: number;
  readonly mails: number;
  /** Message ids remembered against duplicates. */
  readonly rememberedIds: number;
}

/**
 * Where mail is kept: the port. Messages, what was done with them, the ids already seen, and small facts (who has a
 * mailbox, who is a member of what). All calls return at once; what they record becomes durable together, in the order
 * of the calls, with the next commit. What is done with a message that is not written yet becomes durable with it.
 */
export abstract class MailStore {
  /**
   * Reads what is there; once, before anything else.
   * @throws CrossCommError `CC_DATA_DIR_IN_USE`, `CC_STORE_FAILED`
   */
  abstract open(events: StoreEvents): Promise<OpenedStore>;

  /** The number for the next message. */
  abstract nextSeq(): number;

  /**
   * Stores a message; {@link StoreEvents} tell when it is safe, or that it is not.
   * @throws CrossCommError `CC_STORE_FULL`, `CC_STORE_FAILED` while it is known that it would not be stored
   */
  abstract put(mail: NewMail): StoredMail;

  /**
   * Whether this sender's message was stored before, within the time and number of ids remembered.
   * @param nowMs milliseconds since the epoch; default now
   * @returns the number it got, or undefined
   */
  abstract seqOf(fromClientId: string, msgId: string, nowMs?: number): number | undefined;

  /** When that was, in milliseconds since the epoch. */
  abstract storedAtMs(fromClientId: string, msgId: string): number | undefined;

  /** Messages that were put and whose ids a crash would still take away. */
  abstract get pendingMails(): number;

  /** Forgets that this message, which was refused, was ever here. */
  abstract forgetId(mail: StoredMail): void;

  /** Takes messages out of a mailbox: processed, expired, or moved. Numbers it does not hold are ignored. */
  abstract remove(recipient: string, seqs: readonly number[]): void;

  /** Counts a negative confirmation. @returns how many there are now */
  abstract countAttempt(recipient: string, seq: number): number;

  /** Puts a message from one mailbox into another, e.g. that of the dead letters. */
  abstract move(seq: number, from: string, to: string): void;

  /** Sets or, with undefined, forgets a small fact. */
  abstract setFact(key: string, value: string | undefined): void;

  /** Fetches frames that are not at hand; undefined for messages that are gone. */
  abstract read(mails: readonly StoredMail[]): Promise<(Buffer | undefined)[]>;

  /** Resolves when everything recorded so far is durable. @throws CrossCommError `CC_STORE_FULL`, `CC_STORE_FAILED` */
  abstract flush(): Promise<void>;

  /** Makes everything durable and closes. */
  abstract close(): Promise<void>;

  abstract get stats(): StoreStats;

  /** The folder of its files, or `memory`. */
  abstract get place(): string;
}
