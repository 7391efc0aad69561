import { Injectable } from '@nestjs/common';
import type { ConnectedClient, Connection } from '../clients/index.js';
import { CrossCommError, groupOf } from '../protocol/index.js';
import { AskingClient, type Asker } from './asker.js';
import type { ReceivedMessage } from './mail-frame.js';
import type { Mailbox } from './mailbox.js';
import { Mailboxes, type EarlyOutcomes } from './mailboxes.service.js';
import { MessageHub } from './message-hub.service.js';
import { Receipts } from './receipts.js';
import { NO_LISTENER, type RoutedListener } from './routed-listener.js';
import { SenderCredit } from './sender-credit.js';
import { SeqMap } from './seq-map.js';
import { MailStore, type StoredMail, type StoreEvents } from './store/index.js';

/** A message with its sender. */
interface RoutedMessage extends ReceivedMessage {
  /** The client it is from; undefined: the hub itself. */
  readonly sender: ConnectedClient | undefined;
}

/** A message that somebody waits to hear of. */
export interface Submission extends RoutedMessage {
  readonly asker: Asker;
}

/** A durable message until it is answered. */
interface Pending {
  readonly mailboxes: readonly Mailbox[];
  readonly asker: Asker;
  /** Those who sent it once more meanwhile. */
  further: Asker[] | undefined;
  /** Undefined where nobody else wants to see it: then it is not kept. */
  readonly message: RoutedMessage | undefined;
}

/**
 * Durable messages that can still be lost. Their senders are answered when they cannot be any more: they are on disk, or
 * their receivers are done with them, whichever is first.
 */
@Injectable()
export class PendingAcks implements StoreEvents, EarlyOutcomes {
  /** By number. */
  readonly #pending = new SeqMap<Pending>();
  /** By sender: messages to groups whose live copies are yet to be sent. */
  readonly #groupMessages = new Map<string, number>();
  /** Who sees messages when they are safe. */
  listener: RoutedListener = NO_LISTENER;

  constructor(
    private readonly hub: MessageHub,
    private readonly store: MailStore,
    private readonly mailboxes: Mailboxes,
    private readonly receipts: Receipts,
    private readonly credit: SenderCredit,
  ) {}

  /** Who sent a message of so many bytes, and is to be answered. */
  askerOf(connection: Connection, bytes: number): Asker {
    return new AskingClient(connection, bytes, this.receipts, this.credit);
  }

  /** Sends the acks that are due. */
  flush(): void {
    this.receipts.flush();
  }

  add({ seq, fromClientId }: StoredMail, { sender, envelope, frame, asker }: Submission, mailboxes: readonly Mailbox[]): void {
    const isToGroup = groupOf(envelope.toClientId) !== undefined;
    if (isToGroup) this.#groupMessages.set(fromClientId, (this.#groupMessages.get(fromClientId) ?? 0) + 1);
    const isWanted = isToGroup || (sender !== undefined && this.listener.wants(envelope));
    this.#pending.set(seq, { mailboxes, asker, further: undefined, message: isWanted ? { sender, envelope, frame } : undefined });
  }

  /** What the hub's own listeners and the live members of groups get, they get when it is stored: so it keeps the order of its sender. */
  mayShow({ seq, fromClientId }: StoredMail): boolean {
    return this.#pending.get(seq)?.message === undefined && !this.#groupMessages.has(fromClientId);
  }

  /** Whether a message waits for its answer. Then somebody who sent it once more gets that, too. */
  join(seq: number, asker: Asker): boolean {
    const pending = this.#pending.get(seq);
    if (pending === undefined) return false;
    (pending.further ??= []).push(asker);
    return true;
  }

  onStored(mails: readonly StoredMail[]): void {
    const awaited: [StoredMail, Pending][] = [];
    for (const mail of mails) {
      const pending = this.#take(mail);
      if (pending === undefined) continue;
      accept(mail, pending);
      let isAwaited = pending.message !== undefined;
      for (const mailbox of pending.mailboxes) isAwaited ||= mailbox.awaits(mail);
      if (isAwaited) awaited.push([mail, pending]);
    }
    // in the same turn as the mail, and before what else its senders are told
    this.receipts.flush();
    for (const [mail, pending] of awaited) {
      // one by one: a mailbox sends all that is settled, and live copies have their place among it
      this.mailboxes.settledSeq = mail.seq;
      for (const mailbox of pending.mailboxes) mailbox.stored(mail);
      this.#show(mail, pending);
    }
    this.mailboxes.settledSeq = mails.at(-1)?.seq ?? this.mailboxes.settledSeq;
  }

  onRefused(mails: readonly StoredMail[], error: Error): void {
    const coded = CrossCommError.from(error, 'CC_STORE_FAILED');
    for (const mail of mails) {
      let isOut = false;
      for (const mailbox of this.#pending.get(mail.seq)?.mailboxes ?? []) isOut = this.mailboxes.refused(mailbox, mail) || isOut;
      if (!isOut) this.#giveBack(mail, coded);
    }
  }

  processed(mail: StoredMail): void {
    // of one that goes to more, all have to be done with it
    const pending = mail.recipients.length === 0 || mail.state === 'refused' ? this.#take(mail) : undefined;
    if (pending === undefined) return;
    accept(mail, pending);
    this.#show(mail, pending);
  }

  lost(mail: StoredMail): void {
    this.#giveBack(mail, new CrossCommError('CC_STORE_FAILED'));
  }

  refuse(asker: Asker, error: CrossCommError, msgId: string): void {
    this.listener.refused(error);
    asker.refused(error, msgId);
  }

  #take({ seq }: StoredMail): Pending | undefined {
    const pending = this.#pending.get(seq);
    if (pending !== undefined) this.#pending.delete(seq);
    return pending;
  }

  /** Those who are no durable members of a group have no copy to wait for; then the hub's own listeners. */
  #show(mail: StoredMail, { message, mailboxes }: Pending): void {
    if (message === undefined) return;
    const { sender, envelope, frame } = message;
    const group = groupOf(envelope.toClientId);
    if (group !== undefined) this.hub.routeToOthers(group, envelope, { frame, except: new Set(mailboxes.map(({ clientId }) => clientId)) });
    this.#groupMessageEnds(mail, group);
    if (sender !== undefined) this.listener.routed(sender, envelope);
  }

  #groupMessageEnds({ fromClientId }: StoredMail, group: string | undefined): void {
    if (group === undefined) return;
    const left = (this.#groupMessages.get(fromClientId) ?? 0) - 1;
    if (left > 0) this.#groupMessages.set(fromClientId, left);
    else this.#groupMessages.delete(fromClientId);
  }

  /** A message is neither on disk nor, as far as the hub knows, processed. */
  #giveBack(mail: StoredMail, why: CrossCommError): void {
    const pending = this.#take(mail);
    if (pending === undefined) return;
    this.store.forgetId(mail);
    if (pending.message !== undefined) this.#groupMessageEnds(mail, groupOf(pending.message.envelope.toClientId));
    const error = mail.wasShown ? new CrossCommError('CC_DELIVERY_UNKNOWN', 'It could not be stored, and its receiver, which was sent it, did not confirm it.') : why;
    for (const asker of [pending.asker, ...(pending.further ?? [])]) this.refuse(asker, error, mail.msgId);
  }
}

/** A message is safe: its sender is told. */
function accept({ msgId }: StoredMail, { asker, further }: Pending): void {
  asker.accepted('stored', msgId);
  if (further !== undefined) for (const again of further) again.accepted('stored', msgId);
}
