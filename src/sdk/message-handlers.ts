import {
  CrossCommError,
  listenerFilter,
  passesFilter,
  readListenerFilters,
  readRequestActions,
  roleOf,
  type Envelope,
  type ListenerFilter,
  type Message,
} from '../protocol/index.js';
import type { RejectOptions } from './mail-item.js';
import type { ActionHandler } from './request-handlers.js';

/** What a user registered: called once for a message that passes at least one of the filters. */
export interface MessageHandler {
  /** Class and method, or the function's name; for reports. */
  readonly name: string;
  readonly filters: readonly ListenerFilter[];
  /** It says itself when a message is processed; the message it gets is a {@link ConfirmableMessage}. */
  readonly confirmsItself?: boolean;
  call(message: Message): unknown;
}

/** What a handler gets that was registered with `confirm: 'manual'`. Without effect on messages that are not durable. */
export interface ConfirmableMessage<Content = unknown> extends Message<Content> {
  /** It is processed: the hub forgets it. */
  confirm(): void;
  /** It could not be processed: the hub sends it again, after some attempts to its dead letters. */
  reject(options?: RejectOptions): void;
}

/** A handler that is to get a message, and where its attachment is to be downloaded to. */
export interface HandlerMatch {
  readonly handler: MessageHandler;
  readonly downloadDirectory: string | undefined;
}

/** The handlers of one client, in the order of their registration. */
export class MessageHandlers {
  #handlers: readonly MessageHandler[] = [];
  readonly #onFirst: () => void;
  #wasUsed = false;

  /** @param onFirst the first handlers ever are there */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  /** Whether there ever was a handler. */
  get wasUsed(): boolean {
    return this.#wasUsed;
  }

  add(handlers: readonly MessageHandler[]): () => void {
    // never changed in place: a handler may add and remove handlers while a message is being matched
    this.#handlers = [...this.#handlers, ...handlers];
    if (!this.#wasUsed) this.#onFirst();
    this.#wasUsed = true;
    return () => {
      this.#handlers = this.#handlers.filter((handler) => !handlers.includes(handler));
    };
  }

  match(envelope: Envelope): HandlerMatch[] {
    const matches: HandlerMatch[] = [];
    for (const handler of this.#handlers) {
      const passed = handler.filters.filter((filter) => passes(filter, envelope));
      if (passed.length === 0) continue;
      matches.push({ handler, downloadDirectory: passed.map((filter) => filter.downloadDirectory).find(Boolean) });
    }
    return matches;
  }
}

/** A filter without types takes what users send; a peer's heartbeats and the like only reach a filter that names them. */
function passes(filter: ListenerFilter, { msgType, fromClientId }: Envelope): boolean {
  return passesFilter(filter, msgType, fromClientId) && (filter.msgTypes !== undefined || roleOf(msgType) === 'user');
}

/**
 * The `@MessageListener` and `@RequestHandler` methods of an object, inherited ones too; a method that is overridden
 * without the decorator is none any more.
 * @throws CrossCommError `CC_INVALID_LISTENER` when there are none
 */
export function handlersOf(instance: object): { readonly messages: readonly MessageHandler[]; readonly actions: readonly ActionHandler[] } {
  const className = instance.constructor?.name || 'an object';
  const messages: MessageHandler[] = [];
  const actions: ActionHandler[] = [];
  const seen = new Set<PropertyKey>();
  for (let owner: object | null = instance; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner) as object | null) {
    for (const key of Reflect.ownKeys(owner)) {
      if (seen.has(key)) continue;
      seen.add(key);
      // the descriptor, because reading a property may run a getter
      const method: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
      if (typeof method !== 'function') continue;
      const filters = readListenerFilters(method);
      const call = (...args: readonly unknown[]): unknown => method.apply(instance, args) as unknown;
      if (filters.length > 0) messages.push({ name: `${className}.${String(key)}`, filters, call });
      for (const action of readRequestActions(method)) actions.push({ action, call });
    }
  }
  if (messages.length + actions.length === 0)
    throw new CrossCommError('CC_INVALID_LISTENER', `${className} has no @MessageListener or @RequestHandler; give an instance.`);
  return { messages, actions };
}

/** A handler made of a function. */
export function functionHandler(
  filter: Parameters<typeof listenerFilter>[0],
  call: (message: Message) => unknown,
  confirmsItself: boolean,
): MessageHandler {
  if (typeof call !== 'function') throw new CrossCommError('CC_INVALID_LISTENER', 'onMessage needs a function.');
  const name = call.name || 'onMessage';
  return { name, filters: [listenerFilter(filter, name)], call, confirmsItself };
}
