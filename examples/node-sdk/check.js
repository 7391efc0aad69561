import { strictEqual } from 'node:assert';
import { startTestHub } from 'cross-comm/testing';
import { exchange } from './exchange.js';

// Runs the exchange against a hub on a free port.
const watchdog = setTimeout(() => {
  console.error('node-sdk: no answer within 20 s');
  process.exit(1);
}, 20_000);
const hub = await startTestHub();
try {
  const { greeting, answer } = await exchange(hub.url);
  strictEqual(greeting, 'hi');
  strictEqual(answer, 'hi');
} finally {
  await hub.close();
}
clearTimeout(watchdog);
console.log('node-sdk: ok');
