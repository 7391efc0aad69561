import type { Connection } from '../clients/index.js';
import { EarlyWords } from './early-words.js';
import { MailQueue } from './mail-queue.js';
import type { MailboxEvents } from './mailbox-events.js';
import type { StoredMail } from './store/index.js';

/** What it needs to know of its surroundings. */
type Limits = Pick<MailboxEvents, 'maxUnconfirmedBytes' | 'unstoredConfirmMs' | 'settledSeq' | 'mayShow'>;

/** The way from a mailbox to its owner's connection: what was sent and is not confirmed, within the receiver's limits. */
export class DeliveryWindow {
  readonly #sent = new MailQueue();
  /** What was said of what was sent. */
  readonly words = new EarlyWords();
  readonly #limits: Limits;
  #bytes = 0;
  #connection: Connection | undefined;
  #canConfirm = false;
  #maxMessages = 0;
  #isHeld = false;
  #isGivingUp = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The connection that gets the mail. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Whether its owner says what it has processed; else mail has left as soon as it was sent. */
  get canConfirm(): boolean {
    return this.#canConfirm;
  }

  /** How many messages more may be sent. */
  get room(): number {
    return this.#maxMessages - this.#sent.length;
  }

  /** What was sent first and is not confirmed. */
  get first(): StoredMail | undefined {
    return this.#sent.first;
  }

  /** All that was sent and is not confirmed. */
  get sent(): readonly StoredMail[] {
    return this.#sent.peek(this.#sent.length);
  }

  /** Nothing is sent before {@link release}. @param maxMessages that may be on their way */
  open(connection: Connection, maxMessages: number): void {
    this.#connection = connection;
    this.#canConfirm = connection.can('mailbox');
    this.#maxMessages = maxMessages;
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
  }

  /** @returns what was on its way */
  close(): StoredMail[] {
    this.#connection = undefined;
    this.#bytes = 0;
    return this.#sent.takeAll();
  }

  /** Whether a message is stored, and its turn to be dealt with as such has come. */
  isSettled({ seq, state }: StoredMail): boolean {
    return state === 'stored' && seq <= this.#limits.settledSeq;
  }

  /**
   * Whether a message may be sent at all by now: one that is not stored only to who confirms, and can take it; one that was
   * rejected only when that was heeded.
   */
  isReady(mail: StoredMail): boolean {
    if (this.words.hasRejected(mail.seq)) return false;
    if (this.isSettled(mail)) return true;
    const connection = this.#connection;
    if (connection === undefined || !this.#canConfirm || mail.state !== 'storing') return false;
    return mail.sizeBytes <= connection.maxReceiveBytes && this.#limits.mayShow(mail);
  }

  hasRoomFor({ sizeBytes }: StoredMail): boolean {
    const connection = this.#connection;
    if (connection === undefined || this.#isHeld || this.room <= 0) return false;
    const onTheWay = this.#canConfirm ? this.#bytes : connection.bufferedBytes;
    return onTheWay === 0 || onTheWay + sizeBytes <= this.#limits.maxUnconfirmedBytes;
  }

  /** It is being sent. */
  add(mail: StoredMail): void {
    this.#sent.push(mail);
    this.#bytes += mail.sizeBytes;
  }

  /** All that was sent up to this number is not on its way any more, but for what was rejected. */
  takeUpTo(upTo: number): StoredMail[] {
    const taken: StoredMail[] = [];
    const rejected: StoredMail[] = [];
    for (let { first } = this.#sent; first !== undefined && first.seq <= upTo; { first } = this.#sent) {
      (this.words.hasRejected(first.seq) ? rejected : taken).push(first);
      this.take(first.seq);
    }
    for (const mail of rejected) this.add(mail);
    return taken;
  }

  /** What could not be stored is not on its way any more when its receiver has had its time. @param lost called with what it did not confirm */
  giveUpRefusedLater(lost: (mails: readonly StoredMail[]) => void): void {
    if (this.#isGivingUp) return;
    this.#isGivingUp = true;
    setTimeout(() => {
      this.#isGivingUp = false;
      const refused = this.sent.filter(({ state }) => state === 'refused');
      for (const { seq } of refused) this.take(seq);
      lost(refused);
    }, this.#limits.unstoredConfirmMs).unref();
  }

  get(seq: number): StoredMail | undefined {
    return this.#sent.get(seq);
  }

  /** It is not on its way any more. */
  take(seq: number): StoredMail | undefined {
    const mail = this.#sent.take(seq);
    if (mail !== undefined) this.#bytes -= mail.sizeBytes;
    return mail;
  }
}
