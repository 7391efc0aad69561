import { Injectable } from '@nestjs/common';
import { ClientRegistry, steadyNowMs, type ConnectedClient } from '../clients/index.js';
import { CrossCommError, encodeEnvelope, readDeliveryRequest, type DeliveryRequest, type Envelope } from '../protocol/index.js';
import { AskingClient, AskingHub, type Asker } from './asker.js';
import { DeliveryOptions } from './delivery.options.js';
import { mailFrame } from './mail-frame.js';
import type { Mailbox } from './mailbox.js';
import { Mailboxes } from './mailboxes.service.js';
import { MessageHub } from './message-hub.service.js';
import { Receipts } from './receipts.js';
import { RecentMessages } from './recent-messages.js';
import { SenderCredit } from './sender-credit.js';
import { MailStore, type StoreEvents, type StoredMail } from './store/index.js';

/** Called with a message of a client when it is going to be delivered. Must not throw. */
export type OnRouted = (sender: ConnectedClient, envelope: Envelope) => void;

/** A durable message that came in. */
interface Submission {
  /** The client it is from; undefined: the hub itself. */
  readonly sender: ConnectedClient | undefined;
  readonly envelope: Envelope;
  /** As UTF-8 text. */
  readonly frame: Buffer;
  readonly request: DeliveryRequest;
  readonly asker: Asker;
}

/** One that is being stored. */
interface Acceptance {
  readonly sender: ConnectedClient | undefined;
  readonly envelope: Envelope;
  readonly mailboxes: readonly Mailbox[];
  /** Who sent it, those who sent it once more included. */
  readonly askers: Asker[];
}

const NOTHING_ASKED: DeliveryRequest = { delivery: undefined, receipt: undefined, ttl: undefined };

/**
 * The way of a durable message: known already, then room, then the store; when it is on disk, to its receiver's mailbox
 * and back to its sender as an ack. What a receiver sees is always stored, and what was refused was never seen.
 */
@Injectable()
export class DurableDelivery implements StoreEvents {
  readonly #storing = new Map<number, Acceptance>();
  readonly #handedOver = new RecentMessages();
  #onRouted: OnRouted = () => undefined;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly hub: MessageHub,
    private readonly store: MailStore,
    private readonly mailboxes: Mailboxes,
    private readonly receipts: Receipts,
    private readonly credit: SenderCredit,
    private readonly options: DeliveryOptions,
  ) {}

  /** Whether there is a store, so that messages can be durable. */
  get isEnabled(): boolean {
    return this.options.store !== 'none';
  }

  /** Reads what is stored. @throws CrossCommError `CC_DATA_DIR_IN_USE`, `CC_STORE_FAILED` */
  async open(onRouted: OnRouted): Promise<void> {
    this.#onRouted = onRouted;
    if (this.isEnabled) this.mailboxes.restore(await this.store.open(this));
  }

  /** Makes durable, and acks, all that was accepted. */
  async flush(): Promise<void> {
    // what cannot be stored is refused on its own way
    if (this.isEnabled) await this.store.flush().catch(() => undefined);
    this.receipts.flush();
  }

  /** Closes the store. */
  async close(): Promise<void> {
    this.mailboxes.stop();
    if (this.isEnabled) await this.store.close();
  }

  /**
   * What a message of a client that wants acks asks for, when it is durable; undefined when it is live.
   * @param isLiveOnly whether it goes where nothing is stored: to all or to the hub
   * @throws CrossCommError `CC_INVALID_CONTENT`
   */
  requestOf(envelope: Envelope, isLiveOnly: boolean): DeliveryRequest | undefined {
    if (envelope.ext === undefined) return isLiveOnly ? undefined : NOTHING_ASKED;
    const request = readDeliveryRequest(envelope);
    if (isLiveOnly && request.delivery === 'durable') throw new CrossCommError('CC_INVALID_CONTENT', 'A message to all or to the hub cannot be durable.');
    return isLiveOnly || request.delivery === 'live' ? undefined : request;
  }

  /** Takes a client's message to one client; answers it now or later. Never throws. */
  accept(sender: ConnectedClient, envelope: Envelope, frame: Buffer, request: DeliveryRequest): void {
    const asker = new AskingClient(sender.connection, frame.length, this.receipts, this.credit);
    this.#submit({ sender, envelope, frame, request, asker });
  }

  /**
   * Sends a message of the hub itself.
   * @param ttlMs time after which it is not delivered any more; undefined: as long as mail is kept
   * @throws CrossCommError why it was refused
   */
  send(envelope: Envelope, ttlMs: number | undefined): Promise<'stored' | 'live'> {
    const asker = new AskingHub();
    const request = { ...NOTHING_ASKED, ttl: ttlMs === undefined ? undefined : ttlMs / 1000 };
    this.#submit({ sender: undefined, envelope, frame: Buffer.from(encodeEnvelope(envelope)), request, asker });
    return asker.answer;
  }

  #submit(submission: Submission): void {
    const { envelope, request, asker } = submission;
    try {
      const { fromClientId, msgId, toClientId } = envelope;
      const known = this.store.seqOf(fromClientId, msgId);
      if (known !== undefined) {
        const storing = this.#storing.get(known);
        if (storing !== undefined) {
          storing.askers.push(asker);
          return;
        }
        asker.accepted('stored', msgId);
        if (request.receipt !== undefined && this.mailboxes.find(toClientId)?.holds(known) !== true) this.receipts.tell(fromClientId, 'processed', msgId);
        return;
      }
      const mailbox = this.#mailboxOf(toClientId);
      if (mailbox === undefined) this.#handOver(submission);
      else this.#put(submission, [mailbox]);
    } catch (error) {
      asker.refused(CrossCommError.from(error), envelope.msgId);
    }
  }

  #put({ sender, envelope, frame, request, asker }: Submission, mailboxes: readonly Mailbox[]): void {
    const seq = this.store.nextSeq();
    const stored = mailFrame(envelope, frame, seq);
    for (const mailbox of mailboxes) this.mailboxes.assertRoom(mailbox, stored.length);
    const mail = this.store.put({
      seq,
      fromClientId: envelope.fromClientId,
      msgId: envelope.msgId,
      receipt: request.receipt,
      expiresAtMs: steadyNowMs() + Math.min((request.ttl ?? Infinity) * 1000, this.options.mailTtlMs),
      recipients: mailboxes.map(({ clientId }) => clientId),
      frame: stored,
    });
    for (const mailbox of mailboxes) this.mailboxes.reserve(mailbox, mail);
    this.#storing.set(seq, { sender, envelope, mailboxes, askers: [asker] });
  }

  onStored(mails: readonly StoredMail[]): void {
    for (const mail of mails) {
      const acceptance = this.#take(mail.seq);
      if (acceptance === undefined) continue;
      for (const mailbox of acceptance.mailboxes) this.mailboxes.stored(mailbox, mail);
      for (const asker of acceptance.askers) asker.accepted('stored', mail.msgId);
      if (acceptance.sender !== undefined) this.#onRouted(acceptance.sender, acceptance.envelope);
    }
  }

  onRefused(mails: readonly StoredMail[], error: Error): void {
    const coded = CrossCommError.from(error, 'CC_STORE_FAILED');
    for (const mail of mails) {
      const acceptance = this.#take(mail.seq);
      if (acceptance === undefined) continue;
      for (const mailbox of acceptance.mailboxes) this.mailboxes.refused(mailbox, mail);
      for (const asker of acceptance.askers) asker.refused(coded, mail.msgId);
    }
  }

  #take(seq: number): Acceptance | undefined {
    const acceptance = this.#storing.get(seq);
    this.#storing.delete(seq);
    return acceptance;
  }

  /** The mailbox a message goes to; undefined when it can only be handed to a connection. */
  #mailboxOf(clientId: string): Mailbox | undefined {
    const mailbox = this.mailboxes.find(clientId);
    const online = this.registry.find(clientId)?.connection;
    if (this.options.holdMailForOldClients) return mailbox ?? (online === undefined ? undefined : this.mailboxes.create(clientId));
    // its owner is here as an old client: what it is sent it gets as such
    return online !== undefined && !online.can('mailbox') ? undefined : mailbox;
  }

  /** To a client that cannot confirm: at most once, and the ack says so. */
  #handOver({ sender, envelope, frame, asker }: Submission): void {
    const { fromClientId, msgId } = envelope;
    if (!this.#handedOver.has(fromClientId, msgId)) {
      const { error } = this.hub.route(envelope, frame);
      if (error !== undefined) throw error;
      this.#handedOver.add(fromClientId, msgId);
      if (sender !== undefined) this.#onRouted(sender, envelope);
    }
    asker.accepted('live', msgId);
  }
}
