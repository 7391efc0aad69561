import { expect } from '@jest/globals';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

const HOUR_MS = 3_600_000;
/** Less than the seven days mail is kept, in all combinations. */
const TURNS_MS = [1_000, -1_000, HOUR_MS, -HOUR_MS, 25 * HOUR_MS, -25 * HOUR_MS, 72 * HOUR_MS, -72 * HOUR_MS] as const;

faultScenario('clock jumps', { quick: { jumps: 12, restarts: 2 }, full: { jumps: 60, restarts: 6 } }, async (bed, { jumps, restarts }) => {
  const hub = await bed.startHub({ heartbeatInterval: 0.5, heartbeatTimeout: 2 });
  let clientsTurnedMs = 0;
  const clock = { now: () => Date.now() + clientsTurnedMs };
  await bed.traffic({ options: { clock } });
  for (let i = 1; i <= jumps; i++) {
    bed.fault('clock');
    hub.turnClock(bed.random.pick(TURNS_MS));
    if (bed.random.chance(0.5)) clientsTurnedMs = bed.random.pick(TURNS_MS);
    bed.healed('clock');
    await pause(bed.random.integer(50, 250));
    if (i % Math.floor(jumps / restarts) === 0) {
      // mail lies in the store, written at another time than it is now
      await Promise.all(bed.consumers.map(({ client }) => client.logout()));
      await pause(200);
      await hub.kill();
      await hub.start();
      hub.turnClock(bed.random.pick(TURNS_MS));
      await Promise.all(bed.consumers.map(({ client }) => client.login({ keepTrying: true })));
    }
  }
  hub.turnClock(0);
  await pause(2_500);
  expect(hub.left.filter(({ reason }) => reason === 'heartbeat_timeout')).toEqual([]);
  return { jumps, restarts };
});
