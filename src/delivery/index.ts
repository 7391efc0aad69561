export { MessageHub, type RouteResult } from './message-hub.service.js';
export { DELIVERY_PROVIDERS } from './delivery.providers.js';
