import { Injectable } from '@nestjs/common';
import { observeOn, queueScheduler } from 'rxjs';
import { ClientRegistry, randomHex8, type ConnectedClient, type LeaveReason } from '../clients/index.js';
import { MessageHub } from '../delivery/index.js';
import { ListenerDispatcher } from '../listeners/index.js';
import { CrossCommError, messageId, toWireContent, type Envelope, type LastWill } from '../protocol/index.js';
import { AccessControl } from './access-control.js';

/** Who leaves so has disappeared; others went on purpose, or the whole hub goes. */
const DISAPPEARED: ReadonlySet<LeaveReason> = new Set<LeaveReason>(['closed', 'heartbeat_timeout', 'slow_receiver', 'disconnected', 'expired']);

/** Sends the last wills of clients that disappear, as if they had sent them themselves, live. */
@Injectable()
export class LastWills {
  readonly #wills = new Map<string, { readonly client: ConnectedClient; readonly will: LastWill }>();

  constructor(
    private readonly registry: ClientRegistry,
    private readonly hub: MessageHub,
    private readonly dispatcher: ListenerDispatcher,
    private readonly access: AccessControl,
  ) {
    // one after another: a will may make its receiver leave, which may have one too
    registry.events.pipe(observeOn(queueScheduler)).subscribe((event) => {
      if (event.type === 'joined') this.#remember(event.clientId);
      else this.#execute(event.clientId, event.reason);
    });
  }

  /** A newer login has the will it announced, and none when it announced none. */
  #remember(clientId: string): void {
    const client = this.registry.find(clientId);
    const will = client?.connection.announcement?.will;
    this.#wills.delete(clientId);
    if (client !== undefined && will !== undefined) this.#wills.set(clientId, { client, will });
  }

  /** What it might not have sent itself at its end is not sent for it; that is counted and logged by who refuses it. */
  #maySend(client: ConnectedClient, { toClientId, msgType }: LastWill): boolean {
    try {
      // its connection has lost the id already
      return this.access.sendRefusal({ client, permissions: client.connection.permissions }, toClientId, msgType) === undefined;
    } catch {
      // nobody could say
      return false;
    }
  }

  #execute(clientId: string, reason: LeaveReason): void {
    const left = this.#wills.get(clientId);
    this.#wills.delete(clientId);
    if (left === undefined || !DISAPPEARED.has(reason) || !this.#maySend(left.client, left.will)) return;
    const { toClientId, msgType, content } = left.will;
    const nowMs = Date.now();
    const envelope: Envelope = {
      msgId: messageId(clientId, nowMs, randomHex8()),
      fromClientId: clientId,
      toClientId,
      msgType,
      content,
      timestamp: nowMs / 1000,
      ossKey: null,
    };
    // nobody is left who could be told that it reached nobody
    this.hub.route(envelope);
    this.dispatcher.dispatch(left.client, envelope);
  }
}

/**
 * Checks that a will can be sent as it stands.
 * @throws CrossCommError `CC_INVALID_CONTENT`
 */
export function assertWillContent(will: LastWill | undefined): void {
  if (will === undefined) return;
  const { msgType, content } = will;
  if (msgType !== 'dict' && typeof content !== 'string') throw new CrossCommError('CC_INVALID_CONTENT', `cross_comm.will of the type ${msgType} has no string as content.`);
  toWireContent(msgType, content);
}
