import { expect } from '@jest/globals';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

/** Files of the store small enough to be changed and cleaned up several times in a scenario, or not. */
const SEGMENT_BYTES = [65_536, 1_048_576, 16 * 1_048_576] as const;

faultScenario('kill -9 in mid traffic', { quick: { kills: 6 }, full: { kills: 20 } }, async (bed, { kills }) => {
  const segmentBytes = bed.random.pick(SEGMENT_BYTES);
  const hub = await bed.startHub({ delivery: { segmentBytes } });
  await bed.traffic();
  for (let i = 0; i < kills; i++) {
    await pause(bed.random.integer(100, 600));
    bed.fault('kill');
    await hub.kill();
    await pause(bed.random.integer(0, 200));
    await hub.start();
    bed.healed('kill');
  }
  await pause(300);
  return { kills, segmentBytes };
});

faultScenario('SIGTERM drain in mid traffic', { quick: { drains: 3 }, full: { drains: 10 } }, async (bed, { drains }) => {
  const hub = await bed.startHub({ delivery: { drainSpreadMs: 300 } });
  await bed.traffic();
  let slowestMs = 0;
  for (let i = 0; i < drains; i++) {
    await pause(bed.random.integer(100, 600));
    bed.fault('drain');
    const beganMs = performance.now();
    expect(await hub.terminate()).toBe(0);
    slowestMs = Math.max(slowestMs, performance.now() - beganMs);
    await hub.start();
    bed.healed('drain');
  }
  // shutdownTimeoutMs, and what a process needs to end
  expect(slowestMs).toBeLessThan(5_000 + 2_000);
  await pause(300);
  return { drains, 'slowest drain ms': Math.round(slowestMs) };
});

faultScenario('rolling restart of two hubs behind one address', { quick: { rolls: 3 }, full: { rolls: 10 } }, async (bed, { rolls }) => {
  let running = await bed.startHub({ delivery: { drainSpreadMs: 300 } });
  await bed.traffic();
  for (let i = 0; i < rolls; i++) {
    await pause(bed.random.integer(200, 600));
    // it waits until the other one gives the data directory up
    const next = bed.newHub({ delivery: { drainSpreadMs: 300 } });
    const started = next.start();
    await pause(bed.random.integer(0, 800));
    bed.fault('roll');
    const [exitCode] = await Promise.all([running.terminate(), started]);
    expect(exitCode).toBe(0);
    bed.use(next);
    bed.healed('roll');
    running = next;
  }
  await pause(300);
  return { rolls };
});
