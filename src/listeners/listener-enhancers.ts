import type { DiscoveryService } from '@nestjs/core';
import { ROUTE_ARGUMENTS } from './listener-params.factory.js';

/** Where Nest keeps what `@UseGuards`, `@UseInterceptors`, `@UsePipes` and `@UseFilters` were given. */
const ENHANCER_KEYS = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];

const GLOBAL_TOKEN = /^APP_(GUARD|INTERCEPTOR|PIPE|FILTER)\b/;

type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** The method of a listener, in its module. */
export interface ListenerPlace {
  readonly instance: object;
  readonly methodName: string;
  readonly method: (...args: unknown[]) => unknown;
  readonly module: InstanceWrapper['host'];
}

/**
 * Finds a guard, interceptor, pipe or filter that is given as a class and that Nest would silently leave out, since it
 * makes them only for classes that stand in `providers` or `controllers` themselves.
 * @returns its name; undefined when all will run
 */
export function findUnresolvedEnhancer({ instance, methodName, method, module }: ListenerPlace): string | undefined {
  if (module === undefined) return undefined;
  const owner = instance.constructor;
  const ofParameters = Object.values((Reflect.getMetadata(ROUTE_ARGUMENTS, owner, methodName) ?? {}) as Record<string, { pipes?: unknown[] }>);
  const enhancers = [
    ...ENHANCER_KEYS.flatMap((key) => [owner, method].flatMap((target) => (Reflect.getMetadata(key, target) ?? []) as unknown[])),
    ...ofParameters.flatMap(({ pipes }) => pipes ?? []),
  ];
  const missing = enhancers.find((enhancer) => typeof enhancer === 'function' && !module.injectables.has(enhancer));
  return typeof missing === 'function' ? missing.name : undefined;
}

/**
 * Finds a global guard, interceptor, pipe or filter (`APP_GUARD` and so on) that is made per request. Listeners have no
 * request, so Nest would silently run them without it.
 * @returns its name; undefined when all will run
 */
export function findRequestScopedGlobal(providers: readonly InstanceWrapper[]): string | undefined {
  const modules = new Set(providers.map(({ host }) => host));
  const candidates = [...modules].flatMap((module) => [...(module?.providers.entries() ?? []), ...(module?.injectables.entries() ?? [])]);
  const scoped = candidates.find(([token, wrapper]) => GLOBAL_TOKEN.test(String(token)) && !wrapper.isDependencyTreeStatic());
  return scoped === undefined ? undefined : String(scoped[1].name);
}
