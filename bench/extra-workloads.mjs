// @ts-check
import { ADDED_CPU, CLIENT, DELIVERY, DURABLE, DURABLE_RATE, IDLE_CPU, STREAM_AND_PEAK } from './figures.mjs';
import { HUB, YARDSTICK, sideOf } from './sides/sides.mjs';

// What is compared with something else than the other servers: the hub with itself under other circumstances, the SDK
// with a plain client. Not part of quick runs.

const hub = sideOf(HUB);

/** Listeners of the hub, and how many of them want the messages that are sent. */
const LISTENERS = { count: 20, matching: 2 };

/** Receivers that do not read. */
const SLOW = 10;
/**
 * The system takes 4 MB for a receiver that does not read; the hub gives up after one more, so that it happens early in
 * the measurement. The close frame is kept until they read again, for the load process to see its code.
 */
const SLOW_OPTIONS = { maxBufferedBytes: 1024 ** 2, closeTimeoutMs: 60_000 };

/** So that all messages are live without saying so, and both clients send the same seven keys. */
const WITHOUT_STORE = { delivery: { store: 'none' } };

const relay = { kind: /** @type {const} */ ('relay'), alphabet: /** @type {const} */ ('ascii'), contentBytes: 128, senders: 1 };

/** @type {readonly import('./workloads.mjs').Workload[]} */
export const EXTRA_WORKLOADS = [
  {
    name: 'sdk',
    title: 'Node clients through the hub, 128 B, 64 in flight',
    plan: () => ({ kind: 'client-pair', client: 'ws', contentBytes: 128, window: 64, warmUp: 20_000, messages: 80_000 }),
    contenders: [
      { ...hub, name: 'ws, JSON by hand', plan: { client: 'ws' }, argument: { options: WITHOUT_STORE } },
      { ...hub, name: 'SDK', plan: { client: 'sdk' }, argument: { options: WITHOUT_STORE } },
    ],
    figures: CLIENT,
  },
  {
    name: 'listeners',
    title: 'direct, 128 B, with listeners on the hub',
    plan: () => ({ ...relay, receivers: 1, window: 64, warmUp: 30_000, messages: 150_000 }),
    contenders: [
      { ...hub, name: 'no listener' },
      { ...hub, name: `${LISTENERS.count}, ${LISTENERS.matching} match`, argument: { listeners: LISTENERS } },
    ],
    figures: ADDED_CPU,
    check({ before, after, result }, { argument }) {
      const heard = (after.heard ?? 0) - (before.heard ?? 0);
      const due = result.count * (argument?.listeners?.matching ?? 0);
      if (heard !== due) throw new Error(`The listeners were called ${heard} times, not ${due} times.`);
    },
  },
  {
    name: 'slow-receivers',
    title: `broadcast 1 to 990, 16 KiB, ${SLOW} more do not read`,
    plan: () => ({ ...relay, contentBytes: 16_384, receivers: 990, window: 8, warmUp: 20, messages: 400 }),
    contenders: [
      { ...hub, name: 'all read', argument: { options: SLOW_OPTIONS } },
      { ...hub, name: `${SLOW} do not`, plan: { slow: SLOW }, argument: { options: SLOW_OPTIONS } },
    ],
    figures: STREAM_AND_PEAK,
    maxRounds: 3,
  },
  {
    name: 'growth-broadcast',
    title: 'broadcast, 8 in flight, more receivers',
    plan: () => ({ ...relay, receivers: 100, window: 8, warmUp: 500, messages: 4_500 }),
    contenders: [
      { ...hub, name: '100 receivers' },
      { ...hub, name: '5,000 receivers', plan: { receivers: 5_000, warmUp: 30, messages: 150 } },
    ],
    figures: DELIVERY,
    maxRounds: 3,
  },
  {
    name: 'growth-direct',
    title: 'direct, 128 B, 64 in flight, more idle clients',
    plan: () => ({ ...relay, receivers: 1, window: 64, warmUp: 30_000, messages: 150_000 }),
    contenders: [
      { ...hub, name: 'nobody else' },
      { ...hub, name: '5,000 idle', plan: { idle: 5_000 } },
    ],
    figures: DELIVERY,
    maxRounds: 3,
  },
  {
    name: 'durable-cost',
    title: 'direct, 256 B, confirmed by their receivers, 10 pairs, 64 in flight each',
    plan: () => ({ kind: 'durable', isDurable: false, pairs: 10, window: 64, contentBytes: 256, warmUp: 8_000, messages: 30_000 }),
    contenders: [
      { ...hub, name: 'live' },
      { ...hub, name: 'live, asked for', plan: { asksLive: true } },
      { ...hub, name: 'durable', plan: { isDurable: true } },
    ],
    figures: DURABLE,
  },
  {
    name: 'durable-rate',
    title: 'durable, 256 B, 20 pairs, 40 in flight each, hub on all cores',
    plan: () => ({ kind: 'durable', isDurable: true, pairs: 20, window: 40, contentBytes: 256, warmUp: 1_500, messages: 20_000 }),
    contenders: [{ ...hub, name: 'log' }],
    isPinned: false,
    figures: DURABLE_RATE,
  },
  {
    name: 'idle-cpu',
    title: '10,000 clients, a heartbeat every 30 s',
    plan: () => ({ kind: 'heartbeats', connections: 10_000, intervalMs: 30_000, settleMs: 3_000, durationMs: 10_000 }),
    contenders: [sideOf(YARDSTICK), hub],
    figures: IDLE_CPU,
    maxRounds: 2,
  },
];
