// @ts-check
import { openSdkPair } from './sdk-pair.mjs';
import { openPlainPair } from './plain-pair.mjs';
import { contentOf } from './relay.load.mjs';

/**
 * Real clients, one that sends and one that receives, both in this process: here they are what is measured.
 *
 * @typedef {object} ClientPairPlan
 * @property {'client-pair'} kind
 * @property {'sdk' | 'ws'} client
 * @property {number} contentBytes
 * @property {number} window messages in flight
 * @property {number} warmUp messages before the measurement
 * @property {number} messages that are measured
 */

/**
 * Opens a sender and a receiver.
 *
 * @typedef {(port: number, onContent: (content: string) => void) => Promise<(content: string) => void>} OpenPair gives the
 *   function that sends
 */

const SEQUENCE_DIGITS = 8;

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {ClientPairPlan} plan
 */
export function clientPairLoad({ port }, plan) {
  const rest = contentOf({ alphabet: 'ascii', contentBytes: plan.contentBytes - SEQUENCE_DIGITS });
  const textOf = (/** @type {number} */ sequence) => String(sequence).padStart(SEQUENCE_DIGITS, '0') + rest;
  let sent = 0;
  let received = 0;
  let due = 0;
  /** @type {() => void} */
  let done = () => {};
  /** @type {(content: string) => void} */
  let send;
  const onContent = (/** @type {string} */ content) => {
    if (content !== textOf(received)) throw new Error(`"${content}" arrived where message ${received} was due.`);
    if (++received === due) done();
    else if (sent < due) send(textOf(sent++));
  };
  const exchange = (/** @type {number} */ messages) =>
    new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      done = resolve;
      due += messages;
      for (let i = 0; i < Math.min(plan.window, messages); i++) send(textOf(sent++));
    });
  return {
    async prepare() {
      send = await (plan.client === 'sdk' ? openSdkPair : openPlainPair)(port, onContent);
      await exchange(plan.warmUp);
    },
    async run() {
      const before = process.cpuUsage();
      const start = performance.now();
      await exchange(plan.messages);
      const elapsedMs = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      return { elapsedMs, count: plan.messages, ownCpuUs: user + system };
    },
    verify() {
      if (received !== due) throw new Error(`${received} of ${due} messages arrived.`);
    },
  };
}
