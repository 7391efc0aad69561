import { Injectable, Logger } from '@nestjs/common';
import { ClientRegistry, steadyNowMs, type ConnectedClient, type Connection } from '../clients/index.js';
import { CrossCommError, MAX_MSG_ID_LENGTH, encodeEnvelope, groupOf, readDeliveryRequest, type DeliveryRequest, type Envelope } from '../protocol/index.js';
import { AskingHub } from './asker.js';
import { DeliveryOptions } from './delivery.options.js';
import { GroupRegistry } from './group.registry.js';
import { mailFrame } from './mail-frame.js';
import type { Mailbox } from './mailbox.js';
import { Mailboxes } from './mailboxes.service.js';
import { MessageHub } from './message-hub.service.js';
import { PendingAcks, type Submission } from './pending-acks.service.js';
import { RecentMessages } from './recent-messages.js';
import type { RoutedListener } from './routed-listener.js';
import { MailStore } from './store/index.js';

/** A durable message that came in. */
interface DurableSubmission extends Submission {
  readonly request: DeliveryRequest;
}

/**
 * The way of a durable message: known already, then room, then at once to the store and to its receiver's mailbox. Its
 * sender gets its ack when it cannot be lost any more: when it is on disk, or its receiver is done with it, whichever is
 * first. What was refused no receiver was sent, but for what ends with `CC_DELIVERY_UNKNOWN`.
 */
@Injectable()
export class DurableDelivery {
  readonly #logger = new Logger(DurableDelivery.name);
  /** Not stored: so that one sent again is not handed over again. */
  readonly #handedOver = new RecentMessages();
  #isOpen = false;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly hub: MessageHub,
    private readonly store: MailStore,
    private readonly mailboxes: Mailboxes,
    private readonly pending: PendingAcks,
    private readonly groups: GroupRegistry,
    private readonly options: DeliveryOptions,
  ) {}

  /** Whether there is a store, so that messages can be durable. */
  get isEnabled(): boolean {
    return this.#isOpen;
  }

  /** Reads what is stored. @throws CrossCommError `CC_DATA_DIR_IN_USE`, `CC_STORE_FAILED` */
  async open(listener: RoutedListener): Promise<void> {
    this.pending.listener = listener;
    if (this.options.store === 'none') return;
    const opened = await this.store.open(this.pending).catch((error: unknown) => this.#doWithout(CrossCommError.from(error)));
    if (opened === undefined) return;
    this.mailboxes.restore(opened, this.pending);
    this.groups.restore(opened.facts, { set: (key, value) => this.store.setFact(key, value), flush: () => this.store.flush() });
    this.#isOpen = true;
  }

  /** Makes durable, and acks, all that was accepted. */
  async flush(): Promise<void> {
    // what cannot be stored is refused on its own way
    if (this.#isOpen) await this.store.flush().catch(() => undefined);
    this.pending.flush();
  }

  /** Closes the store. */
  async close(): Promise<void> {
    this.mailboxes.stop();
    // a hub that could not start has nothing to close
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      await this.store.close();
    } catch (error) {
      // what was acked is safe; confirmations may be lost, and their messages come once more
      this.#logger.error(`The store was closed with an error. ${CrossCommError.from(error).message}`);
    }
  }

  #doWithout(error: CrossCommError): undefined {
    if (error.code !== 'CC_DATA_DIR_IN_USE' || this.options.requireStore) throw error;
    this.#logger.warn(`No mail is kept and all messages are live: ${error.message}`);
  }

  /**
   * What a message of a client that wants acks asks for, when it is durable; undefined when it is live.
   * @param isLiveOnly whether it goes where nothing is stored: to all or to the hub
   * @throws CrossCommError `CC_INVALID_CONTENT`
   */
  requestOf(envelope: Envelope, isLiveOnly: boolean): DeliveryRequest | undefined {
    const request = readDeliveryRequest(envelope);
    if (isLiveOnly && request.delivery === 'durable') throw new CrossCommError('CC_INVALID_CONTENT', 'A message to all or to the hub cannot be durable.');
    if (isLiveOnly || request.delivery === 'live') return undefined;
    // it is kept in memory as long as the message waits
    if (envelope.msgId.length > MAX_MSG_ID_LENGTH) throw new CrossCommError('CC_INVALID_CONTENT', `The msg_id of a durable message has at most ${MAX_MSG_ID_LENGTH} characters.`);
    return request;
  }

  /** Takes a client's message to one client; answers it now or later. Never throws. */
  accept(sender: ConnectedClient, envelope: Envelope, frame: Buffer, request: DeliveryRequest): void {
    this.#submit({ sender, envelope, frame, request, asker: this.pending.askerOf(sender.connection, frame.length) });
  }

  /**
   * A client is going to send again what earlier connections left unanswered. Its frames are read in order: one that is
   * not known, although a later one is, was refused. Taken now it would come behind the later one, so it is not.
   * @param msgIds in the order of their sending
   */
  resending(connection: Connection, msgIds: readonly string[]): void {
    const clientId = connection.client?.clientId ?? '';
    const isKnown = (msgId: string): boolean => this.store.seqOf(clientId, msgId) !== undefined || this.#handedOver.has(clientId, msgId);
    const known = msgIds.map(isKnown);
    connection.refusedBefore = new Set(msgIds.slice(0, known.lastIndexOf(true) + 1).filter((_, at) => known[at] === false));
  }

  /**
   * Sends a message of the hub itself.
   * @param ttlMs time after which it is not delivered any more; undefined: as long as mail is kept
   * @throws CrossCommError why it was refused
   */
  send(envelope: Envelope, ttlMs: number | undefined): Promise<'stored' | 'live'> {
    const asker = new AskingHub();
    const request: DeliveryRequest = { delivery: 'durable', receipt: undefined, ttl: ttlMs === undefined ? undefined : ttlMs / 1000 };
    this.#submit({ sender: undefined, envelope, frame: Buffer.from(encodeEnvelope(envelope)), request, asker });
    return asker.answer;
  }

  #submit(submission: DurableSubmission): void {
    const { sender, envelope, asker } = submission;
    try {
      const { msgId, toClientId } = envelope;
      // the id as the login gave it: the frame's is a part of its text, would keep all of it, and is hashed anew
      const fromClientId = sender?.clientId ?? envelope.fromClientId;
      const nowMs = steadyNowMs();
      const known = this.store.seqOf(fromClientId, msgId, nowMs);
      if (known !== undefined) {
        this.#again(submission, known);
        return;
      }
      if (sender?.connection.refusedBefore?.delete(msgId) === true)
        throw new CrossCommError('CC_DELIVERY_UNKNOWN', 'The hub knows a later message of this sender, but not this one.');
      const mailbox = this.#mailboxOf(toClientId);
      if (mailbox !== undefined) {
        this.#put(submission, mailbox.alone, nowMs);
        return;
      }
      const group = groupOf(toClientId);
      const mailboxes = group === undefined ? [] : this.#mailboxesOf(group, fromClientId);
      if (mailboxes.length === 0) this.#handOver(submission);
      else this.#put({ ...submission, request: { ...submission.request, receipt: undefined } }, mailboxes, nowMs);
    } catch (error) {
      this.pending.refuse(asker, CrossCommError.from(error), envelope.msgId);
    }
  }

  /** A message that was sent before: the answer may have been lost. */
  #again({ envelope, request, asker }: DurableSubmission, seq: number): void {
    const { fromClientId, msgId, toClientId } = envelope;
    if (this.pending.join(seq, asker)) return;
    asker.accepted('stored', msgId);
    if (request.receipt === undefined || groupOf(toClientId) !== undefined) return;
    this.mailboxes.tellOutcome(envelope, seq, this.#expiryOf(request, this.store.storedAtMs(fromClientId, msgId) ?? 0));
  }

  #expiryOf({ ttl }: DeliveryRequest, fromMs: number): number {
    return fromMs + Math.min((ttl ?? Infinity) * 1000, this.options.mailTtlMs);
  }

  #put(submission: DurableSubmission, mailboxes: readonly Mailbox[], nowMs: number): void {
    const { sender, envelope, frame, request } = submission;
    const seq = this.store.nextSeq();
    const stored = mailFrame(envelope, frame, seq);
    for (const mailbox of mailboxes) this.mailboxes.assertRoom(mailbox, stored.length);
    const mail = this.store.put({
      seq,
      fromClientId: sender?.clientId ?? envelope.fromClientId,
      msgId: envelope.msgId,
      receipt: request.receipt,
      storedAtMs: nowMs,
      expiresAtMs: this.#expiryOf(request, nowMs),
      recipients: mailboxes.length === 1 ? (mailboxes[0] as Mailbox).recipients : mailboxes.map(clientIdOf),
      frame: stored,
    });
    this.pending.add(mail, submission, mailboxes);
    for (const mailbox of mailboxes) this.mailboxes.put(mailbox, mail);
    // one that waits must not keep all that was read together with it
    if (!mail.wasShown) mail.ownFrame();
  }

  /** The mailboxes of the durable members of a group, without the sender's. */
  #mailboxesOf(group: string, fromClientId: string): Mailbox[] {
    const mailboxes: Mailbox[] = [];
    for (const { clientId, isDurable } of this.groups.members(group)) {
      const mailbox = isDurable && clientId !== fromClientId ? this.mailboxes.findOpen(clientId) : undefined;
      if (mailbox !== undefined) mailboxes.push(mailbox);
    }
    return mailboxes;
  }

  /** The mailbox a message goes to; undefined when it can only be handed to a connection. */
  #mailboxOf(clientId: string): Mailbox | undefined {
    const mailbox = this.mailboxes.findOpen(clientId);
    // its owner is here and gets its mail
    if (mailbox?.connection !== undefined) return mailbox;
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
      if (sender !== undefined) this.pending.listener.routed(sender, envelope);
    }
    asker.accepted('live', msgId);
  }
}

function clientIdOf({ clientId }: Mailbox): string {
  return clientId;
}
