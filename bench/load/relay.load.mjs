// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient } from './client.mjs';
import { Flow } from './flow.mjs';
import { SlowReceiver } from './slow-receiver.mjs';

/** Time in which a delivery too many would show up, in milliseconds. */
const STRAGGLER_MS = 20;

/**
 * Senders and receivers, a fixed number of messages in flight each.
 *
 * @typedef {object} RelayPlan
 * @property {'relay'} kind
 * @property {number} senders
 * @property {number} receivers per sender; with more than one, the messages go to everybody
 * @property {number} window messages of one sender in flight
 * @property {'ascii' | 'cjk'} alphabet
 * @property {number} contentBytes
 * @property {number} warmUp messages of each sender before the measurement
 * @property {number} messages of each sender that are measured
 * @property {number} [idle] clients that are logged in and get nothing; default 0
 * @property {number} [slow] clients that get what is for all but do not read; default 0
 */

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {RelayPlan} plan
 */
export function relayLoad(server, plan) {
  /** @type {Flow[]} */
  let flows = [];
  /** @type {SlowReceiver[]} */
  let slow = [];
  const run = async (/** @type {number} */ messages) => {
    await Promise.all(flows.map((flow) => flow.run(messages)));
  };
  return {
    async prepare() {
      const group = 1 + plan.receivers;
      const count = plan.senders * group;
      const { idle = 0, slow: slowCount = 0 } = plan;
      const clients = await LoadClient.openMany(server, { first: 0, count });
      await LoadClient.openMany(server, { first: count, count: idle });
      slow = (await LoadClient.openMany(server, { first: count + idle, count: slowCount })).map((client) => new SlowReceiver(client));
      flows = Array.from({ length: plan.senders }, (_, i) => {
        const [sender, ...receivers] = /** @type {[LoadClient, ...LoadClient[]]} */ (clients.slice(i * group, (i + 1) * group));
        const to = receivers.length === 1 ? /** @type {LoadClient} */ (receivers[0]).id : 'all';
        return new Flow(server.dialect, { sender, receivers, to, content: contentOf(plan), window: plan.window });
      });
      await run(plan.warmUp);
    },
    async run() {
      const start = performance.now();
      await run(plan.messages);
      return { elapsedMs: performance.now() - start, count: plan.senders * plan.messages * plan.receivers };
    },
    async verify() {
      await sleep(STRAGGLER_MS);
      for (const flow of flows) flow.verify();
      await Promise.all(slow.map((receiver) => receiver.verify()));
    },
  };
}

/**
 * @param {Pick<RelayPlan, 'alphabet' | 'contentBytes'>} plan
 * @returns {string}
 */
export function contentOf({ alphabet, contentBytes }) {
  const sample = alphabet === 'ascii' ? 'The quick brown fox jumps over the lazy dog. 0123456789 ' : '千里之行始于足下合抱之木生于毫末';
  let text = '';
  while (Buffer.byteLength(text) < contentBytes) text += sample;
  const cut = Buffer.from(text).subarray(0, contentBytes).toString('utf8');
  return cut.replace(/\uFFFD+$/, '');
}
