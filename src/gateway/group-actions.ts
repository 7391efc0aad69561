import { Injectable } from '@nestjs/common';
import { ClientRegistry, type Connection } from '../clients/index.js';
import { GroupRegistry, Mailboxes } from '../delivery/index.js';
import {
  CrossCommError,
  GROUP_PREFIX,
  PeerAction,
  assertGroupName,
  type GroupListResult,
  type JoinData,
  type JoinResult,
  type MembersResult,
  type WireGroupMember,
} from '../protocol/index.js';
import { AccessControl } from './access-control.js';
import { HubActions, type Asker } from './hub-actions.service.js';
import { assertSendable } from './list-reply.js';

/** Who becomes a member of what. */
export interface GroupJoin {
  readonly group: string;
  readonly isDurable: boolean;
}

/** A member of a group, and whether it is here. */
export interface GroupMemberInfo {
  readonly clientId: string;
  readonly status: 'online' | 'offline';
  /** Whether the membership lasts over disconnects and restarts. */
  readonly isDurable: boolean;
}

/** Joining and leaving groups, for clients (`groups.…` actions) and for the application. */
@Injectable()
export class GroupActions {
  constructor(
    private readonly groups: GroupRegistry,
    private readonly registry: ClientRegistry,
    private readonly mailboxes: Mailboxes,
    private readonly access: AccessControl,
    actions: HubActions,
  ) {
    actions.add(PeerAction.GROUPS_JOIN, (data, asker) => this.#join(data, asker));
    actions.add(PeerAction.GROUPS_LEAVE, (data, { clientId }) => this.leave(groupIn(data), clientId));
    actions.add(PeerAction.GROUPS_MEMBERS, (data, { connection }) => this.#members(groupIn(data), connection));
    actions.add(PeerAction.GROUPS_LIST, (_data, { clientId }): GroupListResult => ({
      groups: [...this.groups.groupsOf(clientId)].map(({ group, isDurable }) => ({ group, durable: isDurable })),
    }));
  }

  /**
   * Makes an online client a member; a durable membership is safe when the promise resolves.
   * @throws CrossCommError `CC_INVALID_CLIENT_ID`, `CC_LIMIT_REACHED`, `CC_UNSUPPORTED`, `CC_STORE_FULL`, `CC_STORE_FAILED`
   */
  join({ group, isDurable }: GroupJoin, { clientId, connection }: Asker): Promise<void> | undefined {
    if (!isDurable) {
      this.groups.join(group, clientId, false);
      return undefined;
    }
    this.#assertMailbox(clientId, connection);
    this.groups.join(group, clientId, true);
    return this.#stored(group, clientId);
  }

  /** Ends a membership, if there is one; the end of a durable one is safe when the promise resolves. */
  leave(group: string, clientId: string): Promise<null> | null {
    const membership = this.groups.membership(group, clientId);
    this.groups.leave(group, clientId);
    return membership?.isDurable === true ? this.groups.flush().then(() => null) : null;
  }

  members(group: string): GroupMemberInfo[] {
    return Array.from(this.groups.members(group), ({ clientId, isDurable }) => ({
      clientId,
      status: this.registry.find(clientId) === undefined ? 'offline' : 'online',
      isDurable,
    }));
  }

  memberCount(group: string): number {
    return this.groups.memberCount(group);
  }

  /** The same as it travels. */
  wireMembers(group: string): WireGroupMember[] {
    return this.members(group).map(({ clientId, status, isDurable }) => ({ client_id: clientId, status, durable: isDurable }));
  }

  /** Who is in a group, and here, is presence. */
  #members(group: string, connection: Connection): MembersResult {
    this.access.assertMayWatch(connection, GROUP_PREFIX + group);
    assertSendable(connection, this.groups.memberCount(group));
    return { members: this.wireMembers(group) };
  }

  #join(data: unknown, asker: Asker): JoinResult | Promise<JoinResult> {
    const group = groupIn(data);
    const { durable = false } = data as Partial<JoinData>;
    if (typeof durable !== 'boolean') throw new CrossCommError('CC_INVALID_CONTENT', 'durable is not true or false.');
    this.access.assertMayJoin(asker.connection, group);
    // a durable member that joins again without saying so stays one
    const answer = (): JoinResult => ({
      group,
      durable: this.groups.membership(group, asker.clientId)?.isDurable ?? durable,
      members: this.groups.memberCount(group),
    });
    const stored = this.join({ group, isDurable: durable }, asker);
    return stored === undefined ? answer() : stored.then(answer);
  }

  /** What lasts needs a place where its messages wait. */
  #assertMailbox(clientId: string, connection: Connection): void {
    if (!connection.can('mailbox')) throw new CrossCommError('CC_UNSUPPORTED', 'A durable membership needs the feature "mailbox".');
    if (this.mailboxes.find(clientId) === undefined)
      throw new CrossCommError('CC_UNSUPPORTED', 'A durable membership needs a mailbox, and this client has none: the hub keeps no mail, or for no more clients.');
  }

  async #stored(group: string, clientId: string): Promise<void> {
    try {
      await this.groups.flush();
    } catch (error) {
      // nobody may rely on what is not stored
      this.groups.leave(group, clientId);
      throw error;
    }
  }
}

/** @throws CrossCommError `CC_INVALID_CLIENT_ID` */
function groupIn(data: unknown): string {
  return assertGroupName((data as Partial<JoinData> | null | undefined)?.group);
}
