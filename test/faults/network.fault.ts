import { expect } from '@jest/globals';
import type { Cut } from './link.js';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

const CUTS: readonly Cut[] = ['rst', 'fin'];

faultScenario('link cut in mid traffic', { quick: { cuts: 30 }, full: { cuts: 100 } }, async (bed, { cuts }) => {
  await bed.startHub();
  await bed.traffic();
  for (let i = 0; i < cuts; i++) {
    await pause(bed.random.integer(20, 250));
    bed.fault('cut');
    if (bed.random.chance(0.5)) bed.link.cut(bed.random.pick(CUTS));
    else bed.link.cutOne(bed.random.pick(CUTS), (count) => bed.random.integer(0, Math.max(0, count - 1)));
    bed.healed('cut');
  }
  await pause(300);
  return { cuts };
});

/*
 * Every new connection dies after a growing number of bytes, from none at all over the middle of the upgrade and of the
 * login up to the first messages; meanwhile messages are sent that have no connection yet, or one that is just dying.
 */
faultScenario('cut before anything was sent', { quick: { step: 41 }, full: { step: 7 } }, async (bed, { step }) => {
  await bed.startHub();
  const targets = await bed.traffic({ producers: 2, consumers: 2 });
  let connections = 0;
  for (const direction of ['to-hub', 'to-client'] as const) {
    for (let bytes = 0; bytes <= 900; bytes += step) {
      const before = bed.link.accepted;
      bed.link.cutNewAfter(() => ({ bytes, direction, cut: bed.random.pick(CUTS) }));
      bed.fault('cut');
      bed.link.cut('rst');
      for (const producer of bed.producers) void producer.send(bed.random.pick(targets), 100);
      // each client has tried once on the average
      const deadlineMs = performance.now() + 1_000;
      while (bed.link.accepted < before + bed.clients.length && performance.now() < deadlineMs) await pause(5);
      connections += bed.link.accepted - before;
      if (bed.random.chance(0.2)) {
        bed.link.cutNewAfter(undefined);
        bed.link.cut('fin');
        bed.healed('cut');
        await pause(150);
      }
    }
  }
  bed.link.cutNewAfter(undefined);
  bed.healed('cut');
  await pause(500);
  expect(connections).toBeGreaterThan(100);
  return { 'connections cut': connections };
});

faultScenario('half-open peers, no FIN', { quick: { times: 2 }, full: { times: 8 } }, async (bed, { times }) => {
  await bed.startHub({ heartbeatInterval: 0.5, heartbeatTimeout: 2 });
  // a client that comes back before the hub has missed it takes over from itself
  await bed.traffic({ options: { heartbeatTimeoutMs: 900, pingIntervalMs: 300 } });
  // and these are given up by the hub before they notice
  const patient = { heartbeatTimeoutMs: 4_000, pingIntervalMs: 1_000 };
  await bed.consumer('c-patient', patient);
  (await bed.producer('p-patient', patient)).start({ targets: ['c-patient', 'c1'] });
  let halfOpen = 0;
  for (let i = 0; i < times; i++) {
    await pause(bed.random.integer(200, 800));
    bed.fault('half-open');
    halfOpen += bed.link.blackHole();
    bed.healed('half-open');
    await pause(4_500);
  }
  expect(halfOpen).toBeGreaterThanOrEqual(8 * times);
  return { 'half-open': halfOpen };
});

faultScenario('network that stalls and goes on', { quick: { times: 2 }, full: { times: 10 } }, async (bed, { times }) => {
  await bed.startHub({ heartbeatInterval: 0.5, heartbeatTimeout: 1.5 });
  await bed.traffic({ options: { heartbeatTimeoutMs: 900, pingIntervalMs: 300 } });
  for (let i = 0; i < times; i++) {
    await pause(bed.random.integer(200, 500));
    bed.fault('stall');
    // sometimes both sides bear it, sometimes one or both have given up when the old bytes come out after all
    await bed.link.stall(bed.random.integer(300, 2_500));
    bed.healed('stall');
  }
  await pause(300);
  return { stalls: times };
});
