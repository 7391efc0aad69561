// @ts-check
import { EXTRA_WORKLOADS } from './extra-workloads.mjs';
import { DELIVERY, LATENCY, LOGIN, MEMORY } from './figures.mjs';

/**
 * One thing that is measured.
 *
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} title
 * @property {(isQuick: boolean) => import('./load/main.mjs').Plan} plan
 * @property {readonly import('./figures.mjs').Figure[]} figures the first is the main one
 * @property {boolean} [collectsGarbage] whether the server collects its garbage before it tells its memory
 * @property {readonly Contender[]} [contenders] who is compared, in place of the sides; the first is the yardstick
 * @property {boolean} [isPinned] whether the server has one core for itself; default true. The disk is the work of other threads
 * @property {number} [maxRounds] for what takes long and repeats well
 * @property {(measured: import('./figures.mjs').Measured, contender: Contender) => void} [check] throws when the server did
 *   not do the work
 */

/**
 * One of those compared: a server, and what it and the load process are told beyond the plan.
 *
 * @typedef {object} Contender
 * @property {string} name
 * @property {string} file of the server
 * @property {import('./load/dialects.mjs').DialectName} dialect
 * @property {import('./sides/serve.mjs').ServerArgument} [argument] for the server
 * @property {object} [plan] what differs from the plan of the workload
 */

/**
 * @param {Omit<import('./load/relay.load.mjs').RelayPlan, 'kind' | 'alphabet' | 'contentBytes'>
 *   & Partial<import('./load/relay.load.mjs').RelayPlan>} given
 * @returns {(isQuick: boolean) => import('./load/relay.load.mjs').RelayPlan}
 */
const relay = (given) => (isQuick) => ({
  kind: 'relay',
  alphabet: 'ascii',
  contentBytes: 128,
  ...given,
  messages: Math.ceil(given.messages / (isQuick ? 5 : 1)),
});

const DIRECT = { senders: 1, receivers: 1, window: 64 };

/** @type {readonly Workload[]} */
const WORKLOADS = [
  {
    name: 'direct-128',
    title: 'direct, 128 B, 64 in flight',
    plan: relay({ ...DIRECT, warmUp: 30_000, messages: 150_000 }),
    figures: DELIVERY,
  },
  {
    name: 'direct-4k-ascii',
    title: 'direct, 4 KiB ASCII, 64 in flight',
    plan: relay({ ...DIRECT, contentBytes: 4_096, warmUp: 15_000, messages: 75_000 }),
    figures: DELIVERY,
  },
  {
    name: 'direct-4k-cjk',
    title: 'direct, 4 KiB CJK, 64 in flight',
    plan: relay({ ...DIRECT, contentBytes: 4_096, alphabet: 'cjk', warmUp: 10_000, messages: 45_000 }),
    figures: DELIVERY,
  },
  {
    name: 'pairs-50',
    title: '50 pairs, 128 B, 8 in flight each',
    plan: relay({ senders: 50, receivers: 1, window: 8, warmUp: 500, messages: 3_000 }),
    figures: DELIVERY,
  },
  {
    name: 'broadcast-100',
    title: 'broadcast 1 to 100, 8 in flight',
    plan: relay({ senders: 1, receivers: 100, window: 8, warmUp: 500, messages: 4_500 }),
    figures: DELIVERY,
  },
  {
    name: 'broadcast-1000',
    title: 'broadcast 1 to 1,000, 8 in flight',
    plan: relay({ senders: 1, receivers: 1_000, window: 8, warmUp: 60, messages: 450 }),
    figures: DELIVERY,
  },
  {
    name: 'broadcast-1000-single',
    title: 'broadcast 1 to 1,000, one at a time',
    plan: relay({ senders: 1, receivers: 1_000, window: 1, warmUp: 30, messages: 250 }),
    figures: DELIVERY,
  },
  {
    name: 'ping-pong',
    title: 'ping-pong between two clients, 128 B',
    plan: (isQuick) => ({ kind: 'ping-pong', contentBytes: 128, warmUp: isQuick ? 1_500 : 3_000, trips: isQuick ? 2_500 : 15_000 }),
    figures: LATENCY,
  },
  {
    name: 'idle-memory',
    title: 'memory of idle logged-in connections',
    plan: (isQuick) => ({ kind: 'connections', warmUp: 200, connections: isQuick ? 1_500 : 5_000, isSettled: true }),
    figures: MEMORY,
    collectsGarbage: true,
  },
  {
    name: 'logins',
    title: 'connect and log in',
    plan: (isQuick) => ({ kind: 'connections', warmUp: isQuick ? 500 : 1_000, connections: isQuick ? 800 : 4_000, isSettled: false }),
    figures: LOGIN,
  },
];

/** All there are. */
export const ALL_WORKLOADS = [...WORKLOADS, ...EXTRA_WORKLOADS];

/**
 * @param {{ only: readonly string[], isQuick: boolean }} options `only`: beginnings of names; empty for all, quick runs
 *   being without the extra ones
 * @returns {readonly Workload[]}
 * @throws {Error} when a beginning fits nothing
 */
export function chooseWorkloads({ only, isQuick }) {
  const lost = only.find((start) => !ALL_WORKLOADS.some(({ name }) => name.startsWith(start)));
  if (lost !== undefined) throw new Error(`No workload begins with "${lost}"; there are ${ALL_WORKLOADS.map(({ name }) => name).join(', ')}.`);
  if (only.length === 0) return isQuick ? WORKLOADS : ALL_WORKLOADS;
  return ALL_WORKLOADS.filter(({ name }) => only.some((start) => name.startsWith(start)));
}
