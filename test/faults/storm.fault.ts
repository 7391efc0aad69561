import { expect } from '@jest/globals';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

faultScenario('reconnect storm', { quick: { clients: 400 }, full: { clients: 2_000 } }, async (bed, { clients }) => {
  const hub = await bed.startHub();
  const ids = Array.from({ length: clients }, (_, i) => `c${i}`);
  // as far apart as in production, and in one go
  const reconnect = { minDelayMs: 500, maxDelayMs: 5_000 };
  for (let i = 0; i < ids.length; i += 100) await Promise.all(ids.slice(i, i + 100).map((id) => bed.consumer(id, { isDirect: true, reconnect, connectTimeoutMs: 10_000, loginTimeoutMs: 10_000 })));
  const producer = await bed.producer('p1', { isDirect: true });
  for (const id of ids) void producer.send(id, 200);
  while (producer.inFlight > 0) await pause(10);
  bed.fault('storm');
  await hub.kill();
  for (const id of ids.slice(0, 500)) void producer.send(id, 200);
  await hub.start();
  bed.healed('storm');
  const beganMs = performance.now();
  const isBack = (): boolean => bed.consumers.every(({ client }) => client.status.state === 'online');
  while (!isBack() && performance.now() - beganMs < 60_000) await pause(20);
  expect(isBack()).toBe(true);
  const backMs = Math.round(performance.now() - beganMs);
  for (let i = 0; i < ids.length; i += 400) {
    for (const id of ids.slice(i, i + 400)) void producer.send(id, 200);
    while (producer.inFlight > 0) await pause(10);
  }
  return { clients, 'all back after ms': backMs };
});
