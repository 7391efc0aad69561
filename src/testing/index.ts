export { startTestHub, type TestHub, type TestHubOptions } from './start-test-hub.js';
