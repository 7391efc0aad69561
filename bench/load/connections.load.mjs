// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient } from './client.mjs';

/** Time for the server to notice that the warm-up's connections are gone, and to let go of them, in milliseconds. */
const SETTLE_MS = 700;

/**
 * Clients that connect, log in and stay.
 *
 * @typedef {object} ConnectionsPlan
 * @property {'connections'} kind
 * @property {number} warmUp connections that are opened and closed before the measurement
 * @property {number} connections that are measured
 * @property {boolean} isSettled whether to wait afterwards, for what only the login needed to be let go
 */

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {ConnectionsPlan} plan
 */
export function connectionsLoad(server, plan) {
  return {
    async prepare() {
      for (const client of await LoadClient.openMany(server, { first: 0, count: plan.warmUp })) client.close();
      await sleep(SETTLE_MS);
    },
    async run() {
      const start = performance.now();
      await LoadClient.openMany(server, { first: plan.warmUp, count: plan.connections });
      const elapsedMs = performance.now() - start;
      if (plan.isSettled) await sleep(SETTLE_MS);
      return { elapsedMs, count: plan.connections };
    },
    verify() {
      // a connection that is lost or refused has ended this process by now
    },
  };
}
