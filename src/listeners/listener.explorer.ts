import 'reflect-metadata';
import { Injectable, Logger } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';
import { CrossCommError, readListenerFilters, readRequestActions, roleOf, type ListenerFilter } from '../protocol/index.js';
import { bindListener, bindThroughNest } from './listener-binding.js';
import { findRequestScopedGlobal, findUnresolvedEnhancer, type ListenerPlace } from './listener-enhancers.js';
import { bareParameters, ROUTE_ARGUMENTS } from './listener-params.factory.js';
import { ListenerRegistry } from './listener.registry.js';
import { RequestHandlerRegistry } from './request-handler.registry.js';

/** What discovery yields; named from the method, because Nest keeps the class internal. */
type InstanceWrapper = ReturnType<DiscoveryService['getProviders']>[number];

/**
 * Finds `@MessageListener` and `@RequestHandler` methods on providers and controllers when the application starts, and
 * binds each through Nest's own machinery, so that guards, pipes, interceptors and filters work as on any handler
 * (context type `ws`).
 */
@Injectable()
export class ListenerExplorer {
  readonly #logger = new Logger(ListenerExplorer.name);

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly contextCreator: ExternalContextCreator,
    private readonly registry: ListenerRegistry,
    private readonly requestHandlers: RequestHandlerRegistry,
  ) {}

  /** @throws CrossCommError `CC_INVALID_LISTENER` for listeners and handlers that could never run */
  explore(): void {
    const seen = new Set<object>();
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()];
    // where a factory hands on an instance that Nest made of its class, the class comes first: its module has the guards
    const classesFirst = [...wrappers.filter(({ isNotMetatype }) => !isNotMetatype), ...wrappers.filter(({ isNotMetatype }) => isNotMetatype)];
    for (const wrapper of classesFirst) {
      const { instance } = wrapper as { instance: unknown };
      const prototype = prototypeOf(wrapper);
      if (prototype === undefined || wrapper.isAlias) continue;
      const methods = this.scanner.getAllMethodNames(prototype).filter((name) => isMarked(methodOf(prototype, name)));
      if (methods.length === 0) continue;
      // a transient provider has no instance of its own here, only an empty shell whose constructor never ran
      if (wrapper.isTransient || !wrapper.isDependencyTreeStatic())
        throw new CrossCommError(
          'CC_INVALID_LISTENER',
          `${String(wrapper.name)}.${methods[0]} is a ${kindOf(methodOf(prototype, methods[0] ?? ''))} in a provider that is request-scoped, transient or depends on a request, and there is no request; make the provider and all it uses singletons.`,
        );
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
      seen.add(instance);
      for (const method of methods) this.#bind(instance, method, wrapper);
    }
    if (seen.size > 0) this.#assertGlobalsRun();
  }

  #assertGlobalsRun(): void {
    const name = findRequestScopedGlobal(this.discovery.getProviders());
    if (name !== undefined)
      throw new CrossCommError(
        'CC_INVALID_LISTENER',
        `The global ${name} is request-scoped and would not run for listeners, which have no request; make it and all it uses singletons.`,
      );
  }

  #bind(instance: object, methodName: string, { host }: InstanceWrapper): void {
    const name = `${instance.constructor.name}.${methodName}`;
    const method = methodOf(instance, methodName) as ListenerPlace['method'];
    const place: ListenerPlace = { instance, methodName, method, module: host };
    const filters = readListenerFilters(method);
    assertCanRun(name, filters);
    decorateBareParameters(place, filters.length > 0 ? 'client' : 'context');
    const enhancer = findUnresolvedEnhancer(place);
    if (enhancer !== undefined)
      throw new CrossCommError(
        'CC_INVALID_LISTENER',
        `${name} uses ${enhancer}, which would not run, because Nest has not made it for a provider by useFactory, useValue or useClass; list ${instance.constructor.name} itself in providers, or give an instance of ${enhancer}.`,
      );
    if (filters.length > 0) this.#bindListener(name, place, filters);
    for (const action of readRequestActions(method)) this.#bindHandler(name, place, action);
  }

  #bindListener(name: string, place: ListenerPlace, filters: readonly ListenerFilter[]): void {
    const invoke = bindListener(this.contextCreator, place);
    this.registry.add({ name, filters, invoke });
    const types = filters.map((filter) => [...(filter.msgTypes ?? ['all types'])].join(', ')).join(' | ');
    this.#logger.log(`Listening: ${name} (${types})`);
  }

  #bindHandler(name: string, place: ListenerPlace, action: string): void {
    this.requestHandlers.add(action, { name, invoke: bindThroughNest(this.contextCreator, place) });
    this.#logger.log(`Answering requests: ${name} (${action})`);
  }
}

function kindOf(method: unknown): string {
  return readListenerFilters(method).length > 0 ? 'listener' : 'handler of requests';
}

function isMarked(method: unknown): boolean {
  return readListenerFilters(method).length > 0 || readRequestActions(method).length > 0;
}

/** Logins, heartbeats and the like are the hub's own business and never reach a listener. */
function assertCanRun(name: string, filters: readonly ListenerFilter[]): void {
  const wrong = filters.flatMap(({ msgTypes }) => [...(msgTypes ?? [])]).find((type) => roleOf(type) !== 'user');
  if (wrong !== undefined)
    throw new CrossCommError(
      'CC_INVALID_LISTENER',
      `${name} listens for "${wrong}", which the hub handles itself; use the clientEvents of CrossCommService for clients that come and go.`,
    );
}

/**
 * Without parameter decorators a listener is called as `method(message, client)`, as a Python listener would expect, and
 * a handler of requests as `method(data, context)`, as in the SDK.
 */
function decorateBareParameters({ instance, methodName }: ListenerPlace, second: 'client' | 'context'): void {
  const owner = instance.constructor;
  if (Reflect.getMetadata(ROUTE_ARGUMENTS, owner, methodName) !== undefined) return;
  Reflect.defineMetadata(ROUTE_ARGUMENTS, bareParameters(second), owner, methodName);
}

function prototypeOf(wrapper: InstanceWrapper): object | undefined {
  const { instance, metatype } = wrapper as { instance: unknown; metatype: unknown };
  if (typeof instance === 'object' && instance !== null) return Object.getPrototypeOf(instance) as object | undefined ?? undefined;
  // a request-scoped provider has no instance yet, but its class tells whether it listens
  return typeof metatype === 'function' && metatype.prototype instanceof Object ? (metatype.prototype as object) : undefined;
}

function methodOf(target: object, name: string): unknown {
  // a getter may fail outside a real instance; listeners are methods, so getters are not touched
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name);
    if (descriptor !== undefined) return descriptor.value;
  }
  return undefined;
}
