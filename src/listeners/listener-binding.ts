import type { ExternalContextCreator } from '@nestjs/core';
import { directCall, type ListenerParameter } from './direct-call.js';
import type { ListenerPlace } from './listener-enhancers.js';
import { ListenerParamsFactory, ROUTE_ARGUMENTS } from './listener-params.factory.js';
import type { ListenerHandle } from './listener.registry.js';

/** The parts of Nest's creator that find the enhancers of a method: at the method, its class and globally. */
const ENHANCER_CREATORS = ['guardsContextCreator', 'interceptorsContextCreator', 'pipesContextCreator', 'filtersContextCreator'] as const;

/** A method as Nest runs it. */
export type NestHandler = (...args: unknown[]) => Promise<unknown>;

/** What Nest found for a method. Where a Nest is built otherwise nothing comes in, and the method runs through Nest. */
interface Findings {
  /** By the creator that found them: a list; for filters, an object that holds one. */
  readonly enhancers: Map<string, unknown>;
  parameters: readonly ListenerParameter[];
}

/** Parts of Nest's creator that its types keep private. */
interface CreatorInside extends Readonly<Partial<Record<(typeof ENHANCER_CREATORS)[number], { create?: (...args: unknown[]) => unknown }>>> {
  createPipesFn?(pipes: unknown, parameters: readonly ListenerParameter[]): unknown;
}

/**
 * Makes the function that runs a listener: through Nest, with all its guards, interceptors, pipes and filters; or, for
 * a listener that has none of them, directly.
 */
export function bindListener(creator: ExternalContextCreator, place: ListenerPlace): ListenerHandle['invoke'] {
  const found: Findings = { enhancers: new Map(), parameters: [] };
  const handler = bindThroughNest(creator, place, found);
  const direct = ENHANCER_CREATORS.every((name) => hasNone(found, name)) ? directCall(place, found.parameters) : undefined;
  if (direct !== undefined) return direct;
  return async (...args) => {
    // Nest has run what the method returned to its end; what came out is nobody's
    await handler(...args);
  };
}

/**
 * Makes the function that runs a method through Nest and resolves with what it returns; of an Observable, the last value.
 * @param found is given what Nest finds for the method
 */
export function bindThroughNest(
  creator: ExternalContextCreator,
  place: ListenerPlace,
  found: Findings = { enhancers: new Map(), parameters: [] },
): NestHandler {
  const ofPlace = creatorFor(creator, place, found);
  const throughNest = (filters: boolean): NestHandler =>
    ofPlace.create(
      place.instance,
      place.method,
      place.methodName,
      ROUTE_ARGUMENTS,
      new ListenerParamsFactory(),
      undefined,
      undefined,
      { guards: true, interceptors: true, filters },
      'ws',
    ) as NestHandler;
  const withFilters = throughNest(true);
  // without filters Nest would only log what its caller logs anyway
  return hasNone(found, 'filtersContextCreator') ? throughNest(false) : withFilters;
}

function hasNone({ enhancers }: Findings, name: string): boolean {
  return isEmptyList(enhancers.get(name));
}

/**
 * Nest looks for the module of a handler, and so for its guards, among providers only: without being told, it would
 * silently skip every guard class on a controller, and confuse two modules that provide the same class.
 *
 * @param found is given what Nest finds for the method while it binds it
 */
function creatorFor(creator: ExternalContextCreator, { module }: ListenerPlace, found: Findings): ExternalContextCreator {
  const inside = creator as unknown as CreatorInside;
  const told: PropertyDescriptorMap = {};
  for (const name of ENHANCER_CREATORS) {
    const original = inside[name];
    const create = (...args: unknown[]): unknown => {
      const enhancers = original?.create?.(...args);
      found.enhancers.set(name, enhancers);
      return enhancers;
    };
    if (typeof original?.create === 'function') told[name] = { value: Object.create(original, { create: { value: create } }) as unknown };
  }
  told['createPipesFn'] = {
    value(this: ExternalContextCreator, pipes: unknown, parameters: readonly ListenerParameter[]): unknown {
      found.parameters = parameters;
      return inside.createPipesFn?.call(this, pipes, parameters);
    },
  };
  if (module !== undefined) {
    const value = (): string => module.token;
    told['getContextModuleKey'] = { value };
    told['getHostModuleKey'] = { value };
  }
  return Object.create(creator, told) as ExternalContextCreator;
}

function isEmptyList(enhancers: unknown): boolean {
  const list = Array.isArray(enhancers) ? (enhancers as unknown[]) : (enhancers as { readonly filters?: unknown } | undefined)?.filters;
  return Array.isArray(list) && list.length === 0;
}
