import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../clients/index.js';
import { PresenceWatch, type WatchTargets } from '../delivery/index.js';
import { CrossCommError, GROUP_PREFIX, PeerAction, clientIdProblem, groupNameProblem, type WatchData, type WatchResult } from '../protocol/index.js';
import { AccessControl } from './access-control.js';
import { GroupActions } from './group-actions.js';
import { HubActions, type Asker } from './hub-actions.service.js';
import { assertSendable } from './list-reply.js';

/** Watching who comes and goes: the `presence.…` actions. */
@Injectable()
export class PresenceActions {
  constructor(
    private readonly presence: PresenceWatch,
    private readonly registry: ClientRegistry,
    private readonly groups: GroupActions,
    private readonly access: AccessControl,
    actions: HubActions,
  ) {
    actions.add(PeerAction.PRESENCE_WATCH, (data, asker) => this.#watch(targetsIn(data), asker));
    actions.add(PeerAction.PRESENCE_UNWATCH, (data, { clientId }) => {
      this.presence.unwatch(clientId, targetsIn(data));
      return null;
    });
  }

  /** The answer tells how things are; every change after it follows as an `event`. */
  #watch(targets: WatchTargets, { clientId, connection }: Asker): WatchResult {
    if (!connection.can('events'))
      throw new CrossCommError('CC_UNSUPPORTED', 'Watching needs the feature "events".');
    for (const target of [...targets.clientIds, ...targets.groups.map((group) => GROUP_PREFIX + group)]) this.access.assertMayWatch(connection, target);
    this.presence.watch(clientId, targets);
    assertSendable(connection, targets.groups.reduce((count, group) => count + this.groups.memberCount(group), targets.clientIds.length));
    return {
      clients: targets.clientIds.map((id) => {
        const info = this.registry.info(id);
        return { client_id: id, status: info?.status ?? 'offline', last_seen: info?.lastHeartbeat ?? 0 };
      }),
      groups: targets.groups.map((group) => ({ group, members: this.groups.wireMembers(group) })),
    };
  }
}

/** @throws CrossCommError `CC_INVALID_CONTENT`, `CC_INVALID_CLIENT_ID` */
function targetsIn(data: unknown): WatchTargets {
  const { client_ids = [], groups = [] } = (data ?? {}) as WatchData;
  return { clientIds: namesIn('client_ids', client_ids, clientIdProblem), groups: namesIn('groups', groups, groupNameProblem) };
}

function namesIn(key: string, given: unknown, problemOf: (name: unknown) => string | undefined): string[] {
  if (!Array.isArray(given)) throw new CrossCommError('CC_INVALID_CONTENT', `${key} is not a list.`);
  for (const name of given as unknown[]) {
    const problem = problemOf(name);
    if (problem !== undefined) throw new CrossCommError('CC_INVALID_CLIENT_ID', `${key}: ${problem}`);
  }
  return [...new Set(given as string[])];
}
