import { CrossCommError, parseListResponse, type ReadClientList } from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import { PendingCall } from './pending-call.js';

/** What `listClients` resolves with. */
export type ClientList = ReadClientList;

export interface ListClientsOptions extends CallOptions {
  /**
   * Leaves out the clients that are offline. Towards a Python server that means those without a heartbeat for a minute:
   * clients that left are listed as online until then (wire facts 5.6). Default false.
   */
  readonly onlyShowOnline?: boolean;
}

interface ListCall {
  readonly pending: PendingCall<ClientList>;
  readonly msgId: string | undefined;
  /** Nobody waits any more, but the answer may still come. */
  isGivenUp: boolean;
  /** Answers that were taken for those of given-up calls while this one was the next to be answered. */
  skipped: number;
}

/**
 * The list requests of one client. Answers carry no id, but the server answers each request once and in order; so
 * they belong to the calls in that order, and the answer to a call that was given up is skipped.
 */
export class ClientListRequests {
  readonly #send: (onlyShowOnline: boolean) => string | undefined;
  /** What was sent and not answered, the oldest first. */
  readonly #calls: ListCall[] = [];

  /** @param send writes the request and returns its message id, or undefined when not connected */
  constructor(send: (onlyShowOnline: boolean) => string | undefined) {
    this.#send = send;
  }

  request({ onlyShowOnline = false, timeoutMs = DEFAULT_TIMEOUT_MS, ...options }: ListClientsOptions): Promise<ClientList> {
    const pending = new PendingCall<ClientList>(() => this.#settled(call));
    const call: ListCall = { pending, msgId: this.#send(onlyShowOnline), isGivenUp: false, skipped: 0 };
    if (!call.msgId) pending.reject(new CrossCommError('CC_NOT_CONNECTED'));
    else this.#calls.push(call);
    return pending.wait({ timeoutMs, ...options });
  }

  /** Takes the content of a list_clients_response of the server. */
  answered(content: unknown): void {
    const call = this.#calls.shift();
    if (call?.isGivenUp) {
      const next = this.#calls.find(({ isGivenUp }) => !isGivenUp);
      if (next) next.skipped++;
      return;
    }
    try {
      call?.pending.resolve(parseListResponse(content));
    } catch (error) {
      call?.pending.reject(CrossCommError.from(error));
    }
  }

  /** Takes an `error` about message `id`; `false` when it is not about a request on the wire. */
  refused(id: string | undefined, error: CrossCommError): boolean {
    const call = this.#calls.find(({ msgId }) => msgId === id);
    if (!call) return false;
    this.#calls.splice(this.#calls.indexOf(call), 1);
    call.pending.reject(error);
    return true;
  }

  /** The connection is gone, and with it all answers. */
  failAll(error: CrossCommError): void {
    for (const { pending } of this.#calls.splice(0)) pending.reject(error);
  }

  #settled(call: ListCall): void {
    const place = this.#calls.indexOf(call);
    call.isGivenUp = true;
    // an answer that was skipped meanwhile was its own after all: one of the earlier ones got lost
    if (place !== -1 && call.skipped > 0) this.#calls.splice(0, place + 1);
  }
}

const DEFAULT_TIMEOUT_MS = 5_000;
