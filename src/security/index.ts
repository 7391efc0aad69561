export { isOriginAllowed } from './origin-policy.js';
