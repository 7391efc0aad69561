import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SimulatedFileSystem } from './simulated.file-system.js';
import { contentsOf, openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

const FIRST = 'mail-00000001.log';

/** A disk whose first segment is damaged in the second of twelve messages, as a killed process leaves it. */
async function damagedDisk(): Promise<{ disk: SimulatedFileSystem; bytes: Buffer; epoch: string }> {
  const disk = new SimulatedFileSystem();
  const { store, opened } = await openLog(disk, { segmentBytes: 700 });
  for (let count = 0; count < 12; count++) {
    putMail(store);
    await store.flush();
  }
  const bytes = disk.contents(FIRST);
  bytes[bytes.indexOf('frame 2')] = 0;
  disk.replace(FIRST, bytes);
  return { disk: disk.afterKill(), bytes, epoch: opened.epoch };
}

/** A store in which the last block holds two messages and a fact; the others one each. */
async function filled(segmentBytes = 1e6): Promise<{ disk: SimulatedFileSystem; before: unknown; after: unknown; lastBlockAt: number; epoch: string }> {
  const disk = new SimulatedFileSystem();
  const { store, opened } = await openLog(disk, { segmentBytes });
  for (let count = 0; count < 3; count++) {
    putMail(store, { recipients: ['bob', 'carol'] });
    await store.flush();
  }
  const snapshot = async () => {
    const copy = new SimulatedFileSystem();
    for (const name of disk.names) copy.replace(name, disk.contents(name));
    const reopened = await openLog(copy, { segmentBytes });
    return contentsOf(reopened.store, reopened.opened);
  };
  const before = await snapshot();
  const lastBlockAt = disk.contents(FIRST).length;
  putMail(store, { msgId: 'last-1' });
  store.setFact('last', 'fact');
  putMail(store, { msgId: 'last-2', fromClientId: 'Ünï', recipients: ['日本', '\ud800'] });
  await store.flush();
  const after = await snapshot();
  return { disk, before, after, lastBlockAt, epoch: opened.epoch };
}

describe('opening the log', () => {
  it('keeps the epoch over a clean restart and a kill, never a number twice', async () => {
    let disk = new SimulatedFileSystem();
    const epochs = new Set<string>();
    const seqs: number[] = [];
    for (let round = 0; round < 5; round++) {
      const { store, opened } = await openLog(disk);
      epochs.add(opened.epoch);
      // numbers that are given out and never stored count too
      for (let count = 0; count < 100; count++) seqs.push(store.nextSeq());
      seqs.push(putMail(store).seq);
      if (round % 2 === 0) await store.close();
      disk = disk.afterKill();
    }
    expect(epochs.size).toBe(1);
    expect(seqs).toEqual([...new Set(seqs)].sort((left, right) => left - right));
  });

  it('loses nothing but the last block, wherever that is cut off', async () => {
    const { disk, before, after, lastBlockAt, epoch } = await filled();
    const whole = disk.contents(FIRST);
    for (let length = lastBlockAt; length <= whole.length; length++) {
      const torn = new SimulatedFileSystem();
      torn.replace(FIRST, whole.subarray(0, length));
      const { store, opened } = await openLog(torn, { segmentBytes: 1e6 });
      const found = await contentsOf(store, opened);
      if (JSON.stringify(found) !== JSON.stringify(length === whole.length ? after : before)) expect({ length, found }).toEqual(before);
      expect(opened.epoch === epoch).toBe(length === lastBlockAt || length === whole.length);
      // what is written from now on is found again
      putMail(store, { msgId: 'new' });
      await store.flush();
      const again = await openLog(torn.afterKill(), { segmentBytes: 1e6 });
      expect(again.opened.epoch).toBe(opened.epoch);
      expect(again.store.seqOf('alice', 'new')).toBeDefined();
      expect(again.opened.mails).toHaveLength(opened.mails.length + 1);
    }
  });

  it('loses nothing but the last block, whichever byte of it is wrong', async () => {
    const { disk, before, lastBlockAt, epoch } = await filled();
    const whole = disk.contents(FIRST);
    for (let at = lastBlockAt; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 + (at % 255));
      const garbled = new SimulatedFileSystem();
      garbled.replace(FIRST, bytes);
      const { store, opened } = await openLog(garbled, { segmentBytes: 1e6 });
      const found = await contentsOf(store, opened);
      if (JSON.stringify(found) !== JSON.stringify(before)) expect({ at, found }).toEqual(before);
      expect(opened.epoch).not.toBe(epoch);
      expect(garbled.contents(FIRST).length).toBeLessThan(whole.length);
    }
  });

  it('passes over a damaged block, keeps the damaged file aside, and says so in the epoch once', async () => {
    for (const damagedName of [FIRST, 'last'] as const) {
      const disk = new SimulatedFileSystem();
      const { store, opened } = await openLog(disk, { segmentBytes: 700 });
      const seqs: number[] = [];
      for (let count = 0; count < 12; count++) {
        seqs.push(putMail(store).seq);
        await store.flush();
      }
      const name = damagedName === 'last' ? (disk.names.at(-1) ?? '') : damagedName;
      const bytes = disk.contents(name);
      // a frame of a block with another block behind it
      const at = bytes.indexOf('frame ');
      expect(bytes.indexOf('frame ', at + 200)).toBeGreaterThan(0);
      bytes[at] = 0;
      disk.replace(name, bytes);
      const next = disk.afterKill();
      const damaged = await openLog(next, { segmentBytes: 700 });
      expect(damaged.opened.epoch).not.toBe(opened.epoch);
      expect(damaged.opened.mails).toHaveLength(11);
      const frames = await damaged.store.read(damaged.opened.mails);
      for (const [index, frame] of frames.entries()) expect(frame?.toString()).toContain(`frame ${damaged.opened.mails[index]?.seq}`);
      const aside = next.names.filter((found) => found.startsWith(name) && found.endsWith('.damaged'));
      expect(aside).toHaveLength(1);
      expect(next.contents(aside[0] ?? '')).toEqual(bytes);
      const again = await openLog(next.afterKill(), { segmentBytes: 700 });
      expect(again.opened.epoch).toBe(damaged.opened.epoch);
      expect(again.opened.mails).toHaveLength(11);
    }
  });

  it('repairs a damaged segment, whenever the power is lost meanwhile', async () => {
    const seqs: number[] = [];
    for (let crashAt = 0; ; crashAt++) {
      const { disk, bytes, epoch } = await damagedDisk();
      let step = 0;
      let next: SimulatedFileSystem | undefined;
      const random = (): number => ((crashAt * 7 + step++) * 0.618) % 1;
      const crashed = new Promise<void>((resolve) => {
        disk.beforeEach = () => {
          if (next !== undefined || step++ < crashAt) return;
          next = disk.afterPowerLoss(random);
          resolve();
        };
      });
      await Promise.race([crashed, openLog(disk, { segmentBytes: 700 })]);
      const last = next ?? disk.afterKill();
      const { opened } = await openLog(last, { segmentBytes: 700 });
      expect(opened.mails.map(({ seq }) => seq)).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect(opened.epoch).not.toBe(epoch);
      expect(last.names.filter((name) => name.endsWith('.damaged')).some((name) => last.contents(name).equals(bytes))).toBe(true);
      seqs.push(crashAt);
      if (next === undefined) break;
    }
    expect(seqs.length).toBeGreaterThan(20);
  });

  it.each([200, 1_200])('does not start when there is no space for a repair, and leaves nothing behind (%p bytes left)', async (left) => {
    const { disk: next, bytes } = await damagedDisk();
    next.capacityBytes = next.usedBytes + left;
    for (let tries = 0; tries < 3; tries++) await expect(openLog(next, { segmentBytes: 700 })).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
    expect(next.names.filter((name) => name.endsWith('.damaged'))).toEqual([]);
    expect(next.contents(FIRST)).toEqual(bytes);
    next.capacityBytes = Infinity;
    expect((await openLog(next, { segmentBytes: 700 })).opened.mails).toHaveLength(11);
  });

  it('goes on without a segment that is missing in the middle, with a new epoch once', async () => {
    const disk = new SimulatedFileSystem();
    const { store, opened } = await openLog(disk, { segmentBytes: 300 });
    for (let count = 0; count < 12; count++) {
      putMail(store);
      await store.flush();
    }
    expect(disk.names.length).toBeGreaterThan(4);
    disk.delete('mail-00000003.log');
    let next = disk.afterKill();
    const first = await openLog(next, { segmentBytes: 300 });
    expect(first.opened.epoch).not.toBe(opened.epoch);
    expect(first.opened.mails.length).toBeGreaterThan(5);
    next = next.afterKill();
    const second = await openLog(next, { segmentBytes: 300 });
    expect(second.opened.epoch).toBe(first.opened.epoch);
    next = next.afterKill();
    next.delete('mail-00000002.log');
    next.delete('mail-00000005.log');
    expect((await openLog(next, { segmentBytes: 300 })).opened.epoch).not.toBe(second.opened.epoch);
  });

  it('is not misled by a message that holds blocks itself', async () => {
    const { disk } = await filled();
    const forged = disk.contents(FIRST);
    const other = new SimulatedFileSystem();
    const { store } = await openLog(other, { segmentBytes: 1e6 });
    putMail(store, { frame: forged });
    await store.flush();
    const bytes = other.contents(FIRST);
    // the block itself is torn, what it holds is not
    const torn = new SimulatedFileSystem();
    torn.replace(FIRST, bytes.subarray(0, bytes.length - 1));
    expect((await openLog(torn, { segmentBytes: 1e6 })).opened.mails).toHaveLength(0);
    expect(torn.names).toEqual([FIRST]);
  });

  it('refuses a store that it cannot read', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk);
    await store.close();
    disk.beforeEach = (operation) => {
      if (operation === 'read') throw new Error('EIO: simulated');
    };
    await expect(openLog(disk)).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
  });
});
