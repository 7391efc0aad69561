// @ts-check
import { answerParent } from '../process/answer-parent.mjs';
import { startProfile, writeProfile } from '../process/profiler.mjs';
import { clientPairLoad } from './client-pair.load.mjs';
import { connectionsLoad } from './connections.load.mjs';
import { dialectOf } from './dialects.mjs';
import { durableLoad } from './durable.load.mjs';
import { heartbeatsLoad } from './heartbeats.load.mjs';
import { pingPongLoad } from './ping-pong.load.mjs';
import { relayLoad } from './relay.load.mjs';

// The load process: told by its argument whom to load and how.

/**
 * @typedef {import('./relay.load.mjs').RelayPlan | import('./ping-pong.load.mjs').PingPongPlan
 *   | import('./connections.load.mjs').ConnectionsPlan | import('./client-pair.load.mjs').ClientPairPlan
 *   | import('./heartbeats.load.mjs').HeartbeatsPlan | import('./durable.load.mjs').DurablePlan} Plan
 */

/**
 * What a run did. Some figures only where they are measured.
 *
 * @typedef {object} LoadResult
 * @property {number} elapsedMs
 * @property {number} count deliveries, connections or messages
 * @property {number} [p50Us]
 * @property {number} [p99Us]
 * @property {number} [ownCpuUs] CPU time of the load process, in microseconds
 */

/**
 * What the load process is told.
 *
 * @typedef {object} LoadArgument
 * @property {import('./dialects.mjs').DialectName} dialect
 * @property {Plan} plan
 * @property {string} [profileFile]
 */

const { dialect, plan, profileFile } = /** @type {LoadArgument} */ (JSON.parse(process.argv[2] ?? ''));
/** @type {ReturnType<typeof createLoad>} */
let load;
answerParent({ prepare, run, verify: () => load.verify() });

/** @param {number} port of the server, which may not have been there yet when this process was started */
function prepare(port) {
  load = createLoad({ port, dialect: dialectOf(dialect) });
  return load.prepare();
}

async function run() {
  if (profileFile === undefined) return load.run();
  await startProfile();
  const result = await load.run();
  await writeProfile(profileFile);
  return result;
}

/** @param {import('./client.mjs').ServerAddress} server */
function createLoad(server) {
  switch (plan.kind) {
    case 'relay':
      return relayLoad(server, plan);
    case 'ping-pong':
      return pingPongLoad(server, plan);
    case 'connections':
      return connectionsLoad(server, plan);
    case 'client-pair':
      return clientPairLoad(server, plan);
    case 'durable':
      return durableLoad(server, plan);
    case 'heartbeats':
      return heartbeatsLoad(server, plan);
  }
}
