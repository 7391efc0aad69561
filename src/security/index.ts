export { ConnectionLimit, type ConnectionRefusal } from './connection-limit.js';
export { LoginRate } from './login-rate.js';
export { MessageRate, type RateAccount } from './message-rate.js';
export { isOriginAllowed } from './origin-policy.js';
export { Refusals, type RefusalKind } from './refusals.js';
export { SecurityOptions } from './security.options.js';
export { SECURITY_PROVIDERS } from './security.providers.js';
