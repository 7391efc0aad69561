import { Inject, Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ClientRegistry, randomHex8, type ClientEvent, type ClientInfo } from '../clients/index.js';
import { DeadLetters, DurableDelivery, MailStore, MessageHub, type StoreStats } from '../delivery/index.js';
import {
  BROADCAST_ID,
  CloseCode,
  CrossCommError,
  SERVER_ID,
  assertClientId,
  assertGroupName,
  groupOf,
  isAttachmentType,
  messageId,
  roleOf,
  toWireContent,
  type Envelope,
  type UserMessageType,
} from '../protocol/index.js';
import { Refusals, type RefusalKind, type RevocationTarget } from '../security/index.js';
import { FileStorage, uploadAttachment } from '../storage/index.js';
import { GroupActions, type GroupMemberInfo } from './group-actions.js';
import { HubRequests, type RequestOptions } from './hub-requests.js';
import { LoginRevoker } from './login-revoker.js';
import { SlowReceivers } from './slow-receivers.js';

/** How a message of the hub is delivered. */
export interface SendOptions {
  /**
   * `live` (default): to those who are online now. `durable`: acked when it cannot be lost any more, and kept for a client that
   * is away; not for `"all"`.
   */
  readonly delivery?: 'live' | 'durable';
  /** Time after which a durable message is not delivered any more, in milliseconds. Default: as long as mail is kept. */
  readonly ttlMs?: number;
}

/** What {@link CrossCommService.sendMessage} did. */
export interface SendResult {
  readonly msgId: string;
  /** `stored`: it cannot be lost any more; `live`: it was handed over, at most once. */
  readonly receipt: 'stored' | 'live';
  /** Clients the message was handed to at once; of a stored one 0. */
  readonly delivered: number;
}

/** What {@link CrossCommService.listClients} tells. */
export interface ClientList {
  readonly clients: readonly ClientInfo[];
  readonly totalCount: number;
}

/** The hub from inside the application: send, list, disconnect. Inject it anywhere. */
@Injectable()
export class CrossCommService {
  @Inject(GroupActions)
  private readonly groups!: GroupActions;
  @Inject(HubRequests)
  private readonly requests!: HubRequests;
  @Inject(LoginRevoker)
  private readonly revoker!: LoginRevoker;
  @Inject(SlowReceivers)
  private readonly slowReceivers!: SlowReceivers;

  constructor(
    private readonly hub: MessageHub,
    private readonly registry: ClientRegistry,
    private readonly storage: FileStorage,
    private readonly refusals: Refusals,
    private readonly durable: DurableDelivery,
    private readonly mailStore: MailStore,
    /** Messages that could not be delivered for good. */
    readonly deadLetters: DeadLetters,
  ) {}

  /** How the store of durable messages is doing. */
  get mailStats(): StoreStats {
    return this.mailStore.stats;
  }

  /** Where durable messages are kept: a folder, or `memory`; undefined: nowhere, all messages are live. */
  get mailPlace(): string | undefined {
    return this.durable.isEnabled ? this.mailStore.place : undefined;
  }

  /** How often the hub refused something to protect itself, since its start. */
  get refusalCounts(): Readonly<Record<RefusalKind, number>> {
    return this.refusals.counts;
  }

  /** Live messages that receivers missed because they did not read, with `slowReceiver: 'drop_oldest'`; since the start. */
  get droppedMessages(): number {
    return this.slowReceivers.droppedMessages;
  }

  /** Clients that join and leave, as it happens. */
  get clientEvents(): Observable<ClientEvent> {
    return this.registry.events;
  }

  /**
   * Sends as `"server"`, to one client, to `group:<name>` or to all, with the conversions of the Python sender; file, image and folder
   * take a local path and are uploaded first.
   *
   * @throws CrossCommError `CC_INVALID_CONTENT`, `CC_TYPE_NOT_ALLOWED`, `CC_INVALID_CLIENT_ID`, `CC_UNKNOWN_CLIENT` (nobody of that id is online),
   *   `CC_UNKNOWN_GROUP`, `CC_RECEIVER_LIMIT`, and the storage's codes; when durable also `CC_MAILBOX_FULL`, `CC_STORE_FULL`, `CC_STORE_FAILED`,
   *   `CC_UNSUPPORTED` (to all, or without a store)
   */
  // oxlint-disable-next-line max-params -- the order of Python's arguments is the API
  async sendMessage(content: unknown, msgType: UserMessageType, toClientId: string = BROADCAST_ID, options: SendOptions = {}): Promise<SendResult> {
    if (roleOf(msgType) !== 'user') throw new CrossCommError('CC_TYPE_NOT_ALLOWED', `The type is "${msgType as string}".`);
    const group = groupOf(toClientId);
    if (group !== undefined) assertGroupName(group);
    else if (toClientId !== BROADCAST_ID) assertClientId(toClientId);
    const wireContent = toWireContent(msgType, content);
    const stamp = { nowMs: Date.now(), hex8: randomHex8() };
    const ossKey = isAttachmentType(msgType)
      ? await uploadAttachment(this.storage, { clientId: SERVER_ID, msgType, path: wireContent as string, stamp })
      : null;
    const envelope: Envelope = {
      msgId: messageId(SERVER_ID, stamp.nowMs, stamp.hex8),
      fromClientId: SERVER_ID,
      toClientId,
      msgType,
      content: wireContent,
      timestamp: Date.now() / 1000,
      ossKey,
    };
    const { msgId } = envelope;
    if (options.delivery === 'durable') {
      if (!this.durable.isEnabled || toClientId === BROADCAST_ID) throw new CrossCommError('CC_UNSUPPORTED', 'Durable messages need a store, and a client or group to go to.');
      const receipt = await this.durable.send(envelope, options.ttlMs);
      return { msgId, receipt, delivered: 0 };
    }
    const { delivered, error } = this.hub.route(envelope);
    if (error !== undefined) throw error;
    return { msgId, receipt: 'live', delivered };
  }

  /**
   * Asks a client for an action, and resolves with its answer.
   *
   * @throws CrossCommError `CC_UNKNOWN_CLIENT` (not online, or left before it answered), `CC_UNSUPPORTED` (it answers no requests),
   *   `CC_TIMEOUT`, `CC_ABORTED`, `CC_INVALID_CLIENT_ID`, `CC_INVALID_CONTENT`, `CC_RECEIVER_LIMIT`, and what the client answers, e.g. `CC_NO_HANDLER`
   */
  request(toClientId: string, action: string, data?: unknown, options: RequestOptions = {}): Promise<unknown> {
    return this.requests.request(toClientId, action, data, options);
  }

  /**
   * Makes a client that is online a member of a group. A durable membership lasts over disconnects and restarts, until
   * it is left; it needs a client with a mailbox. Other memberships end with the client's session.
   *
   * @throws CrossCommError `CC_UNKNOWN_CLIENT`, `CC_INVALID_CLIENT_ID` (the group's name), `CC_LIMIT_REACHED`, `CC_UNSUPPORTED`,
   *   `CC_STORE_FULL`, `CC_STORE_FAILED`
   */
  async joinGroup(group: string, clientId: string, { durable = false }: { readonly durable?: boolean } = {}): Promise<void> {
    const connection = this.registry.find(clientId)?.connection;
    if (connection === undefined) throw new CrossCommError('CC_UNKNOWN_CLIENT', { data: { client_id: clientId } });
    await this.groups.join({ group, isDurable: durable }, { clientId, connection });
  }

  /** Ends a membership, if there is one. @throws CrossCommError `CC_STORE_FULL`, `CC_STORE_FAILED` */
  async leaveGroup(group: string, clientId: string): Promise<void> {
    await this.groups.leave(group, clientId);
  }

  /** The members of a group, in the order in which they joined; none when there is no such group. */
  groupMembers(group: string): GroupMemberInfo[] {
    return this.groups.members(group);
  }

  /** Ids of the clients that are online now. */
  getOnlineClients(): string[] {
    return this.registry.list(true).map((client) => client.clientId);
  }

  /** Everyone known, also from earlier runs; times in Unix seconds. */
  listClients({ onlyShowOnline = false }: { readonly onlyShowOnline?: boolean } = {}): ClientList {
    const clients = this.registry.list(onlyShowOnline);
    return { clients, totalCount: clients.length };
  }

  /**
   * Ends a client's connection with close code 4000, which tells our SDK not to come back by itself.
   * @throws CrossCommError `CC_UNKNOWN_CLIENT` when it is not online
   */
  disconnectClient(clientId: string, reason = 'disconnected by the hub'): void {
    const connection = this.registry.find(clientId)?.connection;
    if (connection === undefined) throw new CrossCommError('CC_UNKNOWN_CLIENT', { data: { client_id: clientId } });
    this.registry.closed(connection, 'disconnected');
    connection.close(CloseCode.DISCONNECTED, reason);
  }

  /**
   * Ends logins at once, with close code 4401, and refuses them from now on, until {@link unrevoke} or the hub's end. Takes
   * a client id or `prefix*`, a credential (`{ credential: 'jwt:<jti>' }`, `token:sha256:…`, `certificate:<SHA-256 fingerprint>`), or
   * a function that is asked about every login. For a list that outlives the hub see `auth.revocationsFile`.
   * @returns how many clients that took offline
   */
  revoke(target: RevocationTarget): number {
    return this.revoker.revoke(target);
  }

  /** Takes a revocation back, given as it was; false when there was none. */
  unrevoke(target: RevocationTarget): boolean {
    return this.revoker.unrevoke(target);
  }
}
