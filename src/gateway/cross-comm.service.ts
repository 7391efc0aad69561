import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { ClientRegistry, type ClientEvent, type ClientInfo } from '../clients/index.js';
import { MessageHub } from '../delivery/index.js';
import {
  BROADCAST_ID,
  CloseCode,
  CrossCommError,
  SERVER_ID,
  assertClientId,
  isAttachmentType,
  messageId,
  roleOf,
  toWireContent,
  type Envelope,
  type UserMessageType,
} from '../protocol/index.js';
import { Refusals, type RefusalKind, type RevocationTarget } from '../security/index.js';
import { FileStorage, uploadAttachment } from '../storage/index.js';
import { LoginRevoker } from './login-revoker.js';

/** What {@link CrossCommService.sendMessage} did. */
export interface SendResult {
  readonly msgId: string;
  /** Clients the message was handed to. */
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
  constructor(
    private readonly hub: MessageHub,
    private readonly registry: ClientRegistry,
    private readonly storage: FileStorage,
    private readonly refusals: Refusals,
    private readonly revoker: LoginRevoker,
  ) {}

  /** How often the hub refused something to protect itself, since its start. */
  get refusalCounts(): Readonly<Record<RefusalKind, number>> {
    return this.refusals.counts;
  }

  /** Clients that join and leave, as it happens. */
  get clientEvents(): Observable<ClientEvent> {
    return this.registry.events;
  }

  /**
   * Sends as `"server"`, to one client or to all, with the conversions of the Python sender; file, image and folder
   * take a local path and are uploaded first.
   *
   * @throws CrossCommError `CC_INVALID_CONTENT`, `CC_TYPE_NOT_ALLOWED`, `CC_INVALID_CLIENT_ID`, `CC_UNKNOWN_CLIENT` (nobody of that id is online),
   *   `CC_RECEIVER_LIMIT`, and the storage's codes
   */
  async sendMessage(content: unknown, msgType: UserMessageType, toClientId: string = BROADCAST_ID): Promise<SendResult> {
    if (roleOf(msgType) !== 'user') throw new CrossCommError('CC_TYPE_NOT_ALLOWED', `The type is "${msgType as string}".`);
    if (toClientId !== BROADCAST_ID) assertClientId(toClientId);
    const wireContent = toWireContent(msgType, content);
    const stamp = { nowMs: Date.now(), hex8: randomBytes(4).toString('hex') };
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
    const { delivered, error } = this.hub.route(envelope);
    if (error !== undefined) throw error;
    return { msgId: envelope.msgId, delivered };
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
