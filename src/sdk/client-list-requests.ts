import { CrossCommError, parseListResponse, replyTo, type WireClientList } from '../protocol/index.js';
import type { CallOptions } from './deadline.js';
import { PendingCall } from './pending-call.js';

/** One entry of a client list. */
export interface ListedClient {
  readonly clientId: string;
  readonly status: 'online' | 'offline';
  /** Unix seconds. */
  readonly lastHeartbeat: number;
  /** Unix seconds. */
  readonly loginTime: number;
}

export interface ClientList {
  readonly clients: readonly ListedClient[];
  readonly totalCount: number;
  readonly onlyShowOnline: boolean;
}

export interface ListClientsOptions extends CallOptions {
  /**
   * Leaves out the clients that are offline. Towards a Python server that means those without a heartbeat for a minute:
   * clients that left are listed as online until then (wire facts 5.6). Default false.
   */
  readonly onlyShowOnline?: boolean;
}

interface ListCall {
  readonly onlyShowOnline: boolean;
  readonly pending: PendingCall<ClientList>;
  msgId: string;
  /** Answers to earlier, given-up calls that came while this one waited. */
  skipped: number;
  /** Whether nothing more is to come for it: answered, refused, or its connection gone. */
  isDone: boolean;
}

/**
 * The list requests of one client. They carry no id, so only one is on the wire at a time, and the answer to one that
 * was given up is skipped: the server answers each exactly once and in order.
 */
export class ClientListRequests {
  readonly #queue: ListCall[] = [];
  #active: ListCall | undefined;
  /** Answers still to come for requests nobody waits for. */
  #stale = 0;

  /** @param send writes the request and returns its message id, or undefined when not connected */
  constructor(private readonly send: (onlyShowOnline: boolean) => string | undefined) {}

  request({ onlyShowOnline = false, timeoutMs = DEFAULT_TIMEOUT_MS, ...options }: ListClientsOptions): Promise<ClientList> {
    const pending = new PendingCall<ClientList>(() => this.#settled(call));
    const call: ListCall = { onlyShowOnline, pending, msgId: '', skipped: 0, isDone: false };
    this.#queue.push(call);
    if (this.#active === undefined) this.#next();
    return pending.wait({ timeoutMs, ...options });
  }

  /** Takes the content of a list_clients_response of the server. */
  answered(content: unknown): void {
    const call = this.#active;
    if (this.#stale > 0) {
      this.#stale--;
      if (call !== undefined) call.skipped++;
      return;
    }
    // not asked for
    if (call === undefined) return;
    call.isDone = true;
    try {
      call.pending.resolve(readList(parseListResponse(content)));
    } catch (error) {
      call.pending.reject(CrossCommError.from(error));
    }
  }

  /** Takes the content of an `error`; `false` when it is not about the request on the wire. */
  refused(content: unknown): boolean {
    const call = this.#active;
    if (call === undefined || replyTo(content) !== call.msgId) return false;
    this.#fail(call, CrossCommError.fromWire(content));
    return true;
  }

  /** The connection is gone, and with it all answers. */
  failAll(error: CrossCommError): void {
    this.#stale = 0;
    // what waits for its turn first, else it would be sent
    for (const call of this.#queue.splice(0)) this.#fail(call, error);
    if (this.#active !== undefined) this.#fail(this.#active, error);
  }

  #fail(call: ListCall, error: CrossCommError): void {
    call.isDone = true;
    call.pending.reject(error);
  }

  #settled(call: ListCall): void {
    const place = this.#queue.indexOf(call);
    if (place !== -1) this.#queue.splice(place, 1);
    if (call !== this.#active) return;
    // given up; an answer that was skipped meanwhile was its own after all: one of the earlier ones got lost
    if (!call.isDone) this.#stale = call.skipped > 0 ? 0 : this.#stale + 1;
    this.#active = undefined;
    this.#next();
  }

  #next(): void {
    const call = (this.#active = this.#queue.shift());
    if (call === undefined) return;
    const msgId = this.send(call.onlyShowOnline);
    if (msgId === undefined) this.#fail(call, new CrossCommError('CC_NOT_CONNECTED'));
    else call.msgId = msgId;
  }
}

const DEFAULT_TIMEOUT_MS = 5_000;

function readList(list: WireClientList): ClientList {
  const clients = list.clients.map((client) => ({
    clientId: client.client_id,
    status: client.status,
    lastHeartbeat: client.last_heartbeat,
    loginTime: client.login_time,
  }));
  return { clients, totalCount: list.total_count, onlyShowOnline: list.only_show_online === true };
}
