import { Injectable } from '@nestjs/common';
import { passesFilter, type ListenerFilter, type Message } from '../protocol/index.js';
import type { ConnectedClient } from '../clients/index.js';

/** One decorated method, ready to be called. */
export interface ListenerHandle {
  /** `Class.method`, for logs. */
  readonly name: string;
  readonly filters: readonly ListenerFilter[];
  /** Runs the method through Nest's guards, interceptors, pipes and filters. */
  readonly invoke: (client: ConnectedClient, message: Message, msgType: string) => Promise<unknown>;
}

/** A listener together with the first of its filters that a message passed. */
export interface ListenerMatch {
  readonly handle: ListenerHandle;
  readonly filter: ListenerFilter;
}

/** All listeners, in the order of registration. */
@Injectable()
export class ListenerRegistry {
  readonly #handles: ListenerHandle[] = [];

  get isEmpty(): boolean {
    return this.#handles.length === 0;
  }

  add(handle: ListenerHandle): void {
    this.#handles.push(handle);
  }

  /** The listeners a message is for; undefined when there are none, which costs no allocation. */
  match(msgType: string, fromClientId: string): ListenerMatch[] | undefined {
    let matches: ListenerMatch[] | undefined;
    for (const handle of this.#handles) {
      for (const filter of handle.filters) {
        if (!passesFilter(filter, msgType, fromClientId)) continue;
        (matches ??= []).push({ handle, filter });
        break;
      }
    }
    return matches;
  }
}
