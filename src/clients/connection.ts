import type { Announcement, CloseCode, Feature, Permissions, Receipt } from '../protocol/index.js';
import type { OutboundMessage } from './outbound-message.js';

/** What became of a message handed to a connection. */
export type SendOutcome =
  | 'sent'
  /** Larger than the receiver can take. */
  | 'too-large'
  /** The receiver does not read; its connection is being closed. */
  | 'overflow'
  /** The connection is closed or closing. */
  | 'closed';

/** The identity that a login bound to a connection. */
export interface BoundIdentity {
  readonly clientId: string;
  /** Monotonic time of the last frame, in milliseconds. */
  lastHeardAtMs: number;
}

let lastConnectionNumber = 0;

/** One live socket, whatever the transport. Transports extend it; the hub sees nothing else of them. */
export abstract class Connection {
  /** Grows with each connection of this process: the fence that keeps an old socket from touching a newer session. */
  readonly number: number = ++lastConnectionNumber;
  /** Monotonic time of the accept, in milliseconds. */
  readonly openedAtMs: number = performance.now();
  /** Monotonic time since when a login is awaited, in milliseconds. */
  awaitingLoginSinceMs: number = this.openedAtMs;
  /** The identity bound by login; undefined before login and after logout. */
  client: BoundIdentity | undefined;
  /** What the client announced at login; undefined for protocol 1. */
  announcement: Announcement | undefined;
  /** What its login may do; undefined: everything. */
  permissions: Permissions | undefined;

  /** Durable messages of this client that are not answered yet. */
  unackedMessages = 0;
  /** Bytes of those. */
  unackedBytes = 0;
  /** Ids of messages that its acks have yet to name; undefined while there are none. */
  dueAcks: Partial<Record<Receipt, string[]>> | undefined;
  /** Messages that come once more and must have been refused before; see `DurableDelivery.resending`. */
  refusedBefore: Set<string> | undefined;

  /** Name of the door, e.g. `websocket`. */
  abstract readonly transport: string;
  /** Address of the peer, without its port. */
  abstract readonly remoteAddress: string;
  /** Bytes handed over but not yet taken by the operating system. */
  abstract readonly bufferedBytes: number;

  /** Largest message this client can take, in bytes. */
  abstract readonly maxReceiveBytes: number;
  /** Whether the hub has stopped reading, so that the client cannot be heard. */
  abstract readonly isReadingStopped: boolean;

  /** Reads no further frames, those excepted that have left the socket already, until {@link continueReading} as often. */
  abstract stopReading(): void;

  abstract continueReading(): void;

  /** Hands a message over; never waits and never throws. */
  abstract send(message: OutboundMessage): SendOutcome;

  /** Ends the connection with one of our codes, and cuts it shortly after whether or not the peer answers. */
  abstract close(code: CloseCode, reason: string): void;

  /** Whether this client announced a feature. */
  can(feature: Feature): boolean {
    return this.announcement?.features.includes(feature) ?? false;
  }

  /** Whether this client announced protocol 2, and so may be sent `error`, `response` and `ext`. */
  get isAnnounced(): boolean {
    return this.announcement !== undefined;
  }
}
