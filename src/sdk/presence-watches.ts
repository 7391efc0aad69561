import type { CrossCommError, EventContent } from '../protocol/index.js';
import type { ClientProblem } from './client-problem.js';
import { readMember, type GroupMember } from './groups.js';
import type { RequestOptions, Requests } from './requests.js';

/** Whom to watch. */
export interface WatchTargets {
  readonly clientIds?: readonly string[];
  readonly groups?: readonly string[];
}

/** What a watch is told. Times in Unix seconds. */
export type PresenceEvent =
  /** How things are: first of all, and again after each reconnect. */
  | {
      readonly kind: 'snapshot';
      readonly clients: readonly { readonly clientId: string; readonly status: 'online' | 'offline'; readonly lastSeen: number }[];
      readonly groups: readonly { readonly group: string; readonly members: readonly GroupMember[] }[];
    }
  /** A client came or went, or, with `group`, joined or left a group. `why` as the hub says, e.g. `logout`, `closed`, `takeover`. */
  | {
      readonly kind: 'change';
      readonly clientId: string;
      readonly change: 'joined' | 'left';
      readonly why: string | undefined;
      readonly at: number;
      readonly group: string | undefined;
    };

export type PresenceHandler = (event: PresenceEvent) => void;

interface Watch {
  readonly clientIds: readonly string[];
  readonly groups: readonly string[];
  readonly handle: PresenceHandler;
  /** Whether it has its snapshot on this connection. */
  isActive: boolean;
}

/** A snapshot as it travels. */
interface WireSnapshot {
  readonly clients: readonly { readonly client_id: string; readonly status: 'online' | 'offline'; readonly last_seen: number }[];
  readonly groups: readonly { readonly group: string; readonly members: readonly Parameters<typeof readMember>[0][] }[];
}

const WATCH = 'presence.watch';

/** The watches of this client. The hub forgets them with the connection; they are made anew here. */
export class PresenceWatches {
  readonly #requests: Requests;
  readonly #report: (problem: ClientProblem) => void;
  readonly #watches = new Set<Watch>();

  constructor(requests: Requests, report: (problem: ClientProblem) => void) {
    this.#requests = requests;
    this.#report = report;
  }

  /** @returns ends the watch */
  async watch({ clientIds = [], groups = [] }: WatchTargets, handle: PresenceHandler): Promise<() => Promise<void>> {
    const watch: Watch = { clientIds, groups, handle, isActive: false };
    this.#watches.add(watch);
    try {
      await this.#requests.hub(WATCH, wireTargets(watch), this.#beginning(watch));
    } catch (error) {
      this.#watches.delete(watch);
      throw error;
    }
    return () => this.#end(watch);
  }

  /** Takes an `event`. */
  received(content: unknown): void {
    const { event, client_id: clientId, change, why, at, group } = (content ?? {}) as Partial<EventContent>;
    if (event !== 'presence' || !clientId || !change) return;
    for (const watch of this.#watches)
      if (watch.isActive && (group ? watch.groups.includes(group) : watch.clientIds.includes(clientId)))
        this.#tell(watch, { kind: 'change', clientId, change, why, at: at ?? 0, group });
  }

  /** A new connection: watches again. */
  renew(): void {
    for (const watch of this.#watches) this.#requests.renew(WATCH, wireTargets(watch), this.#beginning(watch));
  }

  /** The connection is gone. */
  sessionLost(): void {
    for (const watch of this.#watches) watch.isActive = false;
  }

  /** The client is closed. */
  clear(): void {
    this.#watches.clear();
  }

  /** Takes the answer that begins a watch. */
  #beginning(watch: Watch): RequestOptions {
    return {
      onAnswer: (answer) => {
        watch.isActive = true;
        this.#tell(watch, readSnapshot(answer as WireSnapshot));
      },
    };
  }

  async #end(watch: Watch): Promise<void> {
    if (!this.#watches.delete(watch)) return;
    const unwatched = (what: 'clientIds' | 'groups'): string[] => watch[what].filter((name) => ![...this.#watches].some((other) => other[what].includes(name)));
    try {
      await this.#requests.hub('presence.unwatch', wireTargets({ clientIds: unwatched('clientIds'), groups: unwatched('groups') }));
    } catch (error) {
      // it has ended with the connection
      if ((error as CrossCommError).code !== 'CC_NOT_CONNECTED') throw error;
    }
  }

  #tell(watch: Watch, event: PresenceEvent): void {
    try {
      watch.handle(event);
    } catch (error) {
      this.#report({ kind: 'handler', error, handler: 'watch' });
    }
  }
}

function wireTargets({ clientIds, groups }: WatchTargets): object {
  return { client_ids: clientIds, groups };
}

function readSnapshot({ clients, groups }: WireSnapshot): PresenceEvent {
  return {
    kind: 'snapshot',
    clients: clients.map(({ client_id: clientId, status, last_seen: lastSeen }) => ({ clientId, status, lastSeen })),
    groups: groups.map(({ group, members }) => ({ group, members: members.map(readMember) })),
  };
}
