import type { CrossCommError } from '../protocol/index.js';

/** What a client is doing. */
export type ClientStatus =
  /** `login()` was not called yet. */
  | { readonly state: 'idle' }
  /** The first connection since `login()` is being made. */
  | { readonly state: 'connecting' }
  /** Logged in. `protocolVersion` is 1 towards servers that answer no announcement; `session` is then empty. */
  | { readonly state: 'online'; readonly protocolVersion: number; readonly session: string }
  /** The connection was lost and is tried again: attempt number `attempt` begins `nextDelayMs` after this status. */
  | {
      readonly state: 'reconnecting';
      readonly attempt: number;
      readonly nextDelayMs: number;
      readonly reason: CrossCommError;
    }
  /** Over: after `logout()` without a reason, else with why the client gave up (refused, replaced, no more attempts). */
  | { readonly state: 'closed'; readonly reason: CrossCommError | undefined };
