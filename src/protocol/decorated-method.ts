import { CrossCommError } from './cross-comm.error.js';

/** What a method decorator was put on. */
export interface DecoratedMethod {
  readonly method: object;
  /** Decorator, class and method, for errors' texts. */
  readonly name: string;
}

/**
 * Reads the arguments of a method decorator, TypeScript's (`experimentalDecorators`) or standard ones.
 * @param decorator its name, e.g. `@MessageListener`
 * @throws CrossCommError `CC_INVALID_LISTENER` when it stands on anything but a method that can be called from outside
 */
export function decoratedMethod(decorator: string, target: unknown, context: unknown, descriptor?: PropertyDescriptor): DecoratedMethod {
  const method: unknown = descriptor ? descriptor.value : target;
  const name = `${decorator} on ${describe(target, context)}`;
  const { kind, static: isStatic, private: isPrivate } = (typeof context === 'object' && context !== null ? context : {}) as Record<string, unknown>;
  if (typeof method !== 'function' || context === undefined || kind === 'class')
    throw new CrossCommError('CC_INVALID_LISTENER', `${name} is not a method; ${decorator} stands on methods only.`);
  if (isStatic === true || isPrivate === true || (descriptor !== undefined && typeof target === 'function'))
    throw new CrossCommError('CC_INVALID_LISTENER', `${name} is static or #private and would never be called; use a method of the instance.`);
  return { method, name };
}

function describe(target: unknown, context: unknown): string {
  if (typeof context === 'object' && context !== null && 'name' in context) return String(context.name);
  const owner = typeof target === 'function' ? target.name : (target as object | null)?.constructor?.name;
  const method = typeof context === 'string' || typeof context === 'symbol' ? `.${String(context)}` : '';
  return `${owner ?? 'a class'}${method}`;
}
