/** Why a client went offline. */
export type LeaveReason =
  /** It said logout. */
  | 'logout'
  /** Its socket closed. */
  | 'closed'
  /** It was silent for longer than `heartbeatTimeoutMs`. */
  | 'heartbeat_timeout'
  /** It did not read what was sent to it. */
  | 'slow_receiver'
  /** `disconnectClient` was called. */
  | 'disconnected'
  /** Its credentials or its id were revoked. */
  | 'revoked'
  /** Its login was good for some time only, which is over. */
  | 'expired'
  /** The hub shuts down. */
  | 'shutdown';

/** A client came or went. Times in Unix seconds. */
export type ClientEvent =
  | {
      readonly type: 'joined';
      readonly clientId: string;
      readonly at: number;
      /** A newer login took the id over from a connection that was still open. */
      readonly takeover: boolean;
    }
  | { readonly type: 'left'; readonly clientId: string; readonly at: number; readonly reason: LeaveReason };
