import { expect } from '@jest/globals';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

faultScenario('receivers offline and back', { quick: { times: 4 }, full: { times: 20 } }, async (bed, { times }) => {
  await bed.startHub({ delivery: { segmentBytes: 1_048_576 } });
  await bed.traffic({ consumers: 4 });
  for (let i = 0; i < times; i++) {
    // at random: some stay away over several rounds
    const away = bed.consumers.filter(() => bed.random.chance(0.6));
    bed.fault('offline');
    await Promise.all(away.map(({ client }) => client.logout()));
    await pause(bed.random.integer(100, 700));
    bed.healed('offline');
    await Promise.all(away.map(({ client }) => client.login({ keepTrying: true })));
    await pause(bed.random.integer(50, 300));
  }
  expect(bed.consumers.every(({ recoveries }) => recoveries.every(Boolean))).toBe(true);
  return { times };
});

faultScenario('receivers offline while the hub is killed', { quick: { times: 2 }, full: { times: 8 } }, async (bed, { times }) => {
  const hub = await bed.startHub();
  await bed.traffic();
  for (let i = 0; i < times; i++) {
    bed.fault('offline');
    await Promise.all(bed.consumers.map(({ client }) => client.logout()));
    await pause(400);
    await hub.kill();
    await hub.start();
    bed.healed('offline');
    await Promise.all(bed.consumers.map(({ client }) => client.login({ keepTrying: true })));
    await pause(300);
  }
  return { times };
});

faultScenario('slow consumer', { quick: { messages: 1_500 }, full: { messages: 6_000 } }, async (bed, { messages }) => {
  await bed.startHub();
  await bed.consumer('slow', { inboundMaxMessages: 20, workMs: () => 2 });
  const fast = await bed.consumer('fast');
  const producer = await bed.producer('p1');
  for (let i = 0; i < messages; i++) {
    void producer.send('slow', 512);
    void producer.send('fast', 512);
    while (producer.inFlight > 500) await pause(1);
  }
  const slow = bed.consumers[0];
  const beganMs = performance.now();
  while (fast.received < messages && performance.now() - beganMs < 20_000) await pause(5);
  // the fast one has everything while the slow one is still at it
  expect(fast.received).toBe(messages);
  const behind = messages - (slow?.received ?? 0);
  expect(behind).toBeGreaterThan(0);
  return { 'slow was behind by': behind };
});
