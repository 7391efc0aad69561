import { Injectable } from '@nestjs/common';
import { Subject, observeOn, queueScheduler, type Observable } from 'rxjs';
import { ClientRegistry, type LeaveReason } from '../clients/index.js';
import { CrossCommError, assertGroupName } from '../protocol/index.js';
import { DeliveryOptions } from './delivery.options.js';

/** A client's place in a group. */
export interface GroupMember {
  readonly clientId: string;
  /** Whether it lasts until the client leaves, over disconnects and restarts; else it ends with the client's session. */
  readonly isDurable: boolean;
}

/** A client came into a group or left it. Time in Unix seconds. */
export interface GroupChange {
  readonly group: string;
  readonly clientId: string;
  readonly change: 'joined' | 'left';
  /** `leave`: it said so; else why its session ended. Undefined for `joined`. */
  readonly why: 'leave' | 'takeover' | LeaveReason | undefined;
  readonly at: number;
}

/** Where durable memberships are kept: the port. */
export interface MembershipFacts {
  /** Sets or, with undefined, forgets a small fact. */
  set(key: string, value: string | undefined): void;
  /** Resolves when everything set so far is durable. @throws CrossCommError `CC_STORE_FULL`, `CC_STORE_FAILED` */
  flush(): Promise<void>;
}

const FACT_PREFIX = 'member:';

/** Who is in which group. A group exists as long as it has a member. */
@Injectable()
export class GroupRegistry {
  readonly #members = new Map<string, Map<string, GroupMember>>();
  readonly #groupsOf = new Map<string, Map<string, GroupMember>>();
  readonly #changes = new Subject<GroupChange>();
  #facts: MembershipFacts | undefined;

  /** Clients that come into a group or leave it, as it happens. */
  readonly changes: Observable<GroupChange> = this.#changes.asObservable();

  constructor(
    registry: ClientRegistry,
    private readonly options: DeliveryOptions,
  ) {
    registry.events.pipe(observeOn(queueScheduler)).subscribe((event) => {
      if (event.type === 'left') this.#sessionEnded(event.clientId, event.reason);
      else if (event.takeover) this.#sessionEnded(event.clientId, 'takeover');
    });
  }

  /** Groups that have a member. */
  get groupCount(): number {
    return this.#members.size;
  }

  /** The members of a group, in the order in which they joined. */
  members(group: string): Iterable<GroupMember> {
    return this.#members.get(group)?.values() ?? [];
  }

  /** A client's place in a group; undefined when it is no member. */
  membership(group: string, clientId: string): GroupMember | undefined {
    return this.#members.get(group)?.get(clientId);
  }

  memberCount(group: string): number {
    return this.#members.get(group)?.size ?? 0;
  }

  /** The groups of a client, in the order in which it joined them. */
  *groupsOf(clientId: string): Generator<{ readonly group: string; readonly isDurable: boolean }> {
    for (const [group, { isDurable }] of this.#groupsOf.get(clientId) ?? []) yield { group, isDurable };
  }

  /**
   * Makes a client a member. A member stays one; a durable membership stays durable until {@link leave}.
   * @throws CrossCommError `CC_INVALID_CLIENT_ID` (the name of the group), `CC_LIMIT_REACHED`
   */
  join(group: string, clientId: string, isDurable: boolean): GroupMember {
    assertGroupName(group);
    const current = this.membership(group, clientId);
    if (current !== undefined && (current.isDurable || !isDurable)) return current;
    if (current === undefined) this.#assertRoom(group, clientId);
    const member: GroupMember = { clientId, isDurable };
    this.#put(group, member);
    if (isDurable) this.#facts?.set(factKey(group, clientId), 'durable');
    if (current === undefined) this.#changes.next({ group, clientId, change: 'joined', why: undefined, at: Date.now() / 1000 });
    return member;
  }

  /** Ends a membership. @returns false when there was none */
  leave(group: string, clientId: string): boolean {
    return this.#remove(group, clientId, 'leave');
  }

  /** Resolves when the durable memberships are safe. @throws CrossCommError `CC_STORE_FULL`, `CC_STORE_FAILED` */
  async flush(): Promise<void> {
    await this.#facts?.flush();
  }

  /**
   * Takes over the durable memberships of earlier runs, whatever the limits are now, and keeps further ones there.
   * @param known all facts of the store; those that are not about memberships are left alone
   */
  restore(known: ReadonlyMap<string, string>, facts: MembershipFacts): void {
    this.#facts = facts;
    for (const key of known.keys()) {
      if (!key.startsWith(FACT_PREFIX)) continue;
      const at = key.indexOf('\0');
      if (at !== -1) this.#put(key.slice(FACT_PREFIX.length, at), { clientId: key.slice(at + 1), isDurable: true });
    }
  }

  #assertRoom(group: string, clientId: string): void {
    const { maxGroups, maxGroupsPerClient } = this.options;
    if (!this.#members.has(group) && this.#members.size >= maxGroups) throw limitReached('There are too many groups.', 'maxGroups', maxGroups);
    if ((this.#groupsOf.get(clientId)?.size ?? 0) >= maxGroupsPerClient)
      throw limitReached('The client is in too many groups.', 'maxGroupsPerClient', maxGroupsPerClient);
  }

  #put(group: string, member: GroupMember): void {
    place(this.#members, group, member.clientId, member);
    place(this.#groupsOf, member.clientId, group, member);
  }

  #remove(group: string, clientId: string, why: GroupChange['why']): boolean {
    const member = this.membership(group, clientId);
    if (member === undefined) return false;
    unplace(this.#members, group, clientId);
    unplace(this.#groupsOf, clientId, group);
    if (member.isDurable) this.#facts?.set(factKey(group, clientId), undefined);
    this.#changes.next({ group, clientId, change: 'left', why, at: Date.now() / 1000 });
    return true;
  }

  #sessionEnded(clientId: string, why: GroupChange['why']): void {
    for (const { group, isDurable } of [...this.groupsOf(clientId)]) if (!isDurable) this.#remove(group, clientId, why);
  }
}

function limitReached(detail: string, limit: string, value: number): CrossCommError {
  return new CrossCommError('CC_LIMIT_REACHED', { detail, data: { limit, value } });
}

/** No name of a group holds a control character. */
function factKey(group: string, clientId: string): string {
  return `${FACT_PREFIX}${group}\0${clientId}`;
}

function place(map: Map<string, Map<string, GroupMember>>, key: string, inner: string, member: GroupMember): void {
  const members = map.get(key);
  if (members === undefined) map.set(key, new Map([[inner, member]]));
  else members.set(inner, member);
}

function unplace(map: Map<string, Map<string, GroupMember>>, key: string, inner: string): void {
  const members = map.get(key);
  members?.delete(inner);
  if (members?.size === 0) map.delete(key);
}
