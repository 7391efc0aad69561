// @ts-check

/**
 * One thing that is measured.
 *
 * @typedef {object} Workload
 * @property {string} name
 * @property {string} title
 * @property {(isQuick: boolean) => import('./load/main.mjs').Plan} plan
 * @property {readonly Figure[]} figures the first is the main one
 * @property {boolean} [collectsGarbage] whether the server collects its garbage before it tells its memory
 */

/**
 * One number of a workload.
 *
 * @typedef {object} Figure
 * @property {string} key
 * @property {string} title with its unit
 * @property {boolean} isCost whether less is better; for such figures the ratio to the yardstick is bounded
 * @property {(measured: Measured) => number} value
 */

/**
 * @typedef {object} Measured
 * @property {import('./sides/serve.mjs').Usage} before
 * @property {import('./sides/serve.mjs').Usage} after
 * @property {import('./load/main.mjs').LoadResult} result
 */

/**
 * @param {string} what
 * @returns {Figure}
 */
const cpuPer = (what) => ({
  key: 'cpuUs',
  title: `CPU µs per ${what}`,
  isCost: true,
  value: ({ before, after, result }) => (after.cpuUs - before.cpuUs) / result.count,
});

/**
 * @param {string} what
 * @returns {Figure}
 */
const perSecond = (what) => ({
  key: 'perSecond',
  title: `${what} per second`,
  isCost: false,
  value: ({ result }) => (result.count / result.elapsedMs) * 1000,
});

const DELIVERY = [cpuPer('delivery'), perSecond('deliveries')];

/** @type {readonly Figure[]} */
const LATENCY = [
  { key: 'p50Us', title: 'round trip p50, µs', isCost: true, value: ({ result }) => result.p50Us ?? NaN },
  { key: 'p99Us', title: 'round trip p99, µs', isCost: true, value: ({ result }) => result.p99Us ?? NaN },
  cpuPer('delivery'),
];

/** @type {readonly Figure[]} */
const MEMORY = [
  {
    key: 'heapBytes',
    title: 'heap bytes per connection',
    isCost: true,
    value: ({ before, after, result }) => (after.heapBytes - before.heapBytes) / result.count,
  },
  {
    key: 'rssBytes',
    title: 'resident bytes per connection',
    isCost: true,
    value: ({ before, after, result }) => (after.rssBytes - before.rssBytes) / result.count,
  },
];

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
  warmUp: Math.ceil(given.warmUp / (isQuick ? 2 : 1)),
  messages: Math.ceil(given.messages / (isQuick ? 4 : 1)),
});

const DIRECT = { senders: 1, receivers: 1, window: 64 };

/** @type {readonly Workload[]} */
export const WORKLOADS = [
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
    plan: relay({ senders: 50, receivers: 1, window: 8, warmUp: 600, messages: 3_000 }),
    figures: DELIVERY,
  },
  {
    name: 'broadcast-100',
    title: 'broadcast 1 to 100, 8 in flight',
    plan: relay({ senders: 1, receivers: 100, window: 8, warmUp: 800, messages: 4_500 }),
    figures: DELIVERY,
  },
  {
    name: 'broadcast-1000',
    title: 'broadcast 1 to 1,000, 8 in flight',
    plan: relay({ senders: 1, receivers: 1_000, window: 8, warmUp: 80, messages: 450 }),
    figures: DELIVERY,
  },
  {
    name: 'broadcast-1000-single',
    title: 'broadcast 1 to 1,000, one at a time',
    plan: relay({ senders: 1, receivers: 1_000, window: 1, warmUp: 80, messages: 300 }),
    figures: DELIVERY,
  },
  {
    name: 'ping-pong',
    title: 'ping-pong between two clients, 128 B',
    plan: (isQuick) => ({ kind: 'ping-pong', contentBytes: 128, warmUp: isQuick ? 1_500 : 3_000, trips: isQuick ? 3_000 : 15_000 }),
    figures: LATENCY,
  },
  {
    name: 'idle-memory',
    title: 'memory of idle logged-in connections',
    plan: (isQuick) => ({ kind: 'connections', warmUp: 200, connections: isQuick ? 2_000 : 5_000, isSettled: true }),
    figures: MEMORY,
    collectsGarbage: true,
  },
  {
    name: 'logins',
    title: 'connect and log in',
    plan: (isQuick) => ({ kind: 'connections', warmUp: isQuick ? 500 : 1_000, connections: isQuick ? 1_000 : 4_000, isSettled: false }),
    figures: [cpuPer('login'), perSecond('logins')],
  },
];

/**
 * @param {readonly string[]} only beginnings of names; empty for all
 * @returns {readonly Workload[]}
 * @throws {Error} when a beginning fits nothing
 */
export function chooseWorkloads(only) {
  const lost = only.find((start) => !WORKLOADS.some(({ name }) => name.startsWith(start)));
  if (lost !== undefined) throw new Error(`No workload begins with "${lost}"; there are ${WORKLOADS.map(({ name }) => name).join(', ')}.`);
  return only.length === 0 ? WORKLOADS : WORKLOADS.filter(({ name }) => only.some((start) => name.startsWith(start)));
}
