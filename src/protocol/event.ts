/**
 * Content of an `event` about a client that is watched, or that joined or left a watched group. Times in Unix seconds.
 */
export interface PresenceEventContent {
  readonly event: 'presence';
  readonly client_id: string;
  readonly change: 'joined' | 'left';
  /** Why it left, e.g. `logout`, `closed`, `heartbeat_timeout`; for groups also `leave`. */
  readonly why?: string | undefined;
  readonly at: number;
  /** The group this is about; absent: it is about being online. */
  readonly group?: string | undefined;
}

/** Content of any `event`; receivers ignore names they do not know. */
export type EventContent = PresenceEventContent;
