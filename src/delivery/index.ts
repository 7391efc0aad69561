export { MessageHub, type RouteResult } from './message-hub.service.js';
export { DeliveryOptions } from './delivery.options.js';
export { DELIVERY_PROVIDERS } from './delivery.providers.js';
