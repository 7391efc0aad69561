import { OutboundMessage, steadyNowMs, type Connection } from '../clients/index.js';
import type { ConfirmContent, Envelope } from '../protocol/index.js';
import { DelayedMail } from './delayed-mail.js';
import { redeliveryFrame } from './mail-frame.js';
import { MailQueue } from './mail-queue.js';
import type { StoredMail } from './store/index.js';

/** Frames fetched from the store at a time. */
const PAGE = 64;

/** What a mailbox needs of its surroundings. */
export interface MailboxEvents {
  /** Bytes that may be on their way to one receiver. */
  readonly maxUnconfirmedBytes: number;
  readonly redeliveryDelayMs: number;
  read(mails: readonly StoredMail[]): Promise<readonly (Buffer | undefined)[]>;
  /** Its receiver is done with these; they have left the mailbox. */
  processed(mailbox: Mailbox, mails: readonly StoredMail[]): void;
  /** Its receiver has this one. */
  delivered(mail: StoredMail): void;
  /** Counts a rejection. @returns whether the message may be sent once more */
  rejected(mailbox: Mailbox, mail: StoredMail): boolean;
  /** It will never be delivered from here; it has left the mailbox. */
  undeliverable(mailbox: Mailbox, mail: StoredMail, why: 'expired' | 'too_large' | 'rejected' | 'unreadable'): void;
}

/**
 * The mail of one client: what waits, and what is on its way to the client's connection. Mail leaves it when the
 * receiver confirms it, and goes back in line when the connection is lost.
 */
export class Mailbox {
  readonly #waiting = new MailQueue();
  /** On its way. */
  readonly #sent = new MailQueue();
  /** Rejected; waits for its next attempt. */
  readonly #delayed = new DelayedMail();
  #sentBytes = 0;
  #connection: Connection | undefined;
  #maxUnconfirmed = 0;
  #canConfirm = false;
  #isReading = false;
  #timer: NodeJS.Timeout | undefined;
  #isHeld = false;
  /** Messages in it, those that are being stored included. */
  count = 0;
  /** Bytes of those. */
  bytes = 0;
  /** No message in it expires before, in milliseconds since the epoch. */
  earliestExpiryMs = Infinity;
  /** Highest number that was ever put into it, as far as is known. */
  lastSeq = 0;
  /** Its owner's id, as all mail for it alone shares it. */
  readonly recipients: string[];
  /** It alone, as what goes to several mailboxes is told. */
  readonly alone: readonly Mailbox[] = [this];
  /** Milliseconds since the epoch when its owner was last here. */
  lastSeenMs = steadyNowMs();
  /** When that was recorded. */
  seenNotedAtMs = 0;

  constructor(
    readonly clientId: string,
    private readonly events: MailboxEvents,
  ) {
    this.recipients = [clientId];
  }

  /** The connection that gets this mail. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Numbers of what was sent and is not confirmed. */
  get unconfirmed(): Iterable<number> {
    return this.#sent.peek(this.#sent.length).map(({ seq }) => seq);
  }

  /** All mail up to this number has left. */
  get position(): number {
    const first = Math.min(this.#waiting.first?.seq ?? Infinity, this.#sent.first?.seq ?? Infinity, this.#delayed.firstSeq, this.storing[0] ?? Infinity);
    return first === Infinity ? this.lastSeq : first - 1;
  }

  /** Numbers of the messages that are being stored, in their order. */
  readonly storing: number[] = [];

  /** A connection takes over; nothing is sent before {@link release}. */
  attach(connection: Connection, maxUnconfirmed: number): void {
    this.detach();
    this.#connection = connection;
    this.#canConfirm = connection.can('mailbox');
    this.#maxUnconfirmed = maxUnconfirmed;
    this.#isHeld = true;
  }

  /** The connection may get its mail now. */
  release(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#isHeld = false;
    this.#pump();
  }

  /** The connection is gone: what it had not confirmed waits again. */
  detach(): void {
    if (this.#connection !== undefined) this.lastSeenMs = steadyNowMs();
    this.#connection = undefined;
    const back = [...this.#sent.takeAll(), ...this.#delayed.takeAll()];
    for (const mail of back) this.#mayExpire(mail);
    this.#waiting.putBack(back);
    this.#sentBytes = 0;
  }

  /** A message that is stored now. */
  add(mail: StoredMail): void {
    this.lastSeq = mail.seq;
    this.#mayExpire(mail);
    const isLate = mail.expiresAtMs - mail.storedAtMs < 60_000 && mail.expiresAtMs <= steadyNowMs();
    const frame = this.#waiting.length === 0 && !isLate && this.#canSend(mail) ? mail.frame : undefined;
    if (frame === undefined) this.#waiting.push(mail);
    else this.#send(mail, frame);
    // its sender is told behind the ack
    if (isLate) this.#pumpLater(0);
  }

  /** Whether a stored message is still in here. */
  holds(seq: number): boolean {
    return this.#sent.get(seq) !== undefined || this.#delayed.has(seq) || this.#waiting.get(seq) !== undefined;
  }

  /** Everything up to this number was processed on an earlier connection. */
  processedUpTo(seq: number): void {
    this.#done(this.#waiting.remove((mail) => mail.seq <= seq));
  }

  /** The receiver's word. @param connection where it came from: not always the one that gets the mail now */
  confirm({ up_to, seqs, received, rejected }: ConfirmContent, connection: Connection): void {
    const done: StoredMail[] = [];
    if (up_to !== undefined && connection === this.#connection)
      for (let first = this.#sent.first; first !== undefined && first.seq <= up_to; first = this.#sent.first) this.#take(first.seq, done);
    const others = (seqs ?? []).filter((seq) => !this.#take(seq, done));
    // of an earlier connection; all at once, because each look goes through all that waits
    if (others.length > 0 && this.#waiting.length > 0) {
      const wanted = new Set(others);
      done.push(...this.#waiting.remove(({ seq }) => wanted.has(seq)));
    }
    this.#done(done);
    for (const seq of received ?? []) {
      const mail = this.#sent.get(seq);
      if (mail?.receipt === 'delivered') this.events.delivered(mail);
    }
    if (connection === this.#connection) for (const { seq, delay, dead } of rejected ?? []) this.#reject(seq, delay, dead === true);
    this.#pump();
  }

  /** It waits, and did not when it was last looked for expired mail: it was on its way, or being stored. */
  #mayExpire({ expiresAtMs }: StoredMail): void {
    if (expiresAtMs < this.earliestExpiryMs) this.earliestExpiryMs = expiresAtMs;
  }

  /** Drops what has expired. */
  expire(nowMs: number): void {
    let earliest = Infinity;
    const isOver = (mail: StoredMail): boolean => {
      if (mail.expiresAtMs <= nowMs) return true;
      earliest = Math.min(earliest, mail.expiresAtMs);
      return false;
    };
    const expired = [...this.#waiting.remove(isOver), ...this.#delayed.remove(isOver)];
    // what is on its way is the receiver's matter now
    for (const mail of this.#sent.peek(this.#sent.length)) if (mail.expiresAtMs > nowMs) earliest = Math.min(earliest, mail.expiresAtMs);
    this.earliestExpiryMs = earliest;
    for (const mail of expired) this.events.undeliverable(this, mail, 'expired');
  }

  /** @returns whether it was on its way, or rejected */
  #take(seq: number, done: StoredMail[]): boolean {
    const mail = this.#takeSent(seq) ?? this.#delayed.take(seq);
    if (mail !== undefined) done.push(mail);
    return mail !== undefined;
  }

  #takeSent(seq: number): StoredMail | undefined {
    const mail = this.#sent.take(seq);
    if (mail !== undefined) this.#sentBytes -= mail.sizeBytes;
    return mail;
  }

  #done(mails: readonly StoredMail[]): void {
    if (mails.length > 0) this.events.processed(this, mails);
  }

  #reject(seq: number, delaySeconds: number | undefined, isDead: boolean): void {
    const mail = this.#takeSent(seq);
    if (mail === undefined) return;
    if (isDead || !this.events.rejected(this, mail)) {
      this.events.undeliverable(this, mail, 'rejected');
      return;
    }
    const delayMs = delaySeconds === undefined ? this.events.redeliveryDelayMs : Math.min(delaySeconds * 1000, 2 ** 31 - 1);
    this.#delayed.add(mail, delayMs, () => {
      this.#waiting.push(mail);
      this.#pump();
    });
  }

  #canSend({ sizeBytes }: StoredMail): boolean {
    const connection = this.#connection;
    if (connection === undefined || this.#isHeld || this.#isReading || this.#sent.length >= this.#maxUnconfirmed) return false;
    const onTheWay = this.#canConfirm ? this.#sentBytes : connection.bufferedBytes;
    if (onTheWay === 0 || onTheWay + sizeBytes <= this.events.maxUnconfirmedBytes) return true;
    // nobody confirms, so nobody tells when there is room again
    if (!this.#canConfirm) this.#pumpLater(20);
    return false;
  }

  #pumpLater(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pump();
    }, delayMs).unref();
  }

  /** Sends what may be sent; stops at the first message whose frame has to be fetched. */
  #pump(): void {
    for (let mail = this.#waiting.first; mail !== undefined && this.#canSend(mail); mail = this.#waiting.first) {
      if (mail.expiresAtMs <= steadyNowMs()) {
        this.#waiting.shift();
        this.events.undeliverable(this, mail, 'expired');
        continue;
      }
      const { frame } = mail;
      if (frame === undefined) {
        void this.#fetch();
        return;
      }
      this.#waiting.shift();
      this.#send(mail, frame);
    }
  }

  async #fetch(): Promise<void> {
    const connection = this.#connection;
    const page: StoredMail[] = [];
    let bytes = 0;
    for (const mail of this.#waiting.peek(Math.min(PAGE, this.#maxUnconfirmed - this.#sent.length))) {
      bytes += mail.sizeBytes;
      if (page.length > 0 && bytes > this.events.maxUnconfirmedBytes) break;
      page.push(mail);
    }
    this.#isReading = true;
    let frames: readonly (Buffer | undefined)[];
    try {
      frames = await this.events.read(page);
    } catch {
      // the store has said what is wrong; the mail stays where it is
      this.#pumpLater(1_000);
      return;
    } finally {
      this.#isReading = false;
    }
    // what was to get the page left meanwhile; its successor asks again
    if (this.#connection === connection)
      for (const [at, mail] of page.entries()) {
        // expired or confirmed while it was fetched
        if (this.#waiting.first !== mail) continue;
        if (!this.#canSend(mail)) break;
        this.#waiting.shift();
        const frame = frames[at];
        if (frame === undefined) this.events.undeliverable(this, mail, 'unreadable');
        else this.#send(mail, frame);
      }
    this.#pump();
  }

  #send(mail: StoredMail, stored: Buffer): void {
    const connection = this.#connection as Connection;
    const attempts = mail.attempts?.get(this.clientId) ?? 0;
    const frame = attempts === 0 ? stored : redeliveryFrame(stored, attempts + 1);
    this.#sent.push(mail);
    this.#sentBytes += mail.sizeBytes;
    const outcome = connection.send(new OutboundMessage(MAIL, frame));
    // what a closing connection did not take stays among what was sent, and waits again when the connection is gone
    if (outcome === 'too-large') {
      this.#takeSent(mail.seq);
      this.events.undeliverable(this, mail, 'too_large');
    } else if (outcome === 'sent' && !this.#canConfirm) {
      this.#takeSent(mail.seq);
      this.#done([mail]);
    }
  }
}

/** Stands for what the frame says; that it has an `ext` matters, which old clients must not see. */
const MAIL: Envelope = { msgId: '', fromClientId: '', toClientId: '', msgType: 'text', content: null, timestamp: 0, ossKey: null, ext: {} };
