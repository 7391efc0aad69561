import { CrossCommError } from './cross-comm.error.js';
import { decoratedMethod } from './decorated-method.js';
import { parseRequest } from './request.js';

/**
 * Where the decorator keeps its actions, on the method itself: a registered symbol, for the reasons of
 * `MESSAGE_LISTENER_KEY`.
 */
export const REQUEST_HANDLER_KEY: unique symbol = Symbol.for('cross-comm:request_handler') as never;

/**
 * Marks a method as the one that answers requests for an action. What it returns or resolves with is the answer; what
 * it throws is answered as an error. May be stacked: the method then answers several actions.
 *
 * Works on providers and controllers of a Nest application (requests to `"server"`) and on plain classes given to the
 * SDK's `registerListeners` (requests of other clients), with TypeScript's `experimentalDecorators` and with standard
 * decorators.
 *
 * @example
 * ```ts
 * @RequestHandler('add')
 * add({ a, b }: { a: number; b: number }) {
 *   return a + b;
 * }
 * ```
 * @throws CrossCommError `CC_INVALID_LISTENER` at class definition, naming the method
 */
export function RequestHandler(action: string) {
  return function decorate(target: unknown, context: unknown, descriptor?: PropertyDescriptor): void {
    const { method, name } = decoratedMethod('@RequestHandler', target, context, descriptor);
    const value = [...readRequestActions(method), assertRequestAction(action, name)];
    Object.defineProperty(method, REQUEST_HANDLER_KEY, { value, configurable: true });
  };
}

/**
 * Returns `action` when requests can name it: 1 to 128 characters.
 * @param name who is to blame, for the error's text
 * @throws CrossCommError `CC_INVALID_LISTENER`
 */
export function assertRequestAction(action: unknown, name: string): string {
  try {
    return parseRequest({ action }).action;
  } catch (cause) {
    throw new CrossCommError('CC_INVALID_LISTENER', { detail: `${name} needs an action of 1 to 128 characters.`, cause });
  }
}

/** The actions a method was decorated with; empty when it handles no requests. */
export function readRequestActions(method: unknown): readonly string[] {
  return (method as Readonly<Record<symbol, readonly string[]>> | null | undefined)?.[REQUEST_HANDLER_KEY] ?? [];
}
