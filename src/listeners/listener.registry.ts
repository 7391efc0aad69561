import { Injectable } from '@nestjs/common';
import { passesFilter, type ListenerFilter, type Message } from '../protocol/index.js';
import type { ConnectedClient } from '../clients/index.js';

/** One decorated method, ready to be called. */
export interface ListenerHandle {
  /** `Class.method`, for logs. */
  readonly name: string;
  readonly filters: readonly ListenerFilter[];
  /**
   * Runs the method with the guards, interceptors, pipes and filters that Nest knows for it.
   * @returns undefined when the method is done; a promise when it, or something around it, takes time. An Observable
   *   that the promise resolves to is still to be run to its end.
   */
  readonly invoke: (client: ConnectedClient, message: Message, msgType: string) => PromiseLike<unknown> | undefined;
}

/** A listener together with the first of its filters that a message passed. */
export interface ListenerMatch {
  readonly handle: ListenerHandle;
  readonly filter: ListenerFilter;
}

/** Who listens to one message type: filters name a few senders, and treat all others alike. */
interface TypeMatches {
  readonly ofNamedSender: ReadonlyMap<string, readonly ListenerMatch[] | undefined>;
  readonly ofOthers: readonly ListenerMatch[] | undefined;
}

/** All listeners, in the order of registration. */
@Injectable()
export class ListenerRegistry {
  readonly #handles: ListenerHandle[] = [];
  /** Worked out once per type, so that listeners a message is not for cost it nothing. */
  readonly #matchesOfType = new Map<string, TypeMatches>();

  add(handle: ListenerHandle): void {
    this.#handles.push(handle);
    this.#matchesOfType.clear();
  }

  /**
   * The listeners a message is for; undefined when there are none. Equal messages get the same array.
   * @param msgType one of the user's types; each is remembered
   */
  match(msgType: string, fromClientId: string): readonly ListenerMatch[] | undefined {
    if (this.#handles.length === 0) return undefined;
    let matches = this.#matchesOfType.get(msgType);
    if (matches === undefined) this.#matchesOfType.set(msgType, (matches = this.#matchAll(msgType)));
    const { ofNamedSender, ofOthers } = matches;
    // whatever takes messages of anybody takes those of a named sender too
    return ofNamedSender.size === 0 ? ofOthers : (ofNamedSender.get(fromClientId) ?? ofOthers);
  }

  #matchAll(msgType: string): TypeMatches {
    const matchesOf = (fromClientId: string): readonly ListenerMatch[] | undefined => {
      const matches = this.#handles.flatMap((handle) => {
        const filter = handle.filters.find((candidate) => passesFilter(candidate, msgType, fromClientId));
        return filter === undefined ? [] : [{ handle, filter }];
      });
      return matches.length === 0 ? undefined : matches;
    };
    const named = new Set(this.#handles.flatMap(({ filters }) => filters).flatMap(({ fromClientId }) => fromClientId ?? []));
    // no filter names the empty id: it is refused in filters, and at login
    return { ofNamedSender: new Map([...named].map((id) => [id, matchesOf(id)])), ofOthers: matchesOf('') };
  }
}
