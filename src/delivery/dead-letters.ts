import { Injectable, Logger } from '@nestjs/common';
import { PacedLog, steadyNowMs } from '../clients/index.js';
import { CrossCommError, decodeEnvelope, quoted, type Envelope } from '../protocol/index.js';
import { DeliveryOptions } from './delivery.options.js';
import { MailStore, type StoredMail } from './store/index.js';

/** Why a message is a dead letter. */
export type DeadLetterReason = 'rejected' | 'too_large' | 'unreadable';

/** A message that could not be delivered for good. */
export interface DeadLetter {
  readonly seq: number;
  readonly msgId: string;
  readonly fromClientId: string;
  /** Who did not take it. */
  readonly clientId: string;
  /** `rejected` by its receiver, `too_large` for it, or `unreadable` in the store. Of an earlier run: `rejected`. */
  readonly reason: DeadLetterReason;
  /** Milliseconds since the epoch. */
  readonly storedAtMs: number;
}

/** What the mailboxes of dead letters begin with: no client id holds a control character. */
const DEAD = '\u0000dead:';

/** Fact of the store: the highest number of a dead letter that is gone and whose sender may still ask what became of it. */
const GONE_FACT = 'dead letters gone';

/** Messages nobody could deliver, kept for a human to look at. They expire as mail does. */
@Injectable()
export class DeadLetters {
  readonly #log = new PacedLog(new Logger(DeadLetters.name));
  readonly #letters = new Map<string, { readonly letter: DeadLetter; readonly mail: StoredMail }>();
  #goneUpTo = 0;

  constructor(
    private readonly store: MailStore,
    private readonly options: DeliveryOptions,
  ) {}

  /** Takes over what an earlier run recorded. */
  restoreFacts(facts: ReadonlyMap<string, string>): void {
    this.#goneUpTo = Number(facts.get(GONE_FACT) ?? 0);
  }

  /** Takes one over from the store; false when it is ordinary mail. */
  restore(recipient: string, mail: StoredMail): boolean {
    if (!recipient.startsWith(DEAD)) return false;
    this.#keep(mail, recipient.slice(DEAD.length), 'rejected');
    return true;
  }

  add(mail: StoredMail, clientId: string, reason: DeadLetterReason): void {
    this.#log.add('warn', `A message of ${quoted(mail.fromClientId)} to ${quoted(clientId)} is a dead letter: ${reason}.`);
    this.store.move(mail.seq, clientId, DEAD + clientId);
    this.#keep(mail, clientId, reason);
  }

  /** Whether a message that left its mailbox is a dead letter: `gone` when it may have been one. */
  holds(seq: number, clientId: string): boolean | 'gone' {
    return this.#letters.has(keyOf({ seq, clientId })) || (seq <= this.#goneUpTo && 'gone');
  }

  list(): DeadLetter[] {
    this.#dropExpired();
    return [...this.#letters.values()].map(({ letter }) => letter);
  }

  /**
   * The message itself.
   * @throws CrossCommError `CC_INVALID_OPTION` when there is no such dead letter
   */
  async open(letter: Pick<DeadLetter, 'seq' | 'clientId'>): Promise<Envelope> {
    const { mail } = this.#find(letter);
    const [frame] = await this.store.read([mail]);
    if (frame === undefined) throw new CrossCommError('CC_STORE_FAILED', `The message ${letter.seq} cannot be read.`);
    return decodeEnvelope(frame.toString('utf8'), { allowExt: true, maxNestingDepth: Infinity });
  }

  /** Drops one. @throws CrossCommError `CC_INVALID_OPTION` when there is no such dead letter */
  discard({ seq, clientId }: Pick<DeadLetter, 'seq' | 'clientId'>): void {
    const { mail } = this.#find({ seq, clientId });
    this.#letters.delete(keyOf({ seq, clientId }));
    if (mail.receipt !== undefined && seq > this.#goneUpTo) this.store.setFact(GONE_FACT, String((this.#goneUpTo = seq)));
    this.store.remove(DEAD + clientId, [seq]);
  }

  #find(letter: Pick<DeadLetter, 'seq' | 'clientId'>): { readonly letter: DeadLetter; readonly mail: StoredMail } {
    const found = this.#letters.get(keyOf(letter));
    if (found === undefined) throw new CrossCommError('CC_INVALID_OPTION', `There is no dead letter ${letter.seq} of ${JSON.stringify(letter.clientId)}.`);
    return found;
  }

  #keep(mail: StoredMail, clientId: string, reason: DeadLetterReason): void {
    const { seq, msgId, fromClientId, storedAtMs } = mail;
    const letter: DeadLetter = { seq, msgId, fromClientId, clientId, reason, storedAtMs };
    this.#letters.set(keyOf(letter), { letter, mail });
    this.#dropExpired();
    for (const { letter: oldest } of this.#letters.values()) {
      if (this.#letters.size <= this.options.maxDeadLetters) break;
      this.discard(oldest);
    }
  }

  #dropExpired(): void {
    const nowMs = steadyNowMs();
    for (const { letter, mail } of this.#letters.values()) if (mail.expiresAtMs <= nowMs) this.discard(letter);
  }
}

function keyOf({ seq, clientId }: Pick<DeadLetter, 'seq' | 'clientId'>): string {
  return `${seq} ${clientId}`;
}
