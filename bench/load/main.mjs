// @ts-check
import { answerParent } from '../process/answer-parent.mjs';
import { connectionsLoad } from './connections.load.mjs';
import { dialectOf } from './dialects.mjs';
import { pingPongLoad } from './ping-pong.load.mjs';
import { relayLoad } from './relay.load.mjs';

// The load process: told by its argument whom to load and how.

/** @typedef {import('./relay.load.mjs').RelayPlan | import('./ping-pong.load.mjs').PingPongPlan | import('./connections.load.mjs').ConnectionsPlan} Plan */

/**
 * What a run did. Latencies only where they are measured.
 *
 * @typedef {object} LoadResult
 * @property {number} elapsedMs
 * @property {number} count deliveries, or connections
 * @property {number} [p50Us]
 * @property {number} [p99Us]
 */

const { port, dialect, plan } = /** @type {{ port: number, dialect: import('./dialects.mjs').DialectName, plan: Plan }} */ (
  JSON.parse(process.argv[2] ?? '')
);
const load = createLoad({ port, dialect: dialectOf(dialect) });
answerParent({ prepare: () => load.prepare(), run: () => load.run(), verify: () => load.verify() });

/** @param {import('./client.mjs').ServerAddress} server */
function createLoad(server) {
  switch (plan.kind) {
    case 'relay':
      return relayLoad(server, plan);
    case 'ping-pong':
      return pingPongLoad(server, plan);
    case 'connections':
      return connectionsLoad(server, plan);
  }
}
