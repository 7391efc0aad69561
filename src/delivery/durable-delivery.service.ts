import { Injectable } from '@nestjs/common';
import { ClientRegistry, sendError, type ConnectedClient, type Connection } from '../clients/index.js';
import { CrossCommError, readDeliveryRequest, type DeliveryRequest, type Envelope } from '../protocol/index.js';
import { DeliveryOptions } from './delivery.options.js';
import { mailFrame } from './mail-frame.js';
import type { Mailbox } from './mailbox.js';
import { Mailboxes } from './mailboxes.service.js';
import { MessageHub } from './message-hub.service.js';
import { Receipts } from './receipts.js';
import { MailStore, type NewMail, type StoreEvents, type StoredMail } from './store/index.js';

/** Called with a message, and its sender, when it is going to be delivered. Must not throw. */
export type OnRouted = (sender: ConnectedClient, envelope: Envelope) => void;

/** A message that is being stored. */
interface Acceptance {
  readonly sender: ConnectedClient;
  readonly envelope: Envelope;
  readonly mailboxes: readonly Mailbox[];
  /** Connections that sent it, once more included. */
  readonly askers: { readonly connection: Connection; readonly bytes: number }[];
}

const NOTHING_ASKED: DeliveryRequest = { delivery: undefined, receipt: undefined, ttl: undefined };

/** Messages handed to receivers that cannot confirm, by sender and id, that are remembered against sending them twice. */
const LIVE_MEMORY = 10_000;

/**
 * The way of a durable message: known already, then room, then the store; when it is on disk, to its receiver's mailbox
 * and back to its sender as an ack. What a receiver sees is always stored, and what was refused was never seen.
 */
@Injectable()
export class DurableDelivery implements StoreEvents {
  readonly #storing = new Map<number, Acceptance>();
  readonly #handedOver = new Set<string>();
  readonly #stopped = new Set<Connection>();
  #onRouted: OnRouted = () => undefined;

  constructor(
    private readonly registry: ClientRegistry,
    private readonly hub: MessageHub,
    private readonly store: MailStore,
    private readonly mailboxes: Mailboxes,
    private readonly receipts: Receipts,
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

  /** Takes a message to one client; answers its sender, now or later. Never throws. */
  accept(sender: ConnectedClient, envelope: Envelope, frame: Buffer, request: DeliveryRequest): void {
    const { connection } = sender;
    connection.unackedMessages++;
    connection.unackedBytes += frame.length;
    try {
      this.#accept(sender, envelope, frame, request);
      const { maxUnacked, maxUnackedBytes } = this.options;
      if (connection.unackedMessages > maxUnacked || connection.unackedBytes > maxUnackedBytes) this.#stop(connection);
    } catch (error) {
      this.#settle(connection, frame.length);
      sendError(connection, CrossCommError.from(error), envelope.msgId);
    }
  }

  #accept(sender: ConnectedClient, envelope: Envelope, frame: Buffer, request: DeliveryRequest): void {
    const { connection, clientId } = sender;
    const { msgId, toClientId } = envelope;
    const known = this.store.seqOf(clientId, msgId);
    if (known !== undefined) {
      const storing = this.#storing.get(known);
      if (storing === undefined) this.#ackAgain(connection, frame.length, { msgId, toClientId, known, request });
      else storing.askers.push({ connection, bytes: frame.length });
      return;
    }
    const mailbox = this.#mailboxOf(toClientId);
    if (mailbox === undefined) {
      this.#handOver(sender, envelope, frame);
      return;
    }
    const seq = this.store.nextSeq();
    const mail: NewMail = {
      seq,
      fromClientId: clientId,
      msgId,
      receipt: request.receipt,
      expiresAtMs: Date.now() + Math.min((request.ttl ?? Infinity) * 1000, this.options.mailTtlMs),
      recipients: [toClientId],
      frame: mailFrame(envelope, frame, seq),
    };
    this.mailboxes.assertRoom(mailbox, mail.frame.length);
    this.mailboxes.reserve(mailbox, this.store.put(mail));
    mailbox.storing.push(seq);
    this.#storing.set(seq, { sender, envelope, mailboxes: [mailbox], askers: [{ connection, bytes: frame.length }] });
  }

  onStored(mails: readonly StoredMail[]): void {
    for (const mail of mails) {
      const acceptance = this.#storing.get(mail.seq);
      if (acceptance === undefined) continue;
      this.#storing.delete(mail.seq);
      for (const mailbox of acceptance.mailboxes) {
        mailbox.storing.shift();
        mailbox.add(mail);
      }
      for (const { connection, bytes } of acceptance.askers) {
        this.#settle(connection, bytes);
        this.receipts.add(connection, 'stored', mail.msgId);
      }
      this.#onRouted(acceptance.sender, acceptance.envelope);
    }
  }

  onRefused(mails: readonly StoredMail[], error: Error): void {
    const coded = CrossCommError.from(error, 'CC_STORE_FAILED');
    for (const mail of mails) {
      const acceptance = this.#storing.get(mail.seq);
      if (acceptance === undefined) continue;
      this.#storing.delete(mail.seq);
      for (const mailbox of acceptance.mailboxes) {
        mailbox.storing.shift();
        this.mailboxes.leave(mailbox, mail);
      }
      for (const { connection, bytes } of acceptance.askers) {
        this.#settle(connection, bytes);
        sendError(connection, coded, mail.msgId);
      }
    }
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
  #handOver(sender: ConnectedClient, envelope: Envelope, frame: Buffer): void {
    const { connection, clientId } = sender;
    const key = `${clientId}\u0000${envelope.msgId}`;
    if (!this.#handedOver.has(key)) {
      const { error } = this.hub.route(envelope, frame);
      if (error !== undefined) throw error;
      this.#handedOver.add(key);
      if (this.#handedOver.size > LIVE_MEMORY) for (const oldest of this.#handedOver) if (this.#handedOver.delete(oldest)) break;
      this.#onRouted(sender, envelope);
    }
    this.#settle(connection, frame.length);
    this.receipts.add(connection, 'live', envelope.msgId);
  }

  #ackAgain(
    connection: Connection,
    bytes: number,
    { msgId, toClientId, known, request }: { readonly msgId: string; readonly toClientId: string; readonly known: number; readonly request: DeliveryRequest },
  ): void {
    this.#settle(connection, bytes);
    this.receipts.add(connection, 'stored', msgId);
    if (request.receipt !== undefined && this.mailboxes.find(toClientId)?.holds(known) !== true) this.receipts.add(connection, 'processed', msgId);
  }

  /** Takes no more of a sender whose messages come faster than they can be stored. */
  #stop(connection: Connection): void {
    if (this.#stopped.has(connection)) return;
    this.#stopped.add(connection);
    connection.stopReading();
  }

  #settle(connection: Connection, bytes: number): void {
    connection.unackedMessages--;
    connection.unackedBytes -= bytes;
    if (this.#stopped.size === 0 || !this.#stopped.has(connection)) return;
    const { maxUnacked, maxUnackedBytes } = this.options;
    if (connection.unackedMessages > maxUnacked / 2 || connection.unackedBytes > maxUnackedBytes / 2) return;
    this.#stopped.delete(connection);
    connection.continueReading();
  }
}
