import { Injectable, Logger } from '@nestjs/common';
import { ClientRegistry, sendError, steadyNowMs, type Connection } from '../clients/index.js';
import { CrossCommError, PROTOCOL_LIMITS, quoted, type ConfirmContent, type Envelope, type ErrorCode, type MailPosition, type MailWelcome } from '../protocol/index.js';
import { DeadLetters, type DeadLetterReason } from './dead-letters.js';
import { DeliveryOptions } from './delivery.options.js';
import { FormerReceiver } from './former-receiver.js';
import { GroupRegistry } from './group.registry.js';
import { Mailbox } from './mailbox.js';
import type { CountedMailbox, MailboxEvents } from './mailbox-events.js';
import { Receipts } from './receipts.js';
import { RecentMessages } from './recent-messages.js';
import { MailStore, type OpenedStore, type StoredMail } from './store/index.js';

/** Facts of the store that say who has a mailbox; the value is when its owner was last here, in ms since the epoch. */
const MAILBOX_FACT = 'mailbox:';

/** How often at most it is recorded that a mailbox's owner was here, in milliseconds. */
const SEEN_GRAIN_MS = 3_600_000;

/** How often it is looked for expired mail, in milliseconds. */
const SWEEP_MS = 500;

/** What becomes of messages before the store has told. */
export interface EarlyOutcomes {
  /** Whether nobody but its receiver waits for this message to be stored, nor for an earlier one of its sender to a group. */
  mayShow(mail: StoredMail): boolean;
  /** Its receiver is done with it. */
  processed(mail: StoredMail): void;
  /** It could not be stored, its receiver was sent it, and nobody will say what became of it. */
  lost(mail: StoredMail): void;
}

/** All mailboxes: who has one, what is in it, and what becomes of it. */
@Injectable()
export class Mailboxes implements MailboxEvents {
  readonly #logger = new Logger(Mailboxes.name);
  readonly #mailboxes = new Map<string, Mailbox>();
  /** Mail that has reached its receiver's program, for senders that ask again. */
  readonly #arrived = new RecentMessages();
  readonly #formerReceivers = new WeakMap<Connection, FormerReceiver>();
  #outcomes: EarlyOutcomes | undefined;
  #isBarred: (clientId: string) => boolean = () => false;
  #epoch = '';
  #sweep: NodeJS.Timeout | undefined;
  #saidFull = false;
  readonly maxUnconfirmedBytes: number;
  readonly redeliveryDelayMs: number;
  readonly unstoredConfirmMs: number;
  /** See {@link MailboxEvents.settledSeq}; set by who hears of the store. */
  settledSeq = 0;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly store: MailStore,
    private readonly receipts: Receipts,
    private readonly deadLetters: DeadLetters,
    private readonly groups: GroupRegistry,
    private readonly options: DeliveryOptions,
  ) {
    this.maxUnconfirmedBytes = options.maxUnconfirmedBytes;
    this.redeliveryDelayMs = options.redeliveryDelayMs;
    this.unstoredConfirmMs = options.unstoredConfirmMs;
    registry.events.subscribe((event) => {
      if (event.type === 'left') this.#mailboxes.get(event.clientId)?.detach();
    });
  }

  /** Takes over what the store held. */
  restore({ epoch, mails, facts }: OpenedStore, outcomes: EarlyOutcomes): void {
    this.#epoch = epoch;
    this.#outcomes = outcomes;
    this.settledSeq = mails.at(-1)?.seq ?? 0;
    this.deadLetters.restoreFacts(facts);
    for (const [key, value] of facts)
      if (key.startsWith(MAILBOX_FACT)) this.#create(key.slice(MAILBOX_FACT.length)).lastSeenMs = Number(value) || steadyNowMs();
    for (const mail of mails)
      for (const recipient of mail.recipients) {
        if (this.deadLetters.restore(recipient, mail)) continue;
        this.put(this.#mailboxes.get(recipient) ?? this.#create(recipient), mail);
      }
    this.#sweep = setInterval(() => this.#expire(), SWEEP_MS).unref();
  }

  stop(): void {
    clearInterval(this.#sweep);
  }

  find(clientId: string): Mailbox | undefined {
    return this.#mailboxes.get(clientId);
  }

  /** Has nothing more put into the mailboxes of clients that may not log in; what they hold stays. */
  bar(isBarred: (clientId: string) => boolean): void {
    this.#isBarred = isBarred;
  }

  /** The mailbox of a client, if mail may be put into it. */
  findOpen(clientId: string): Mailbox | undefined {
    const mailbox = this.#mailboxes.get(clientId);
    // who is here may be here
    return mailbox?.connection === undefined && this.#isBarred(clientId) ? undefined : mailbox;
  }

  /** A mailbox for a client that has none yet; undefined when there may be no more of them. */
  create(clientId: string): Mailbox | undefined {
    if (this.#mailboxes.size >= this.options.maxMailboxes) {
      if (!this.#saidFull) this.#logger.warn(`No mailbox for ${quoted(clientId)}: there are maxMailboxes (${this.options.maxMailboxes}) already.`);
      // once: who makes up ids must not fill the log
      this.#saidFull = true;
      return undefined;
    }
    const mailbox = this.#create(clientId);
    this.#noteSeen(mailbox);
    return mailbox;
  }

  /**
   * A client has logged in. Its mail comes with {@link release}, so that the answer to the login is first.
   * @returns what the answer says about the mailbox; undefined for a client that has none
   */
  attach(clientId: string, connection: Connection, resume: MailPosition | undefined): MailWelcome | undefined {
    const canConfirm = connection.can('mailbox');
    const known = this.#mailboxes.get(clientId);
    if (!canConfirm && !this.options.holdMailForOldClients) {
      known?.detach();
      return undefined;
    }
    const mailbox = known ?? this.create(clientId);
    if (mailbox === undefined) return undefined;
    this.#noteSeen(mailbox);
    const former = mailbox.connection;
    const unconfirmed = former?.can('mailbox') === true && former !== connection ? [...mailbox.unconfirmed] : [];
    if (former !== undefined && unconfirmed.length > 0) this.#formerReceivers.set(former, new FormerReceiver(unconfirmed));
    mailbox.attach(connection, canConfirm ? (connection.announcement?.maxUnconfirmed ?? PROTOCOL_LIMITS.maxUnconfirmed) : Infinity);
    if (!canConfirm) return undefined;
    // a number above all that were given out comes from another life of the store
    const recovered = resume === undefined || (resume.epoch === this.#epoch && resume.seq < this.store.nextSeq());
    if (resume !== undefined && recovered) mailbox.processedUpTo(resume.seq);
    const seq = recovered ? Math.max(resume?.seq ?? 0, mailbox.position) : mailbox.position;
    return { epoch: this.#epoch, seq, recovered, pending: mailbox.count };
  }

  /** The mail of a client that logged in may begin to flow. */
  release(clientId: string, connection: Connection): void {
    this.#mailboxes.get(clientId)?.release(connection);
  }

  /** A receiver's word about its mail. */
  confirm(clientId: string, content: ConfirmContent, connection: Connection): void {
    const mailbox = this.#mailboxes.get(clientId);
    const former = mailbox?.connection === connection ? undefined : this.#formerReceivers.get(connection);
    mailbox?.confirm(former?.numbered(content) ?? content, connection);
  }

  /** Resolves when a connection whose mailbox was taken over has confirmed all that it was sent; undefined: it has. */
  settled(former: Connection): Promise<void> | undefined {
    return this.#formerReceivers.get(former)?.settled;
  }

  /** Tells a sender that asks again what became of a message that was stored. @param expiresAtMs when it expired, or would */
  tellOutcome({ fromClientId, toClientId, msgId }: Envelope, seq: number, expiresAtMs: number): void {
    const mailbox = this.#mailboxes.get(toClientId);
    if (mailbox?.holds(seq) === true) {
      if (this.#arrived.has(fromClientId, msgId)) this.receipts.tell(fromClientId, 'delivered', msgId);
      return;
    }
    const isDead = this.deadLetters.holds(seq, toClientId);
    if (isDead === false && steadyNowMs() < expiresAtMs) {
      this.receipts.tell(fromClientId, 'processed', msgId);
      return;
    }
    // an error is sent at once, and belongs behind the ack
    this.receipts.flush();
    this.#tellLost(fromClientId, msgId, isDead === true ? 'CC_DEAD_LETTER' : 'CC_DELIVERY_UNKNOWN', { to_client_id: toClientId });
  }

  /**
   * Makes room for a message, or says why there is none.
   * @throws CrossCommError `CC_MAILBOX_FULL`, `CC_RECEIVER_LIMIT`
   */
  assertRoom({ count, bytes, clientId, connection }: Mailbox, sizeBytes: number): void {
    const { mailboxMaxMessages, mailboxMaxBytes } = this.options;
    const limit = count >= mailboxMaxMessages ? 'messages' : bytes + sizeBytes > mailboxMaxBytes ? 'bytes' : undefined;
    if (limit !== undefined) throw new CrossCommError('CC_MAILBOX_FULL', { data: { to_client_id: clientId, limit }, retryAfter: 1 });
    if (connection !== undefined && sizeBytes > connection.maxReceiveBytes)
      throw new CrossCommError('CC_RECEIVER_LIMIT', { data: { to_client_id: clientId } });
  }

  /** A message that is stored, or being stored. */
  put(mailbox: Mailbox, mail: StoredMail): void {
    mailbox.count++;
    mailbox.bytes += mail.sizeBytes;
    mailbox.add(mail);
  }

  /** It could not be stored. @returns whether its receiver has it, and may still confirm it; else it has left */
  refused(mailbox: Mailbox, mail: StoredMail): boolean {
    // who confirmed what it was not sent is done with it all the same
    if (!mailbox.holds(mail.seq)) return false;
    if (mailbox.refused(mail)) return true;
    this.#leave(mailbox, mail);
    return false;
  }

  mayShow(mail: StoredMail): boolean {
    if (!this.options.deliverWhileStoring || this.store.pendingMails >= PROTOCOL_LIMITS.maxShown) return false;
    return this.#outcomes?.mayShow(mail) === true;
  }

  read(mails: readonly StoredMail[]): Promise<readonly (Buffer | undefined)[]> {
    return this.store.read(mails);
  }

  processed(mailbox: CountedMailbox, mails: readonly StoredMail[]): void {
    for (const mail of mails) this.#leave(mailbox, mail);
    this.store.remove(
      mailbox.clientId,
      mails.map(({ seq }) => seq),
    );
    for (const mail of mails) {
      if (mail.state !== 'stored' || mail.seq > this.settledSeq) this.#outcomes?.processed(mail);
      if (mail.receipt !== undefined) this.receipts.tell(mail.fromClientId, 'processed', mail.msgId);
    }
  }

  lost(mailbox: CountedMailbox, mail: StoredMail): void {
    this.#leave(mailbox, mail);
    this.#outcomes?.lost(mail);
  }

  delivered({ fromClientId, msgId }: StoredMail): void {
    this.#arrived.add(fromClientId, msgId);
    this.receipts.tell(fromClientId, 'delivered', msgId);
  }

  rejected(mailbox: CountedMailbox, mail: StoredMail): boolean {
    return this.store.countAttempt(mailbox.clientId, mail.seq) < this.options.maxDeliveryAttempts;
  }

  undeliverable(mailbox: CountedMailbox, mail: StoredMail, why: 'expired' | DeadLetterReason): void {
    this.#leave(mailbox, mail);
    if (why === 'expired') this.store.remove(mailbox.clientId, [mail.seq]);
    else this.deadLetters.add(mail, mailbox.clientId, why);
    if (mail.receipt === undefined) return;
    this.#tellLost(mail.fromClientId, mail.msgId, why === 'expired' ? 'CC_EXPIRED' : 'CC_DEAD_LETTER', { to_client_id: mailbox.clientId, why });
  }

  #tellLost(senderId: string, msgId: string, code: ErrorCode, data: Readonly<Record<string, string>>): void {
    const sender = this.registry.find(senderId)?.connection;
    if (sender?.can('acks') === true) sendError(sender, new CrossCommError(code, { data }), msgId);
  }

  #leave(mailbox: CountedMailbox, { sizeBytes }: StoredMail): void {
    mailbox.count--;
    mailbox.bytes -= sizeBytes;
  }

  #create(clientId: string): Mailbox {
    const mailbox = new Mailbox(clientId, this);
    this.#mailboxes.set(clientId, mailbox);
    return mailbox;
  }

  #expire(): void {
    const nowMs = steadyNowMs();
    for (const mailbox of this.#mailboxes.values()) {
      if (mailbox.earliestExpiryMs <= nowMs) mailbox.expire(nowMs);
      if (mailbox.count === 0 && mailbox.connection === undefined && nowMs - mailbox.lastSeenMs > this.options.mailTtlMs) this.#forget(mailbox);
    }
  }

  /** So that a restart knows how long its owner has been away; to the hour, because days count. */
  #noteSeen(mailbox: Mailbox): void {
    const nowMs = steadyNowMs();
    if (nowMs - mailbox.seenNotedAtMs < SEEN_GRAIN_MS) return;
    mailbox.seenNotedAtMs = nowMs;
    this.store.setFact(MAILBOX_FACT + mailbox.clientId, String(Math.round(nowMs)));
  }

  /** Its owner has not been here for as long as mail is kept; who is forgotten is no durable member either. */
  #forget({ clientId }: Mailbox): void {
    for (const { group } of [...this.groups.groupsOf(clientId)]) this.groups.leave(group, clientId);
    this.#mailboxes.delete(clientId);
    this.store.setFact(MAILBOX_FACT + clientId, undefined);
  }
}
