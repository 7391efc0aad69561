import { Consumer } from './consumer.js';
import { newFaultClient } from './fault-client.js';
import { History } from './history.js';
import { Producer, type Traffic } from './producer.js';
import { SeededRandom } from './random.js';

/*
 * A client in a process of its own, to be frozen and let go again: a consumer, and a producer too when it is given
 * traffic. What to do stands as JSON in the first argument; "stop" from its parent ends the sending.
 */

/** What a client process is to do. */
export interface ClientTask {
  readonly clientId: string;
  readonly url: string;
  readonly historyPath: string;
  readonly seed: number;
  readonly traffic?: Traffic;
}

/** What it tells: it is online, or it has stopped sending and everything it sent is answered. */
export type ClientReport = 'online' | 'settled';

const { clientId, url, historyPath, seed, traffic } = JSON.parse(process.argv[2] ?? '') as ClientTask;
const history = new History(historyPath);
const client = newFaultClient({ clientId, url });
Consumer.on(client, clientId, history);
const producer = new Producer(client, clientId, history, new SeededRandom(seed));
await client.login({ keepTrying: true });
if (traffic !== undefined) producer.start(traffic);
const report = (what: ClientReport): boolean | undefined => process.send?.(what);
report('online');
process.on('message', (command) => {
  if (command === 'stop') void settle();
});

async function settle(): Promise<void> {
  await producer.stop();
  while (producer.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  report('settled');
}
