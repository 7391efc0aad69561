import type { OutboundMessage, SendOutcome } from '../clients/index.js';
import type { CrossCommError } from '../protocol/index.js';

/** Who waits for an answer, and how it is told: by exactly one of these calls, or by none once it took the request back or left. */
export interface Requester {
  /** A client's id, or `"server"` for the hub's own application. */
  readonly clientId: string;
  /** Hands the answer on. */
  onAnswer(answer: OutboundMessage): SendOutcome;
  /** There will be no answer. */
  onFailure(error: CrossCommError, msgId: string): void;
}

/** Who is to answer. */
export interface Responder {
  /** A client's id, or `"server"` for a handler of the hub's application. */
  readonly clientId: string;
  /** Nobody waits for the answer any more. */
  onCancel(): void;
}

/** A request on its way. */
export interface PendingRequest {
  readonly requester: Requester;
  readonly responder: Responder;
  readonly msgId: string;
  /** Monotonic time at which it is given up, in milliseconds. */
  readonly deadlineMs: number;
}

/** Requests whose deadlines fall into the same slice of time are looked at together, this many milliseconds. */
const SLICE_MS = 50;

/**
 * The requests that wait for an answer. Each is taken out once, by whatever ends it first; so it ends exactly once.
 * Adding and taking cost the same however many there are, and looking for those whose time is over costs those only.
 */
export class PendingRequests {
  readonly #ofRequester = new Map<string, Map<string, PendingRequest>>();
  readonly #ofResponder = new Map<string, Set<PendingRequest>>();
  readonly #slices = new Map<number, Set<PendingRequest>>();
  #nextSlice = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Requests of one client. */
  countOf(requesterId: string): number {
    return this.#ofRequester.get(requesterId)?.size ?? 0;
  }

  find(requesterId: string, msgId: string): PendingRequest | undefined {
    return this.#ofRequester.get(requesterId)?.get(msgId);
  }

  /** @param request one whose requester has none with this msg_id */
  add(request: PendingRequest): void {
    const slice = sliceOf(request.deadlineMs);
    // with nothing pending there is nothing between now and it to look at
    if (this.#size === 0) this.#nextSlice = slice;
    this.#nextSlice = Math.min(this.#nextSlice, slice);
    this.#size++;
    entry(this.#ofRequester, request.requester.clientId, () => new Map<string, PendingRequest>()).set(request.msgId, request);
    entry(this.#ofResponder, request.responder.clientId, () => new Set<PendingRequest>()).add(request);
    entry(this.#slices, slice, () => new Set<PendingRequest>()).add(request);
  }

  /** Takes a request out. @returns false when it has ended already */
  take(request: PendingRequest): boolean {
    const { requester, responder, msgId, deadlineMs } = request;
    const ofRequester = this.#ofRequester.get(requester.clientId);
    if (ofRequester?.get(msgId) !== request) return false;
    this.#size--;
    ofRequester.delete(msgId);
    if (ofRequester.size === 0) this.#ofRequester.delete(requester.clientId);
    removeFrom(this.#ofResponder, responder.clientId, request);
    removeFrom(this.#slices, sliceOf(deadlineMs), request);
    return true;
  }

  /** Takes out all requests of a client. */
  takeOfRequester(clientId: string): PendingRequest[] {
    return [...(this.#ofRequester.get(clientId)?.values() ?? [])].filter((request) => this.take(request));
  }

  /** Takes out all requests to a client. */
  takeOfResponder(clientId: string): PendingRequest[] {
    return [...(this.#ofResponder.get(clientId) ?? [])].filter((request) => this.take(request));
  }

  /** Takes out the requests whose time is over, at most one slice late. */
  takeDue(nowMs: number): PendingRequest[] {
    const due: PendingRequest[] = [];
    // a slice is over when its last moment is
    const end = sliceOf(nowMs);
    // after a long standstill there are fewer slices than moments
    const slices = end - this.#nextSlice > this.#slices.size ? [...this.#slices.keys()].filter((slice) => slice < end).toSorted((a, b) => a - b) : undefined;
    const takeSlice = (slice: number): void => {
      for (const request of this.#slices.get(slice) ?? []) if (this.take(request)) due.push(request);
    };
    if (slices !== undefined) for (const slice of slices) takeSlice(slice);
    else for (let slice = this.#nextSlice; slice < end; slice++) takeSlice(slice);
    this.#nextSlice = Math.max(this.#nextSlice, end);
    return due;
  }
}

function sliceOf(atMs: number): number {
  return Math.floor(atMs / SLICE_MS);
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function removeFrom<Key>(map: Map<Key, Set<PendingRequest>>, key: Key, request: PendingRequest): void {
  const set = map.get(key);
  set?.delete(request);
  if (set?.size === 0) map.delete(key);
}
