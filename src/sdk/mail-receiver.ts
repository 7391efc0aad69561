import { PROTOCOL_LIMITS, type ConfirmContent, type Envelope, type MailPosition, type MailWelcome, type Rejection } from '../protocol/index.js';
import { MailItem, type MailOutcome, type RejectOptions } from './mail-item.js';

/**
 * Messages that are known again when their senders sent them once more to a hub that had forgotten them: it lost its
 * store, or crashed before they were in it.
 */
const REMEMBERED = PROTOCOL_LIMITS.maxShown;
/** Rejections whose end was not heard of; more than mailboxes hold by default. */
const MAX_REJECTED = 16_384;

/** How a client finds its mail after a login. */
export interface MailRecovery {
  /**
   * False: the hub does not know where this client left off, because its store was lost, damaged or replaced. Messages
   * may be missing; those that come are surfaced unless this client remembers them.
   */
  readonly recovered: boolean;
  /** Messages that wait in the mailbox. */
  readonly pending: number;
}

export interface MailReceiverContext {
  /** Calls back once, in a later turn of the event loop. */
  nextTurn(run: () => void): void;
  /** Sends a `confirm`. */
  confirm(content: ConfirmContent): void;
}

/**
 * The client's side of its mailbox: surfaces each message once, over reconnects, restarts of the hub and losses of its
 * store, and confirms what was processed, all of one turn of the event loop in one frame.
 */
export class MailReceiver implements MailOutcome {
  readonly #context: MailReceiverContext;
  /** Undefined before the first login to a hub that keeps mail. */
  #epoch: string | undefined;
  /** Counts the numberings of the hub: one per epoch, and per position that the hub did not know. */
  #numbering = 0;
  /** Whether the current connection has a mailbox. */
  #isAttached = false;
  /** The highest number that was received in this epoch. */
  #highest = 0;
  /** What was received and is open or rejected, by number. */
  readonly #unprocessed = new Map<number, MailItem>();
  /** The last one that was received, before it stands there: most are processed before the next one comes. */
  #newest: MailItem | undefined;
  /** The last ones that were surfaced, the oldest overwritten first. */
  readonly #surfaced: MailItem[] = [];
  #surfacedCount = 0;
  /** What earlier connections have surfaced, by sender and message id. */
  #before: ReadonlyMap<string, MailItem> | undefined;
  #processed: number[] = [];
  #received: number[] = [];
  #rejected: Rejection[] = [];
  #isScheduled = false;

  constructor(context: MailReceiverContext) {
    this.#context = context;
  }

  /** Where this client left off: everything up to there is processed. Undefined when it never had a mailbox. */
  get position(): MailPosition | undefined {
    return this.#epoch === undefined ? undefined : { epoch: this.#epoch, seq: this.#processedUpTo() };
  }

  /** A login was answered. @param mail undefined when the hub keeps no mail for this client */
  sessionChanged(mail: MailWelcome | undefined): void {
    this.#isAttached = mail !== undefined;
    if (!mail) return;
    this.#fileNewest();
    // confirmations of the last connection are not repeated: the login told the hub, or it sends the messages again
    this.#processed = [];
    this.#received = [];
    this.#rejected = [];
    const oldest = this.#surfacedCount % REMEMBERED;
    const inOrder = [...this.#surfaced.slice(oldest), ...this.#surfaced.slice(0, oldest)];
    this.#before = new Map(inOrder.map((item) => [item.key, item]));
    if (mail.epoch !== this.#epoch || !mail.recovered) {
      this.#unprocessed.clear();
      this.#numbering++;
      this.#epoch = mail.epoch;
      this.#highest = 0;
    }
    // the hub has nothing up to there any more, also nothing of what was rejected
    for (const seq of this.#unprocessed.keys()) if (seq <= mail.seq) this.#unprocessed.delete(seq);
    this.#highest = Math.max(this.#highest, mail.seq);
  }

  /** The connection is gone. */
  sessionLost(): void {
    this.#isAttached = false;
  }

  /**
   * Takes a message.
   * @returns what tells when it is processed; undefined when it is no mail; null when it must not be surfaced (again)
   */
  accept({ ext, fromClientId, msgId, toClientId }: Envelope): MailItem | undefined | null {
    const { seq, attempt, receipt } = (ext ?? {}) as { readonly seq?: unknown; readonly attempt?: unknown; readonly receipt?: unknown };
    // broadcasts are never mail, whatever their senders put into ext
    if (!this.#isAttached || typeof seq !== 'number' || toClientId === 'all') return undefined;
    this.#fileNewest();
    const known = this.#unprocessed.get(seq);
    if (known?.state === 'open') return this.#arrived(seq, receipt);
    if (!known && seq <= this.#highest && !(Number(attempt) > 1 && !this.#wasProcessed(seq))) return this.#confirm(seq);
    this.#highest = Math.max(this.#highest, seq);
    const key = `${fromClientId}\n${msgId}`;
    const earlier = this.#before?.get(key);
    // under another number, because the hub does not know the first one any more
    const isRenumbered = earlier && (earlier.numbering !== this.#numbering || earlier.seq !== seq);
    if (isRenumbered && earlier.numbering === this.#numbering) this.#unprocessed.delete(earlier.seq);
    if (isRenumbered && earlier.state !== 'rejected') {
      earlier.numbering = this.#numbering;
      earlier.seq = seq;
      if (earlier.state === 'processed') return this.#confirm(seq);
      this.#unprocessed.set(seq, earlier);
      return this.#arrived(seq, receipt);
    }
    const item = new MailItem(key, this.#numbering, seq, this);
    // what it replaces was rejected
    if (known) this.#unprocessed.delete(seq);
    this.#newest = item;
    this.#surfaced[this.#surfacedCount++ % REMEMBERED] = item;
    this.#arrived(seq, receipt);
    return item;
  }

  processed(item: MailItem): void {
    if (item === this.#newest) this.#newest = undefined;
    // not any more when the hub has begun a new numbering
    else if (this.#unprocessed.get(item.seq) !== item) return;
    else this.#unprocessed.delete(item.seq);
    this.#confirm(item.seq);
  }

  rejected(item: MailItem, { delayMs, dead }: RejectOptions): void {
    this.#fileNewest();
    if (this.#unprocessed.get(item.seq) !== item) return;
    this.#rejected.push({ seq: item.seq, delay: delayMs && delayMs / 1000, dead });
    this.#schedule();
    this.#boundRejected();
  }

  /** Sends what is to be confirmed. */
  flush(): void {
    this.#isScheduled = false;
    if (!this.#isAttached) return;
    const upTo = this.#processedUpTo();
    const seqs = this.#processed.filter((seq) => seq > upTo);
    const [received, rejected] = [this.#received, this.#rejected];
    const isUpTo = seqs.length < this.#processed.length;
    if (!isUpTo && seqs.length + received.length + rejected.length === 0) return;
    this.#processed = [];
    this.#received = [];
    this.#rejected = [];
    this.#context.confirm({ up_to: isUpTo ? upTo : undefined, seqs: listed(seqs), received: listed(received), rejected: listed(rejected) });
  }

  #arrived(seq: number, receipt: unknown): null {
    if (receipt === 'delivered') {
      this.#received.push(seq);
      this.#schedule();
    }
    return null;
  }

  #confirm(seq: number): null {
    this.#processed.push(seq);
    this.#schedule();
    return null;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#context.nextTurn(() => this.flush());
  }

  #fileNewest(): void {
    if (this.#newest) this.#unprocessed.set(this.#newest.seq, this.#newest);
    this.#newest = undefined;
  }

  #processedUpTo(): number {
    this.#fileNewest();
    let lowest = this.#highest + 1;
    for (const seq of this.#unprocessed.keys()) if (seq < lowest) lowest = seq;
    return lowest - 1;
  }

  /** Whether a message that comes again, although it is not open here, was processed here after an earlier rejection. */
  #wasProcessed(seq: number): boolean {
    return this.#surfaced.some((item) => item.seq === seq && item.numbering === this.#numbering && item.state === 'processed');
  }

  /** What became of rejected messages in the end, nobody tells; the oldest are forgotten. */
  #boundRejected(): void {
    if (this.#unprocessed.size <= MAX_REJECTED) return;
    for (const [seq, { state }] of this.#unprocessed) {
      if (state !== 'rejected') continue;
      this.#unprocessed.delete(seq);
      return;
    }
  }
}

function listed<Item>(items: readonly Item[]): readonly Item[] | undefined {
  return items.length === 0 ? undefined : items;
}
