import { Injectable } from '@nestjs/common';
import type { ConnectedClient } from '../clients/index.js';
import { CrossCommError } from '../protocol/index.js';

/** What a handler is told of a request besides its data. */
export interface RequestContext {
  readonly fromClientId: string;
  readonly action: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** One decorated method, ready to be called. */
export interface RequestHandlerHandle {
  /** `Class.method`, for logs. */
  readonly name: string;
  /** Runs the method with the guards, interceptors, pipes and filters that Nest knows for it; resolves with the answer. */
  readonly invoke: (client: ConnectedClient, data: unknown, context: RequestContext, action: string) => Promise<unknown>;
}

/** The `@RequestHandler` methods of the hub's application, one per action. */
@Injectable()
export class RequestHandlerRegistry {
  readonly #handles = new Map<string, RequestHandlerHandle>();
  readonly #reserved = new Set<string>();

  /** Keeps an action for the hub itself. */
  reserve(action: string): void {
    this.#reserved.add(action);
  }

  /** @throws CrossCommError `CC_INVALID_LISTENER` when the action has a handler already, or is the hub's own */
  add(action: string, handle: RequestHandlerHandle): void {
    if (this.#reserved.has(action))
      throw new CrossCommError('CC_INVALID_LISTENER', `${handle.name} handles the action "${action}", which the hub answers itself; give it another name.`);
    const other = this.#handles.get(action);
    if (other !== undefined)
      throw new CrossCommError('CC_INVALID_LISTENER', `${other.name} and ${handle.name} both handle the action "${action}"; an action has one handler.`);
    this.#handles.set(action, handle);
  }

  find(action: string): RequestHandlerHandle | undefined {
    return this.#handles.get(action);
  }
}
