import { isObservable } from 'rxjs';
import type { ListenerPlace } from './listener-enhancers.js';
import type { ListenerHandle } from './listener.registry.js';

/** How Nest gets the value of one parameter. */
export interface ListenerParameter {
  readonly index: number;
  /** A number for `@MessageBody` and `@ConnectedSocket`, a text for decorators made by `createParamDecorator`. */
  readonly type: number | string;
  readonly pipes: readonly unknown[];
  extractValue(...args: unknown[]): unknown;
}

/**
 * Calls a listener that has no guards, interceptors, pipes and filters as Nest would: the same arguments, and an
 * Observable is run to its end. But without the dozen promises per call that Nest prepares for enhancers, and at once
 * when the listener is synchronous.
 *
 * @returns undefined when a parameter has a pipe or a decorator of the user's own: those take Nest
 */
export function directCall({ instance, method }: ListenerPlace, parameters: readonly ListenerParameter[]): ListenerHandle['invoke'] | undefined {
  if (parameters.length === 0 || parameters.some(({ type, pipes }) => typeof type !== 'number' || pipes.length > 0)) return undefined;
  const none = Array.from<undefined>({ length: Math.max(...parameters.map(({ index }) => index)) + 1 });
  return (client, message, msgType) => {
    const args: unknown[] = none.slice();
    for (const parameter of parameters) args[parameter.index] = parameter.extractValue(client, message, msgType);
    return unfinished(method.apply(instance, args));
  };
}

/** What is left to wait for of a listener's result. */
function unfinished(result: unknown): PromiseLike<unknown> | undefined {
  if (result === undefined || result === null) return undefined;
  // left to the runner, as one that a promise brings
  if (isObservable(result)) return Promise.resolve(result);
  return typeof (result as Partial<PromiseLike<unknown>>).then === 'function' ? (result as PromiseLike<unknown>) : undefined;
}
