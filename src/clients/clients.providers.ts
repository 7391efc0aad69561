import type { Provider } from '@nestjs/common';
import { ClientRegistry } from './client-registry.service.js';
import { ClientsOptions } from './clients.options.js';
import { HeartbeatService } from './heartbeat.service.js';
import { NoPresenceStore, PresenceStore } from './presence-store.js';
import { YamlPresenceStore } from './yaml.presence-store.js';

/** Everything of this folder that is injected; `ClientsOptions` is provided by the module. */
export const CLIENTS_PROVIDERS: Provider[] = [
  {
    provide: PresenceStore,
    inject: [ClientsOptions],
    useFactory: (options: ClientsOptions): PresenceStore =>
      options.persistPresence ? new YamlPresenceStore(options.dataDir, options.presenceDebounceMs) : new NoPresenceStore(),
  },
  ClientRegistry,
  HeartbeatService,
];
