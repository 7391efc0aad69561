export type { ClientEvent, LeaveReason } from './client-event.js';
export { ClientRegistry, type ClientInfo } from './client-registry.service.js';
export { ClientsOptions } from './clients.options.js';
export { CLIENTS_PROVIDERS } from './clients.providers.js';
export { ConnectedClient } from './connected-client.js';
export { Connection, type SendOutcome } from './connection.js';
export { HeartbeatService } from './heartbeat.service.js';
export { OutboundMessage } from './outbound-message.js';
export { PresenceStore, type PresenceRecord } from './presence-store.js';
