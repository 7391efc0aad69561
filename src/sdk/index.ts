/** `cross-comm/sdk` for browsers: no Node module and no npm package behind it. */
export { CrossCommClient } from './cross-comm-client.browser.js';
export * from './public-api.js';
