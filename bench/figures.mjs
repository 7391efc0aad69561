// @ts-check

/**
 * One number of a workload.
 *
 * @typedef {object} Figure
 * @property {string} key
 * @property {string} title with its unit
 * @property {boolean} isCost whether less is better; targets and bounds are highest values then, else lowest ones
 * @property {'ratio' | 'difference' | 'value'} judgedBy what targets and bounds are about: the ratio to the yardstick, the
 *   difference from it, or the number itself
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
  judgedBy: 'ratio',
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
  judgedBy: 'ratio',
  value: ({ result }) => (result.count / result.elapsedMs) * 1000,
});

/**
 * @param {Pick<Figure, 'key' | 'title'> & { of: 'heapBytes' | 'rssBytes' }} figure
 * @returns {Figure}
 */
const bytesPerConnection = ({ key, title, of }) => ({
  key,
  title,
  isCost: true,
  judgedBy: 'difference',
  value: ({ before, after, result }) => (after[of] - before[of]) / result.count,
});

export const DELIVERY = [cpuPer('delivery'), perSecond('deliveries')];

export const LOGIN = [cpuPer('login'), perSecond('logins')];

/** @type {readonly Figure[]} */
export const LATENCY = [
  { key: 'p50Us', title: 'round trip p50, µs', isCost: true, judgedBy: 'ratio', value: ({ result }) => result.p50Us ?? NaN },
  { key: 'p99Us', title: 'round trip p99, µs', isCost: true, judgedBy: 'ratio', value: ({ result }) => result.p99Us ?? NaN },
  cpuPer('delivery'),
];

export const MEMORY = [
  bytesPerConnection({ key: 'heapBytes', title: 'heap bytes per connection', of: 'heapBytes' }),
  bytesPerConnection({ key: 'rssBytes', title: 'resident bytes per connection', of: 'rssBytes' }),
];

/** Of the process with the clients, for what is no matter of the server. @type {readonly Figure[]} */
export const CLIENT = [
  {
    key: 'clientCpuUs',
    title: 'CPU µs of both clients per message',
    isCost: true,
    judgedBy: 'ratio',
    value: ({ result }) => (result.ownCpuUs ?? NaN) / result.count,
  },
  perSecond('messages'),
];

/** @type {readonly Figure[]} */
export const DURABLE = [
  cpuPer('message'),
  perSecond('messages'),
  { key: 'p99Us', title: 'from sending to ack (live: to arrival) p99, µs', isCost: true, judgedBy: 'value', value: ({ result }) => result.p99Us ?? NaN },
];

/** @type {readonly Figure[]} */
export const DURABLE_RATE = [
  { ...perSecond('acks'), judgedBy: 'value' },
  { key: 'p99Us', title: 'from sending to ack p99, µs', isCost: true, judgedBy: 'value', value: ({ result }) => result.p99Us ?? NaN },
  { ...cpuPer('message'), judgedBy: 'value' },
];

/** @type {readonly Figure[]} */
export const ADDED_CPU = [{ ...cpuPer('message'), judgedBy: 'difference' }];

/** @type {readonly Figure[]} */
export const STREAM_AND_PEAK = [
  ...DELIVERY,
  {
    key: 'peakMiB',
    title: 'highest resident MiB above the start',
    isCost: true,
    judgedBy: 'difference',
    value: ({ before, after }) => (after.peakRssBytes - before.rssBytes) / 1024 ** 2,
  },
];

/** @type {readonly Figure[]} */
export const IDLE_CPU = [
  {
    key: 'percent',
    title: 'percent of one core',
    isCost: true,
    judgedBy: 'value',
    value: ({ before, after, result }) => (after.cpuUs - before.cpuUs) / 1000 / result.elapsedMs * 100,
  },
];
