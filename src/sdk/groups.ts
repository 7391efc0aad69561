import { assertGroupName, type CrossCommError } from '../protocol/index.js';
import type { Requests } from './requests.js';

/** Options of `join`. */
export interface JoinOptions {
  /**
   * Whether the membership lasts, with its mail, until `leave`, also while this client is away and over restarts.
   * Default false: it lasts as long as this client is logged in, reconnects included.
   */
  readonly durable?: boolean;
}

/** A group one has joined. */
export interface JoinedGroup {
  readonly group: string;
  readonly isDurable: boolean;
  /** This client included. */
  readonly memberCount: number;
}

/** A member of a group. */
export interface GroupMember {
  readonly clientId: string;
  readonly status: 'online' | 'offline';
  readonly isDurable: boolean;
}

/** A member as it travels. */
interface WireMember {
  readonly client_id: string;
  readonly status: 'online' | 'offline';
  readonly durable: boolean;
}

/** The groups this client is in. The hub forgets live memberships with the connection; they are made anew here. */
export class Groups {
  readonly #requests: Requests;
  readonly #live = new Set<string>();

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  async join(group: string, { durable = false }: JoinOptions): Promise<JoinedGroup> {
    const answer = (await this.#ask('join', { group: assertGroupName(group), durable })) as { readonly durable: boolean; readonly members: number };
    if (!answer.durable) this.#live.add(group);
    return { group, isDurable: answer.durable, memberCount: answer.members };
  }

  async leave(group: string): Promise<void> {
    const isLive = this.#live.delete(assertGroupName(group));
    try {
      await this.#ask('leave', { group });
    } catch (error) {
      // a live membership has ended with the connection
      if (!isLive || (error as CrossCommError).code !== 'CC_NOT_CONNECTED') throw error;
    }
  }

  async members(group: string): Promise<GroupMember[]> {
    const { members } = (await this.#ask('members', { group: assertGroupName(group) })) as { readonly members: readonly WireMember[] };
    return members.map(readMember);
  }

  /** A new connection: joins again. */
  renew(): void {
    for (const group of this.#live) this.#requests.renew('groups.join', { group });
  }

  /** The client is closed. */
  clear(): void {
    this.#live.clear();
  }

  #ask(what: string, data: object): Promise<unknown> {
    return this.#requests.hub(`groups.${what}`, data);
  }
}

/** @param member as it travels */
export function readMember({ client_id: clientId, status, durable: isDurable }: WireMember): GroupMember {
  return { clientId, status, isDurable };
}
