import { CrossCommError, replyTo, type ResponseContent } from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import { PendingCall } from './pending-call.js';

/** The requests that wait for their response, by message id. No I/O. */
export class RequestTracker {
  readonly #pending = new Map<string, PendingCall<unknown>>();

  get count(): number {
    return this.#pending.size;
  }

  /** Waits for the answer to the request `msgId`, which the caller sends. */
  track(msgId: string, options: CallOptions): Promise<unknown> {
    const call = new PendingCall<unknown>(() => this.#pending.delete(msgId));
    this.#pending.set(msgId, call);
    return call.wait(options);
  }

  /** Takes the content of a `response`; `false` when nobody waits for it. */
  resolve(content: unknown): boolean {
    const call = this.#pending.get(replyTo(content) ?? '');
    call?.resolve((content as ResponseContent).data);
    return call !== undefined;
  }

  /** Takes the content of an `error`; `false` when nobody waits for it. */
  reject(content: unknown): boolean {
    const call = this.#pending.get(replyTo(content) ?? '');
    call?.reject(CrossCommError.fromWire(content));
    return call !== undefined;
  }

  failAll(error: CrossCommError): void {
    for (const call of [...this.#pending.values()]) call.reject(error);
  }
}
