/** Actions of the hub about groups, presence and delivery, sent as requests. See PROTOCOL.md, sections Groups, Presence and Acks. */
export const PeerAction = {
  PING: 'ping',
  GROUPS_JOIN: 'groups.join',
  GROUPS_LEAVE: 'groups.leave',
  GROUPS_MEMBERS: 'groups.members',
  GROUPS_LIST: 'groups.list',
  PRESENCE_WATCH: 'presence.watch',
  PRESENCE_UNWATCH: 'presence.unwatch',
  DELIVERY_RESEND: 'delivery.resend',
} as const;

/** A member of a group as it travels. */
export interface WireGroupMember {
  readonly client_id: string;
  readonly status: 'online' | 'offline';
  /** Whether the membership lasts over disconnects and restarts. */
  readonly durable: boolean;
}

/** Data of `groups.join`. */
export interface JoinData {
  readonly group: string;
  /** Default false. */
  readonly durable?: boolean | undefined;
}

/** Answer to `groups.join`. */
export interface JoinResult {
  readonly group: string;
  /** True also when the membership was durable before. */
  readonly durable: boolean;
  /** How many members the group has now. */
  readonly members: number;
}

/** Answer to `groups.members`. */
export interface MembersResult {
  readonly members: readonly WireGroupMember[];
}

/** Answer to `groups.list`. */
export interface GroupListResult {
  readonly groups: readonly { readonly group: string; readonly durable: boolean }[];
}

/** Data of `presence.watch` and `presence.unwatch`. */
export interface WatchData {
  readonly client_ids?: readonly string[] | undefined;
  /** Names of groups. */
  readonly groups?: readonly string[] | undefined;
}

/** A watched client as it travels. */
export interface WireClientPresence {
  readonly client_id: string;
  readonly status: 'online' | 'offline';
  /** Unix seconds; 0 for a client never seen. */
  readonly last_seen: number;
}

/** Data of `delivery.resend`: the messages that were sent on earlier connections and not answered, in the order of their sending. */
export interface ResendData {
  readonly msg_ids: readonly string[];
}

/** Answer to `presence.watch`: how things are; changes follow as events. */
export interface WatchResult {
  readonly clients: readonly WireClientPresence[];
  readonly groups: readonly { readonly group: string; readonly members: readonly WireGroupMember[] }[];
}
