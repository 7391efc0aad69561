import { expect } from '@jest/globals';
import { faultScenario } from './scenario.js';
import { pause } from './testbed.js';

const MESSAGE_BYTES = 4_096;

/** What a start may take with so much mail, on top of a start with none, in milliseconds. */
const BOUND_MS = 1_000;

faultScenario('start after a crash with 100 MB of mail', { quick: { megabytes: 100 }, full: { megabytes: 100 } }, async (bed, { megabytes }) => {
  const hub = await bed.startHub();
  await hub.kill();
  await hub.start();
  const emptyStartMs = hub.startMs;
  const receivers = ['c1', 'c2', 'c3', 'c4'];
  for (const id of receivers) {
    const { client } = await bed.consumer(id);
    await client.logout();
  }
  const producer = await bed.producer('p1');
  const messages = Math.ceil((megabytes * 1_000_000) / MESSAGE_BYTES);
  for (let i = 0; i < messages; i++) {
    void producer.send(receivers[i % receivers.length] ?? '', MESSAGE_BYTES);
    while (producer.inFlight > 500) await pause(1);
  }
  while (producer.inFlight > 0) await pause(5);
  expect(producer.refusals.size).toBe(0);
  bed.fault('kill');
  await hub.kill();
  await hub.start();
  bed.healed('kill');
  const startMs = hub.startMs;
  for (const { client } of bed.consumers) await client.login({ keepTrying: true });
  const store = startMs - emptyStartMs;
  expect(store).toBeLessThanOrEqual(BOUND_MS);
  return { megabytes, 'start ms': Math.round(startMs), 'empty start ms': Math.round(emptyStartMs) };
});
