import { Injectable } from '@nestjs/common';
import { ClientRegistry, OutboundMessage, type ConnectedClient } from '../clients/index.js';
import { BROADCAST_ID, CrossCommError, SERVER_ID, groupOf, type Envelope } from '../protocol/index.js';
import { GroupRegistry } from './group.registry.js';

/** What became of a routed message. */
export interface RouteResult {
  /** Connections that took it. */
  readonly delivered: number;
  /** Why it did not reach (all of) its receivers; undefined when it did. A broadcast to nobody is no failure. */
  readonly error: CrossCommError | undefined;
}

const NOTHING_TO_DO: RouteResult = { delivered: 0, error: undefined };
const ONE_DELIVERED: RouteResult = { delivered: 1, error: undefined };

/**
 * Routes envelopes to connections. Knows nothing of frames and sockets, waits for nobody and throws nothing: a
 * receiver that cannot take a message is dealt with by its connection and reported in the result.
 */
@Injectable()
export class MessageHub {
  constructor(
    private readonly registry: ClientRegistry,
    private readonly groups: GroupRegistry,
  ) {}

  /** @param frame the sender's own frame as UTF-8 text, forwarded as it is */
  route(envelope: Envelope, frame?: Buffer): RouteResult {
    const { toClientId } = envelope;
    if (toClientId === SERVER_ID) return NOTHING_TO_DO;
    const message = new OutboundMessage(envelope, frame, true);
    if (toClientId === BROADCAST_ID) return this.#toMany(this.registry.online(), message);
    const receiver = this.registry.find(toClientId);
    if (receiver === undefined) {
      const group = groupOf(toClientId);
      return group === undefined ? failure('CC_UNKNOWN_CLIENT', envelope, 0) : this.#toGroup(group, message);
    }
    const outcome = receiver.connection.send(message);
    return outcome === 'sent' ? ONE_DELIVERED : failure(outcome === 'too-large' ? 'CC_RECEIVER_LIMIT' : 'CC_UNKNOWN_CLIENT', envelope, 0);
  }

  /** To the members of a group that are online and do not get it otherwise; nobody being left is no failure. */
  routeToOthers(group: string, envelope: Envelope, { frame, except }: { readonly frame: Buffer; readonly except: ReadonlySet<string> }): RouteResult {
    return this.#toGroup(group, new OutboundMessage(envelope, frame), except);
  }

  /** To the members of a group that are online, except the sender. */
  #toGroup(group: string, message: OutboundMessage, except?: ReadonlySet<string>): RouteResult {
    if (this.groups.memberCount(group) === 0) return failure('CC_UNKNOWN_GROUP', message.envelope, 0);
    return this.#toMany(this.#onlineMembers(group, except), message);
  }

  *#onlineMembers(group: string, except: ReadonlySet<string> | undefined): Generator<ConnectedClient> {
    for (const { clientId } of this.groups.members(group)) {
      const member = except?.has(clientId) === true ? undefined : this.registry.find(clientId);
      if (member !== undefined) yield member;
    }
  }

  /** To all of these except the sender. */
  #toMany(receivers: Iterable<ConnectedClient>, message: OutboundMessage): RouteResult {
    const { envelope } = message;
    let delivered = 0;
    let tooLarge = false;
    for (const receiver of receivers) {
      if (receiver.clientId === envelope.fromClientId) continue;
      const outcome = receiver.connection.send(message);
      if (outcome === 'sent') delivered++;
      else if (outcome === 'too-large') tooLarge = true;
    }
    return tooLarge ? failure('CC_RECEIVER_LIMIT', envelope, delivered) : { delivered, error: undefined };
  }
}

function failure(code: 'CC_RECEIVER_LIMIT' | 'CC_UNKNOWN_CLIENT' | 'CC_UNKNOWN_GROUP', envelope: Envelope, delivered: number): RouteResult {
  return { delivered, error: new CrossCommError(code, { data: { to_client_id: envelope.toClientId.slice(0, 256) } }) };
}
