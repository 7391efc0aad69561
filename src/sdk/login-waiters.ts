import { CrossCommError } from '../protocol/index.js';
import type { ClientStatus } from './client-status.js';
import type { CallOptions } from './deadline.js';
import { PendingCall } from './pending-call.js';

/** The calls that wait until the client is online. */
export class LoginWaiters {
  readonly #calls = new Set<PendingCall<void>>();

  /** Resolves when the client is online, rejects when it is closed or the caller gives up. */
  wait(options: CallOptions): Promise<void> {
    const call: PendingCall<void> = new PendingCall(() => this.#calls.delete(call));
    this.#calls.add(call);
    return call.wait(options);
  }

  statusChanged(status: ClientStatus): void {
    for (const call of [...this.#calls]) {
      if (status.state === 'online') call.resolve();
      else if (status.state === 'closed') call.reject(status.reason ?? new CrossCommError('CC_CLOSED'));
    }
  }
}
