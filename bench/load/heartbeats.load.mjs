// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient } from './client.mjs';
import { envelopeText } from './dialects.mjs';
import { maskedFrame } from './masked-frame.mjs';

/** Time between two looks at whose heartbeat is due, in milliseconds. */
const TICK_MS = 20;

/**
 * Clients that say nothing but that they are there, evenly spread over time.
 *
 * @typedef {object} HeartbeatsPlan
 * @property {'heartbeats'} kind
 * @property {number} connections
 * @property {number} intervalMs between two heartbeats of one client
 * @property {number} settleMs of heartbeats before the measurement
 * @property {number} durationMs of the measurement
 */

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {HeartbeatsPlan} plan
 */
export function heartbeatsLoad(server, plan) {
  let sent = 0;
  return {
    async prepare() {
      const clients = await LoadClient.openMany(server, { first: 0, count: plan.connections });
      const startMs = performance.now();
      setInterval(() => {
        const due = ((performance.now() - startMs) / plan.intervalMs) * clients.length;
        while (sent < due) beat(server, /** @type {LoadClient} */ (clients[sent++ % clients.length]));
      }, TICK_MS);
      await sleep(plan.settleMs);
    },
    async run() {
      const before = sent;
      const start = performance.now();
      await sleep(plan.durationMs);
      return { elapsedMs: performance.now() - start, count: sent - before };
    },
    verify() {
      const due = (plan.durationMs / plan.intervalMs) * plan.connections;
      if (sent < due) throw new Error(`Only ${sent} of ${due} heartbeats were sent.`);
      // a connection that was closed has ended this process by now
    },
  };
}

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {LoadClient} client
 */
function beat({ dialect }, client) {
  client.write(maskedFrame(Buffer.from(dialect.wrap('heartbeat', envelopeText({ from: client.id, to: 'server', type: 'heartbeat', content: {} })))));
}
