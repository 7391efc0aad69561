export { DeadLetters, type DeadLetter, type DeadLetterReason } from './dead-letters.js';
export { DeliveryOptions } from './delivery.options.js';
export { DELIVERY_PROVIDERS } from './delivery.providers.js';
export { DurableDelivery, type OnRouted } from './durable-delivery.service.js';
export { Mailboxes } from './mailboxes.service.js';
export { MessageHub, type RouteResult } from './message-hub.service.js';
export { MailStore, type StoreStats } from './store/index.js';
