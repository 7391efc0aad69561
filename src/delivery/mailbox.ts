import { bufferOf, steadyNowMs, type Connection, type FrameSource } from '../clients/index.js';
import type { ConfirmContent, Rejection } from '../protocol/index.js';
import { DelayedMail } from './delayed-mail.js';
import { DeliveryWindow } from './delivery-window.js';
import { outboundMail, redeliveryFrame } from './mail-frame.js';
import type { CountedMailbox, MailboxEvents } from './mailbox-events.js';
import { MailQueue } from './mail-queue.js';
import type { StoredMail } from './store/index.js';

/** Frames fetched from the store at a time. */
const PAGE = 64;

/**
 * The mail of one client: what waits, and what is on its way to the client's connection. Mail leaves it when the
 * receiver confirms it, and goes back in line when the connection is lost. Who confirms gets mail for it alone while it
 * is being stored, and may be done with it before.
 */
export class Mailbox implements CountedMailbox {
  readonly #waiting = new MailQueue();
  /** On its way. */
  readonly #window: DeliveryWindow;
  /** Rejected; waits for its next attempt. */
  readonly #delayed = new DelayedMail();
  #isReading = false;
  #timer: NodeJS.Timeout | undefined;
  count = 0;
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
    this.#window = new DeliveryWindow(events);
  }

  /** The connection that gets this mail. */
  get connection(): Connection | undefined {
    return this.#window.connection;
  }

  /** Numbers of what was sent and is neither confirmed nor rejected. */
  get unconfirmed(): Iterable<number> {
    return this.#window.sent.map(({ seq }) => seq).filter((seq) => !this.#window.words.hasRejected(seq));
  }

  /** All mail up to this number has left. */
  get position(): number {
    const first = Math.min(this.#waiting.first?.seq ?? Infinity, this.#window.first?.seq ?? Infinity, this.#delayed.firstSeq);
    return first === Infinity ? this.lastSeq : first - 1;
  }

  /** A connection takes over; nothing is sent before {@link release}. */
  attach(connection: Connection, maxUnconfirmed: number): void {
    this.detach();
    this.#window.open(connection, maxUnconfirmed);
  }

  /** The connection may get its mail now. */
  release(connection: Connection): void {
    if (this.connection !== connection) return;
    this.#window.release();
    this.pump();
  }

  /** The connection is gone: what it had not confirmed waits again. */
  detach(): void {
    if (this.connection !== undefined) this.lastSeenMs = steadyNowMs();
    const back = [...this.#window.close(), ...this.#delayed.takeAll()];
    for (const mail of back) this.#mayExpire(mail);
    this.#waiting.putBack(back.filter(({ state }) => state !== 'refused'));
    this.#lost(back.filter(({ state }) => state === 'refused'));
  }

  #lost(mails: readonly StoredMail[]): void {
    for (const mail of mails) this.events.lost(this, mail);
    if (mails.length > 0) this.#pumpLater(0);
  }

  /** A new message. One that is not stored yet is sent before only as {@link pump} allows. */
  add(mail: StoredMail): void {
    this.lastSeq = mail.seq;
    this.#mayExpire(mail);
    const isLate = mail.expiresAtMs - mail.storedAtMs < 60_000 && mail.expiresAtMs <= steadyNowMs();
    const frame = this.#waiting.length === 0 && !isLate && this.#window.isReady(mail) && this.#canSend(mail) ? mail.frame : undefined;
    if (frame === undefined) this.#waiting.push(mail);
    else this.#send(mail, frame);
  }

  /** Whether this message, which is stored now, waited for that. Then {@link stored} has to be told. */
  awaits({ seq }: StoredMail): boolean {
    return this.#waiting.length > 0 || this.#window.words.has(seq);
  }

  /** A message of this mailbox is stored, and its sender knows. */
  stored(mail: StoredMail): void {
    const word = this.#window.words.take(mail.seq);
    if (word?.isReceived === true) this.events.delivered(mail);
    if (word?.rejection !== undefined) this.#reject(mail, word.rejection);
    this.pump();
  }

  /** A message could not be stored. @returns whether its receiver has it, and may still confirm it; else it has left */
  refused({ seq, wasShown }: StoredMail): boolean {
    const word = this.#window.words.take(seq);
    if (wasShown && word?.rejection === undefined && this.#window.get(seq) !== undefined) {
      this.#window.giveUpRefusedLater((given) => this.#lost(given));
      return true;
    }
    // others are being refused
    if (this.#window.take(seq) !== undefined) this.#pumpLater(0);
    else this.#waiting.take(seq);
    return false;
  }

  /** Whether a stored message is still in here. */
  holds(seq: number): boolean {
    return this.#window.get(seq) !== undefined || this.#delayed.has(seq) || this.#waiting.get(seq) !== undefined;
  }

  /** Everything up to this number was processed on an earlier connection. */
  processedUpTo(seq: number): void {
    this.#done(this.#waiting.remove((mail) => mail.seq <= seq));
  }

  /** The receiver's word. @param connection where it came from: not always the one that gets the mail now */
  confirm({ up_to, seqs, received, rejected }: ConfirmContent, connection: Connection): void {
    const done = up_to !== undefined && connection === this.connection ? this.#window.takeUpTo(up_to) : [];
    const others = (seqs ?? []).filter((seq) => !this.#take(seq, done));
    // of an earlier connection; all at once, because each look goes through all that waits
    if (others.length > 0 && this.#waiting.length > 0) {
      const wanted = new Set(others);
      done.push(...this.#waiting.remove(({ seq }) => wanted.has(seq)));
    }
    this.#done(done);
    for (const seq of received ?? []) this.#heedReceived(seq);
    if (connection === this.connection) for (const rejection of rejected ?? []) this.#heedRejection(rejection);
    this.pump();
  }

  /** It waits, and did not when it was last looked for expired mail: it was on its way. */
  #mayExpire({ expiresAtMs }: StoredMail): void {
    if (expiresAtMs < this.earliestExpiryMs) this.earliestExpiryMs = expiresAtMs;
  }

  /** Drops what has expired. What is not stored yet waits for that: its sender gets its ack first. */
  expire(nowMs: number): void {
    let earliest = Infinity;
    const isOver = (mail: StoredMail): boolean => {
      if (mail.expiresAtMs <= nowMs && this.#window.isSettled(mail)) return true;
      earliest = Math.min(earliest, mail.expiresAtMs);
      return false;
    };
    const expired = [...this.#waiting.remove(isOver), ...this.#delayed.remove(isOver)];
    // what is on its way is the receiver's matter now
    for (const mail of this.#window.sent) if (mail.expiresAtMs > nowMs) earliest = Math.min(earliest, mail.expiresAtMs);
    this.earliestExpiryMs = earliest;
    for (const mail of expired) this.events.undeliverable(this, mail, 'expired');
  }

  /** @returns whether it was on its way, or rejected */
  #take(seq: number, done: StoredMail[]): boolean {
    const mail = this.#window.take(seq) ?? this.#delayed.take(seq);
    if (mail !== undefined) done.push(mail);
    return mail !== undefined;
  }

  #done(mails: readonly StoredMail[]): void {
    if (mails.length === 0) return;
    this.#window.words.forget(mails);
    this.events.processed(this, mails);
  }

  #heedReceived(seq: number): void {
    const mail = this.#window.get(seq);
    if (mail?.receipt !== 'delivered') return;
    if (this.#window.isSettled(mail)) this.events.delivered(mail);
    else if (mail.state !== 'refused') this.#window.words.receive(seq);
  }

  #heedRejection(rejection: Rejection): void {
    const mail = this.#window.get(rejection.seq);
    if (mail === undefined) return;
    if (mail.state === 'refused' || this.#window.isSettled(mail)) this.#reject(mail, rejection);
    else this.#window.words.reject(rejection);
  }

  #reject(mail: StoredMail, { delay, dead }: Rejection): void {
    // it waits when its connection was lost since
    if (this.#window.take(mail.seq) === undefined) this.#waiting.take(mail.seq);
    if (mail.state === 'refused') return this.#lost([mail]);
    if (dead === true || !this.events.rejected(this, mail)) {
      this.events.undeliverable(this, mail, 'rejected');
      return;
    }
    const delayMs = delay === undefined ? this.events.redeliveryDelayMs : Math.min(delay * 1000, 2 ** 31 - 1);
    this.#delayed.add(mail, delayMs, () => {
      this.#waiting.push(mail);
      this.pump();
    });
  }

  #canSend(mail: StoredMail): boolean {
    if (this.#isReading) return false;
    if (this.#window.hasRoomFor(mail)) return true;
    // nobody confirms, so nobody tells when there is room again
    if (this.connection !== undefined && !this.#window.canConfirm) this.#pumpLater(20);
    return false;
  }

  #pumpLater(delayMs: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.pump();
    }, delayMs).unref();
  }

  /** Sends what may be sent; stops at the first message that has to be stored before, or whose frame has to be fetched. */
  pump(): void {
    for (let mail = this.#waiting.first; mail !== undefined && this.#window.isReady(mail) && this.#canSend(mail); mail = this.#waiting.first) {
      if (mail.expiresAtMs <= steadyNowMs()) {
        // its sender gets its ack first
        if (!this.#window.isSettled(mail)) return;
        this.#waiting.shift();
        this.events.undeliverable(this, mail, 'expired');
        continue;
      }
      const { frame } = mail;
      if (frame === undefined) return void this.#fetch();
      this.#waiting.shift();
      this.#send(mail, frame);
    }
  }

  async #fetch(): Promise<void> {
    const { connection } = this;
    const page: StoredMail[] = [];
    let bytes = 0;
    for (const mail of this.#waiting.peek(Math.min(PAGE, this.#window.room))) {
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
    if (this.connection === connection)
      for (const [at, mail] of page.entries()) {
        // expired or confirmed while it was fetched
        if (this.#waiting.first !== mail) continue;
        if (!this.#window.isReady(mail) || !this.#canSend(mail)) break;
        this.#waiting.shift();
        const frame = frames[at];
        if (frame === undefined) this.events.undeliverable(this, mail, 'unreadable');
        else this.#send(mail, frame);
      }
    this.pump();
  }

  #send(mail: StoredMail, stored: FrameSource): void {
    const connection = this.connection as Connection;
    const attempts = mail.attempts?.get(this.clientId) ?? 0;
    const frame = attempts === 0 ? stored : redeliveryFrame(bufferOf(stored), attempts + 1);
    this.#window.add(mail);
    const outcome = connection.send(outboundMail(frame));
    if (outcome === 'sent' && mail.state === 'storing') mail.wasShown = true;
    // what a closing connection did not take stays among what was sent, and waits again when the connection is gone
    if (outcome === 'too-large') {
      this.#window.take(mail.seq);
      this.events.undeliverable(this, mail, 'too_large');
    } else if (outcome === 'sent' && !this.#window.canConfirm) {
      this.#window.take(mail.seq);
      this.#done([mail]);
    }
  }
}
