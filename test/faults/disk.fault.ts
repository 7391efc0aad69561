import { expect } from '@jest/globals';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DiskFaults } from './disk-faults.js';
import type { Producer } from './producer.js';
import { faultScenario } from './scenario.js';
import { mountSmallDisk } from './small-disk.js';
import { pause, type Testbed } from './testbed.js';

const DISK_MEGABYTES = 12;
const BALLAST_BYTES = 6 * 1024 * 1024;

/** Takes space from the hub: so much, or all there is. */
async function writeBallast(path: string): Promise<void> {
  try {
    await writeFile(path, Buffer.alloc(BALLAST_BYTES));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** Sends to the receivers until the hub refuses. @returns the code of the refusal */
async function fillUp(producer: Producer, receivers: readonly string[]): Promise<string> {
  for (let i = 0; i < 20_000; i++) {
    const code = await producer.send(receivers[i % receivers.length] ?? '', 8_192);
    if (code !== undefined) return code;
  }
  throw new Error('The disk never became full.');
}

/** Sends until the hub takes mail again. @returns milliseconds it took */
async function untilTaken(producer: Producer, receiver: string, withinMs = 15_000): Promise<number> {
  const beganMs = performance.now();
  while ((await producer.send(receiver, 8_192)) !== undefined) {
    if (performance.now() - beganMs > withinMs) throw new Error(`The hub takes no mail although there is space again, for ${withinMs} ms.`);
    await pause(50);
  }
  return Math.round(performance.now() - beganMs);
}

async function offlineReceivers(bed: Testbed): Promise<string[]> {
  const receivers = ['c1', 'c2', 'c3'];
  for (const id of receivers) await (await bed.consumer(id)).client.logout();
  return receivers;
}

async function returnAll(bed: Testbed): Promise<void> {
  await Promise.all(bed.consumers.map(({ client }) => client.login({ keepTrying: true })));
}

faultScenario('disk full and freed', { quick: { times: 1 }, full: { times: 3 } }, async (bed, { times }) => {
  const disk = await mountSmallDisk(bed.dataDir, DISK_MEGABYTES);
  // without the right to mount, the calls of the hub fail as they would
  const faults = disk === undefined ? await DiskFaults.prepare(bed.directory, bed.dataDir) : undefined;
  if (disk !== undefined) bed.onClose(() => disk.unmount());
  const ballast = join(bed.dataDir, 'ballast');
  const fill = async (): Promise<void> => faults?.begin('full') ?? writeBallast(ballast);
  const free = async (): Promise<void> => faults?.end() ?? rm(ballast);
  const hub = await bed.startHub({ delivery: { segmentBytes: 1_048_576 } }, faults?.env);
  const receivers = await offlineReceivers(bed);
  const producer = await bed.producer('p1');
  let resumedMs = 0;
  for (let i = 0; i < times; i++) {
    for (let n = 0; n < 50; n++) await producer.send(receivers[n % 3] ?? '', 2_048);
    bed.fault('disk full');
    await fill();
    expect(await fillUp(producer, receivers)).toBe('CC_STORE_FULL');
    // it stays so, whatever is sent
    for (let n = 0; n < 30; n++) await producer.send(receivers[n % 3] ?? '', 8_192);
    // and a hub that dies now can start again
    await hub.kill();
    await hub.start();
    await fillUp(producer, receivers);
    await free();
    bed.healed('disk full');
    resumedMs = Math.max(resumedMs, await untilTaken(producer, 'c1'));
    await returnAll(bed);
    if (i < times - 1) await Promise.all(bed.consumers.map(({ client }) => client.logout()));
  }
  return { times, disk: disk === undefined ? 'calls fail' : 'real', 'takes mail again after ms': resumedMs };
});

faultScenario('disk full of mail, freed by its receivers', { quick: { times: 1 }, full: { times: 5 } }, async (bed, { times }) => {
  const disk = await mountSmallDisk(bed.dataDir, DISK_MEGABYTES);
  if (disk !== undefined) bed.onClose(() => disk.unmount());
  // without the right to mount, the bound of the store itself
  const bound = disk === undefined ? { maxStoreBytes: DISK_MEGABYTES * 1_048_576 } : {};
  await bed.startHub({ delivery: { segmentBytes: 1_048_576, ...bound } });
  const receivers = await offlineReceivers(bed);
  const producer = await bed.producer('p1');
  let drainedMs = 0;
  for (let i = 0; i < times; i++) {
    bed.fault('full of mail');
    await fillUp(producer, receivers);
    bed.healed('full of mail');
    await returnAll(bed);
    drainedMs = Math.max(drainedMs, await untilTaken(producer, 'c1'));
    await Promise.all(bed.consumers.map(({ client }) => client.logout()));
  }
  await returnAll(bed);
  return { times, disk: disk === undefined ? 'bounded' : 'real', 'takes mail again after ms': drainedMs };
});

faultScenario('writes fail in the middle of the traffic', { quick: { times: 4 }, full: { times: 15 } }, async (bed, { times }) => {
  const faults = await DiskFaults.prepare(bed.directory, bed.dataDir);
  await bed.startHub({ delivery: { segmentBytes: 262_144 } }, faults.env);
  await bed.traffic();
  for (let i = 0; i < times; i++) {
    await pause(bed.random.integer(100, 400));
    bed.fault('writes fail');
    await faults.begin('full');
    await pause(bed.random.integer(20, 400));
    await faults.end();
    bed.healed('writes fail');
    if (i === times - 1 || bed.random.chance(0.3)) {
      await bed.hub.kill();
      await bed.hub.start();
    }
  }
  const refusals = bed.producers.reduce((sum, producer) => sum + (producer.refusals.get('CC_STORE_FULL') ?? 0), 0);
  expect(refusals).toBeGreaterThan(0);
  await pause(500);
  await untilTaken(bed.producers[0] as Producer, 'c1');
  return { times, 'refused as full': refusals };
});

faultScenario('failed fsync', { quick: { times: 2 }, full: { times: 8 } }, async (bed, { times }) => {
  const faults = await DiskFaults.prepare(bed.directory, bed.dataDir);
  const hub = await bed.startHub({ delivery: { segmentBytes: 262_144 } }, faults.env);
  await bed.traffic();
  let takenAway = 0;
  for (let i = 0; i < times; i++) {
    await pause(bed.random.integer(100, 400));
    bed.fault('fsync fails');
    await faults.begin('fsync');
    const producer = bed.producers[0] as Producer;
    // what its receiver confirms before the disk has failed is acked
    let refusal: string | undefined;
    for (let sent = 0; sent < 100 && refusal === undefined; sent++) refusal = await producer.send('c1', 100);
    expect(refusal).toBe('CC_STORE_FAILED');
    await faults.end();
    // one failure is final: what the system did with the pages nobody knows
    await pause(100);
    expect(await producer.send('c1', 100)).toBe('CC_STORE_FAILED');
    await hub.kill();
    // and so the bytes may be there or not
    if (i % 2 === 0) takenAway += await faults.cutPower();
    await hub.start();
    bed.healed('fsync fails');
  }
  await pause(300);
  return { times, 'bytes taken away': takenAway };
});

faultScenario('power cut: what was not synced is gone', { quick: { times: 4 }, full: { times: 20 } }, async (bed, { times }) => {
  const faults = await DiskFaults.prepare(bed.directory, bed.dataDir);
  const hub = await bed.startHub({ delivery: { segmentBytes: bed.random.pick([65_536, 1_048_576]) } }, { ...faults.env, FAULT_DISK_SYNC_MS: '15' });
  await bed.traffic();
  let takenAway = 0;
  for (let i = 0; i < times; i++) {
    await pause(bed.random.integer(100, 500));
    bed.fault('power cut');
    await hub.kill();
    takenAway += await faults.cutPower();
    await hub.start();
    bed.healed('power cut');
  }
  // there was something to lose
  expect(takenAway).toBeGreaterThan(0);
  await pause(300);
  return { times, 'bytes taken away': takenAway };
});
