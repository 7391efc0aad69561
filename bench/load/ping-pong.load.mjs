// @ts-check
import { LoadClient } from './client.mjs';
import { FrameReader } from './frame-reader.mjs';
import { OutgoingFrames } from './outgoing-frames.mjs';
import { contentOf } from './relay.load.mjs';

/**
 * Two clients, one message that goes back and forth.
 *
 * @typedef {object} PingPongPlan
 * @property {'ping-pong'} kind
 * @property {number} contentBytes
 * @property {number} warmUp round trips before the measurement
 * @property {number} trips round trips that are measured
 */

/**
 * @param {import('./client.mjs').ServerAddress} server
 * @param {PingPongPlan} plan
 */
export function pingPongLoad(server, plan) {
  /** @type {(trips: number) => Promise<Float64Array>} */
  let play;
  return {
    async prepare() {
      const [left, right] = /** @type {[LoadClient, LoadClient]} */ (await LoadClient.openMany(server, { first: 0, count: 2 }));
      play = table(server.dialect, { left, right, content: contentOf({ alphabet: 'ascii', contentBytes: plan.contentBytes }) });
      await play(plan.warmUp);
    },
    async run() {
      const start = performance.now();
      const timesUs = (await play(plan.trips)).sort();
      const elapsedMs = performance.now() - start;
      return {
        elapsedMs,
        count: 2 * plan.trips,
        p50Us: timesUs[Math.floor(plan.trips * 0.5)],
        p99Us: timesUs[Math.floor(plan.trips * 0.99)],
      };
    },
    verify() {
      // each trip waited for the one before, and the readers checked the order
    },
  };
}

/**
 * @param {import('./dialects.mjs').Dialect} dialect
 * @param {{ left: LoadClient, right: LoadClient, content: string }} players
 * @returns {(trips: number) => Promise<Float64Array>} plays so many round trips and gives the time of each, in microseconds
 */
function table(dialect, { left, right, content }) {
  const there = new OutgoingFrames(dialect, { from: left.id, to: right.id, content, slots: 1 });
  const back = new OutgoingFrames(dialect, { from: right.id, to: left.id, content, slots: 1 });
  let timesUs = new Float64Array(0);
  let trip = 0;
  let startMs = 0;
  /** @type {(timesUs: Float64Array) => void} */
  let done = () => {};
  const serveBall = () => {
    startMs = performance.now();
    there.take(1, (bytes) => left.write(bytes));
  };
  const { hasPings } = dialect;
  const atRight = new FrameReader(there, { hasPings, onDelivery: () => back.take(1, (bytes) => right.write(bytes)) });
  const atLeft = new FrameReader(back, {
    hasPings,
    onDelivery() {
      timesUs[trip++] = (performance.now() - startMs) * 1000;
      if (trip === timesUs.length) done(timesUs);
      else serveBall();
    },
  });
  right.onBytes = (chunk, length) => atRight.push(chunk, length);
  left.onBytes = (chunk, length) => atLeft.push(chunk, length);
  return (trips) =>
    new Promise((resolve) => {
      done = resolve;
      timesUs = new Float64Array(trips);
      trip = 0;
      serveBall();
    });
}
