import { Injectable } from '@nestjs/common';
import { observeOn, queueScheduler } from 'rxjs';
import { ClientRegistry, fromServer } from '../clients/index.js';
import { CrossCommError, type PresenceEventContent } from '../protocol/index.js';
import { DeliveryOptions } from './delivery.options.js';
import { GroupRegistry } from './group.registry.js';
import { WatchTable } from './watch-table.js';

/** What is watched. */
export interface WatchTargets {
  readonly clientIds: readonly string[];
  readonly groups: readonly string[];
}

/**
 * Tells clients about others that come and go. A client that nobody watches costs two look-ups when it does; a watch
 * ends with the session of who watches.
 */
@Injectable()
export class PresenceWatch {
  readonly #clients = new WatchTable();
  readonly #groups = new WatchTable();

  constructor(
    private readonly registry: ClientRegistry,
    groups: GroupRegistry,
    private readonly options: DeliveryOptions,
  ) {
    // one after another: telling one client may make another leave
    registry.events.pipe(observeOn(queueScheduler)).subscribe((event) => {
      const { clientId, at } = event;
      if (event.type === 'left' || event.takeover) {
        this.#clients.removeWatcher(clientId);
        this.#groups.removeWatcher(clientId);
      }
      const change = event.type;
      const why = event.type === 'left' ? event.reason : event.takeover ? 'takeover' : undefined;
      this.#tell(this.#clients.watchersOf(clientId), { event: 'presence', client_id: clientId, change, why, at });
    });
    groups.changes.pipe(observeOn(queueScheduler)).subscribe(({ group, clientId, change, why, at }) => {
      this.#tell(this.#groups.watchersOf(group), { event: 'presence', client_id: clientId, change, why, at, group });
    });
  }

  /**
   * Watches from now on; what is watched already stays so.
   * @throws CrossCommError `CC_LIMIT_REACHED`; nothing new is watched then
   */
  watch(watcherId: string, { clientIds, groups }: WatchTargets): void {
    const { maxWatches } = this.options;
    const watched = [this.#clients.watchedBy(watcherId), this.#groups.watchedBy(watcherId)] as const;
    const fresh = new Set(clientIds.filter((id) => !watched[0].has(id))).size + new Set(groups.filter((group) => !watched[1].has(group))).size;
    if (fresh > 0 && watched[0].size + watched[1].size + fresh > maxWatches)
      throw new CrossCommError('CC_LIMIT_REACHED', { detail: 'The client watches too much.', data: { limit: 'maxWatches', value: maxWatches } });
    for (const clientId of clientIds) this.#clients.add(watcherId, clientId);
    for (const group of groups) this.#groups.add(watcherId, group);
  }

  /** Watches no longer; what is not watched is ignored. */
  unwatch(watcherId: string, { clientIds, groups }: WatchTargets): void {
    for (const clientId of clientIds) this.#clients.remove(watcherId, clientId);
    for (const group of groups) this.#groups.remove(watcherId, group);
  }

  #tell(watchers: ReadonlySet<string>, content: PresenceEventContent): void {
    // everybody leaves with the hub, who watches as well
    if (watchers.size === 0 || content.why === 'shutdown') return;
    // a watcher that does not read leaves while it is told
    for (const watcher of [...watchers]) this.registry.find(watcher)?.connection.send(fromServer('event', watcher, content));
  }
}
