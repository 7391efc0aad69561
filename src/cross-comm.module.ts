import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CLIENTS_PROVIDERS, ClientRegistry, ClientsOptions } from './clients/index.js';
import { ConfigurableModuleClass, CROSS_COMM_OPTIONS, type OPTIONS_TYPE } from './cross-comm.module-definition.js';
import { resolveOptions, type CrossCommOptions, type ResolvedOptions } from './cross-comm.options.js';
import { DELIVERY_PROVIDERS, DeliveryOptions } from './delivery/index.js';
import { CrossCommGateway, CrossCommService, GATEWAY_PROVIDERS, GatewayOptions } from './gateway/index.js';
import { LISTENERS_PROVIDERS, ListenersOptions } from './listeners/index.js';
import { AuthOptions, Authenticator, Authorizer, SECURITY_PROVIDERS, SecurityOptions } from './security/index.js';
import { FileStorage, STORAGE_PROVIDERS, StorageOptions } from './storage/index.js';

const RESOLVED_OPTIONS = Symbol('cross-comm:resolved_options');

/** Each folder gets its own slice of the options, complete and checked. */
const OPTIONS_PROVIDERS: Provider[] = [
  { provide: RESOLVED_OPTIONS, inject: [CROSS_COMM_OPTIONS], useFactory: (options: CrossCommOptions) => resolveOptions(options) },
  { provide: ClientsOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ clients }: ResolvedOptions) => clients },
  { provide: GatewayOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ gateway }: ResolvedOptions) => gateway },
  { provide: ListenersOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ listeners }: ResolvedOptions) => listeners },
  { provide: SecurityOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ security }: ResolvedOptions) => security },
  { provide: AuthOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ auth }: ResolvedOptions) => auth },
  { provide: DeliveryOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ delivery }: ResolvedOptions) => delivery },
  { provide: StorageOptions, inject: [RESOLVED_OPTIONS], useFactory: ({ storage }: ResolvedOptions) => storage },
];

/** The hub as a Nest module; the one place that knows every folder. */
@Module({
  imports: [DiscoveryModule],
  providers: [
    ...OPTIONS_PROVIDERS,
    ...CLIENTS_PROVIDERS,
    ...SECURITY_PROVIDERS,
    ...STORAGE_PROVIDERS,
    ...LISTENERS_PROVIDERS,
    ...DELIVERY_PROVIDERS,
    ...GATEWAY_PROVIDERS,
  ],
  exports: [CrossCommService, CrossCommGateway, ClientRegistry, FileStorage, Authenticator, Authorizer],
})
export class CrossCommModule extends ConfigurableModuleClass {
  /** Without options: on the application's HTTP server, at `/`, with every default. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
