import type { BoundIdentity, Connection } from './connection.js';

/** One identity with its live connection. A new one is made at each login. */
export class ConnectedClient implements BoundIdentity {
  /** Monotonic time of the last frame, in milliseconds. */
  lastHeardAtMs: number = performance.now();
  /** Unix seconds of this login. */
  readonly loginTime: number = Date.now() / 1000;

  constructor(
    readonly clientId: string,
    readonly connection: Connection,
  ) {}

  get transport(): string {
    return this.connection.transport;
  }

  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  /** Unix seconds of the last frame of this client; any frame counts as a heartbeat. */
  get lastHeartbeat(): number {
    return (Date.now() - (performance.now() - this.lastHeardAtMs)) / 1000;
  }
}
