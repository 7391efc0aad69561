import { expect } from '@jest/globals';
import { RawReceiver } from './raw-receiver.js';
import { faultScenario } from './scenario.js';
import { pause, type Testbed } from './testbed.js';

async function mailFor(bed: Testbed, receiver: string, messages: number): Promise<void> {
  const producer = bed.producers[0] ?? (await bed.producer('p1', { isDirect: true }));
  for (let i = 0; i < messages; i++) {
    void producer.send(receiver, bed.random.integer(64, 2_000));
    while (producer.inFlight > 300) await pause(1);
  }
  while (producer.inFlight > 0) await pause(5);
}

faultScenario('cut inside resume', { quick: { times: 3, messages: 400 }, full: { times: 15, messages: 1_500 } }, async (bed, { times, messages }) => {
  await bed.startHub();
  const { client } = await bed.consumer('c1');
  let cuts = 0;
  for (let i = 0; i < times; i++) {
    await client.logout();
    await mailFor(bed, 'c1', messages);
    // most of these come down before the mail is through, in a row, at any byte of welcome and mail
    let left = 6;
    bed.link.cutNewAfter(() => {
      if (left-- <= 0) return undefined;
      cuts++;
      return { bytes: bed.random.integer(0, 60_000), direction: bed.random.chance(0.7) ? 'to-client' : 'to-hub', cut: bed.random.chance(0.5) ? 'rst' : 'fin' };
    });
    bed.fault('resume cut');
    await client.login({ keepTrying: true });
    const deadlineMs = performance.now() + 5_000;
    // a connection without anything to say may outlive its limit: end it from here
    const goesOn = (): boolean => left > 0 && performance.now() < deadlineMs;
    while (goesOn()) {
      await pause(100);
      bed.link.cut('rst');
    }
    bed.link.cutNewAfter(undefined);
    bed.healed('resume cut');
    await pause(200);
  }
  expect(cuts).toBeGreaterThan(times);
  return { times, cuts };
});

/*
 * Frame by frame, without an SDK that mends things: mail is read up to anywhere inside a page, some of it confirmed,
 * the connection cut, and again at once, twice in a row; a `resume` says where it was left off. What was confirmed must
 * not come again, what was not must come, by growing numbers and without a hole.
 */
faultScenario('resume cut inside a page, twice in a row, on the wire', { quick: { times: 5, messages: 300 }, full: { times: 40, messages: 600 } }, async (bed, { times, messages }) => {
  const hub = await bed.startHub();
  const receiver = new RawReceiver(`ws://127.0.0.1:${hub.port}`, 'raw', bed.history);
  const random = (): number => bed.random.next();
  await receiver.connect();
  receiver.cut();
  let cuts = 0;
  let reads = 0;
  for (let i = 0; i < times; i++) {
    await mailFor(bed, 'raw', messages);
    for (let row = 0; row < 2; row++) {
      const { recovered, pending } = await receiver.connect({ maxUnconfirmed: bed.random.pick([16, 64, 256]), resumes: bed.random.chance(0.5) });
      expect(recovered).toBe(true);
      if (row === 0) expect(pending).toBe(messages);
      reads += await receiver.read(bed.random.integer(1, Math.floor(messages / 3)), { confirmEvery: bed.random.pick([1, 7, 50]), confirmShare: random(), random });
      if (bed.random.chance(0.5)) await receiver.settleConfirmations();
      receiver.cut();
      cuts++;
    }
    if (bed.random.chance(0.3)) {
      receiver.hubDied();
      await hub.kill();
      await hub.start();
    }
    await receiver.connect();
    while ((await receiver.read(messages, { confirmEvery: 1, confirmShare: 1, random })) > 0);
    await receiver.settleConfirmations();
    receiver.cut();
  }
  expect(reads).toBeGreaterThan(times);
  return { times, cuts };
});
