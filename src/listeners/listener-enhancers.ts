import type { DiscoveryService } from '@nestjs/core';
import { ROUTE_ARGUMENTS } from './listener-params.factory.js';

/** Where Nest keeps what `@UseGuards`, `@UseInterceptors`, `@UsePipes` and `@UseFilters` were given. */
const ENHANCER_KEYS = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];

/** The method of a listener, in its module. */
export interface ListenerPlace {
  readonly instance: object;
  readonly methodName: string;
  readonly module: ReturnType<DiscoveryService['getProviders']>[number]['host'];
}

/**
 * Finds a guard, interceptor, pipe or filter that is given as a class and that Nest would silently leave out, since it
 * makes them only for classes that stand in `providers` or `controllers` themselves.
 * @returns its name; undefined when all will run
 */
export function findUnresolvedEnhancer({ instance, methodName, module }: ListenerPlace): string | undefined {
  if (module === undefined) return undefined;
  const owner = instance.constructor;
  const method = (instance as Record<string, unknown>)[methodName] as object;
  const ofParameters = Object.values((Reflect.getMetadata(ROUTE_ARGUMENTS, owner, methodName) ?? {}) as Record<string, { pipes?: unknown[] }>);
  const enhancers = [
    ...ENHANCER_KEYS.flatMap((key) => [owner, method].flatMap((target) => (Reflect.getMetadata(key, target) ?? []) as unknown[])),
    ...ofParameters.flatMap(({ pipes }) => pipes ?? []),
  ];
  const missing = enhancers.find((enhancer) => typeof enhancer === 'function' && !module.injectables.has(enhancer));
  return typeof missing === 'function' ? missing.name : undefined;
}
