import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { MailStore } from '../../../src/delivery/store/index.js';
import { failure, SimulatedFileSystem } from './simulated.file-system.js';
import { contentsOf, openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

const OPTIONS = { segmentBytes: 1_000 };

/** Traffic of which little stays: old mail, ids, facts. @returns numbers of what stays */
async function traffic(store: MailStore, rounds = 40): Promise<number[]> {
  const kept: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const seqs = Array.from({ length: 5 }, () => putMail(store).seq);
    if (round % 10 === 0) kept.push(putMail(store, { recipients: ['carol', 'dave'], msgId: `kept-${round}` }).seq);
    store.setFact(`fact ${round % 3}`, `value ${round}`);
    await store.flush();
    store.remove('bob', seqs);
    if (round === 20) store.remove('carol', kept);
    if (round === 25) store.countAttempt('dave', kept[0] ?? 0);
    await store.flush();
  }
  return kept;
}

async function settled(store: MailStore): Promise<void> {
  for (let bytes = -1; bytes !== store.stats.bytes; ) {
    bytes = store.stats.bytes;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

describe('cleaning', () => {
  it('gives space back, and keeps live mail, ids, facts and the epoch', async () => {
    const disk = new SimulatedFileSystem();
    const { store, opened } = await openLog(disk, OPTIONS);
    store.setFact('old', 'fact');
    const early = putMail(store, { msgId: 'early' });
    await store.flush();
    store.remove('bob', [early.seq]);
    const kept = await traffic(store);
    await settled(store);
    expect(disk.names).not.toContain('mail-00000001.log');
    const { stats } = store;
    expect(stats.bytes).toBeLessThan(2 * (stats.rememberedIds * 28 + stats.mails * 300) + 5 * 1_000);
    expect(stats.bytes).toBe(disk.usedBytes);
    expect(store.seqOf('alice', 'early')).toBe(early.seq);
    const again = await openLog(disk.afterKill(), OPTIONS);
    expect(again.opened.epoch).toBe(opened.epoch);
    expect(again.opened.mails.map(({ seq }) => seq)).toEqual(kept);
    expect(again.opened.mails[0]?.attempts).toEqual(new Map([['dave', 1]]));
    expect(again.opened.mails.map(({ recipients }) => [...recipients].sort())).toEqual([['dave'], ['dave'], ['dave'], ['carol', 'dave']]);
    expect(Object.fromEntries(again.opened.facts)).toEqual({ 'fact 0': 'value 39', 'fact 1': 'value 37', 'fact 2': 'value 38', old: 'fact' });
    expect(again.store.seqOf('alice', 'early')).toBe(early.seq);
    expect(again.store.stats.rememberedIds).toBe(stats.rememberedIds);
    expect(again.store.nextSeq()).toBeGreaterThan(Math.max(...kept) + 200);
    for (const frame of await again.store.read(again.opened.mails)) expect(frame?.toString()).toMatch(/^(frame \d+ )+$/);
  });

  it('can be cut short by a crash at every step', async () => {
    // how many steps there are
    const counted = new SimulatedFileSystem();
    let steps = 0;
    counted.beforeEach = () => steps++;
    const whole = await openLog(counted, OPTIONS);
    await traffic(whole.store, 25);
    await settled(whole.store);
    expect(steps).toBeGreaterThan(100);
    for (let crashAt = 5; crashAt < steps; crashAt += 5) {
      const disk = new SimulatedFileSystem();
      const { store, opened, stored } = await openLog(disk, OPTIONS);
      let next: SimulatedFileSystem | undefined;
      let storedBefore: string[] = [];
      let step = 0;
      const crashed = new Promise<void>((resolve) => {
        disk.beforeEach = () => {
          if (step++ < crashAt) return;
          next = disk.afterKill();
          storedBefore = stored.map(({ msgId }) => msgId);
          resolve();
        };
      });
      await Promise.race([crashed, traffic(store, 25).then(() => settled(store))]);
      if (next === undefined) break;
      const again = await openLog(next, OPTIONS);
      expect(again.opened.epoch).toBe(opened.epoch);
      // each id that was stored is known, and mail that nobody removed is there
      for (const msgId of storedBefore) expect(again.store.seqOf('alice', msgId)).toBeDefined();
      const there = again.opened.mails.map(({ msgId }) => msgId);
      for (const msgId of storedBefore.filter((id) => id.startsWith('kept'))) expect(there).toContain(msgId);
      const frames = await again.store.read(again.opened.mails);
      for (const [index, frame] of frames.entries()) expect(frame?.toString()).toContain(`frame ${again.opened.mails[index]?.seq} `);
      // and cleaning goes on where it was
      await traffic(again.store, 6);
      await settled(again.store);
      const contents = await openLog(next.afterKill(), OPTIONS);
      expect(contents.opened.mails.length).toBeGreaterThanOrEqual(again.opened.mails.filter(({ recipients }) => !recipients.includes('bob')).length);
    }
  });

  it('gives back what is dead even when the disk is full', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, { ...OPTIONS, maxRememberedIds: 0 });
    const seqs: number[] = [];
    for (let count = 0; count < 40; count++) {
      seqs.push(putMail(store).seq);
      await store.flush();
    }
    store.setFact('late', 'x');
    await store.flush();
    const used = disk.usedBytes;
    disk.capacityBytes = used;
    store.remove('bob', seqs);
    await store.flush().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(disk.usedBytes).toBeLessThan(used);
    expect(store.stats.state).toBe('open');
    expect((await openLog(disk.afterKill(), OPTIONS)).opened).toMatchObject({ mails: [], facts: new Map([['late', 'x']]) });
  });

  it('leaves a segment alone of which a copy found no space', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, { ...OPTIONS, maxRememberedIds: 0 });
    // all in one block, with enough in it for the cleaner to let others have their turn in between
    const block = Array.from({ length: 300 }, () => putMail(store));
    await store.flush();
    const kept = block.filter((_, index) => index % 3 === 0).map(({ seq }) => seq);
    let isCopying = false;
    let writes = 0;
    disk.beforeEach = (operation, name) => {
      if (operation === 'open' && name === 'mail-00000001.log') isCopying = true;
      // the first one after that began before
      if (isCopying && operation === 'write' && ++writes === 2) throw failure('ENOSPC');
    };
    let nowMs = performance.now();
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 5));
    store.remove('bob', block.map(({ seq }) => seq).filter((seq) => !kept.includes(seq)));
    for (let round = 0; round < 80; round++) {
      if (isCopying) break;
      const { seq } = putMail(store, { frame: Buffer.alloc(1_000) });
      await store.flush().catch(() => undefined);
      store.remove('bob', [seq]);
    }
    clock.mockRestore();
    await settled(store);
    expect(writes).toBeGreaterThan(2);
    const { opened, store: next } = await openLog(disk.afterKill(), OPTIONS);
    expect(opened.mails.map(({ seq }) => seq)).toEqual(expect.arrayContaining(kept));
    for (const [index, frame] of (await next.read(opened.mails)).entries()) expect(frame?.toString()).toMatch(`frame ${opened.mails[index]?.seq} `);
  });

  it('leaves a segment alone that has become unreadable', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, OPTIONS);
    const kept = putMail(store, { recipients: ['carol'] });
    await store.flush();
    const bytes = disk.contents('mail-00000001.log');
    disk.beforeEach = (operation, name) => {
      if (operation === 'read' && name === 'mail-00000001.log') throw failure('EIO');
    };
    await traffic(store, 20);
    await settled(store);
    expect(disk.names).toContain('mail-00000001.log');
    expect(disk.contents('mail-00000001.log').subarray(0, bytes.length)).toEqual(bytes);
    const { opened } = await openLog(disk.afterKill(), OPTIONS);
    expect(opened.mails.map(({ seq }) => seq)).toContain(kept.seq);
  });

  it('fetches frames while their segments go', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, { ...OPTIONS, cacheBytes: 0 });
    const mails = Array.from({ length: 10 }, () => putMail(store, { recipients: ['carol'] }));
    await store.flush();
    const cleaning = { isOver: false };
    let reads = 0;
    const reading = (async () => {
      while (!cleaning.isOver) {
        const frames = await store.read(mails);
        expect(frames.map((frame) => frame?.toString().split(' ')[1])).toEqual(mails.map(({ seq }) => String(seq)));
        reads++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await traffic(store);
    await settled(store);
    cleaning.isOver = true;
    await reading;
    expect(reads).toBeGreaterThan(20);
    expect(disk.names).not.toContain('mail-00000001.log');
  });

  it('reads back everything the same', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, OPTIONS);
    await traffic(store);
    await settled(store);
    await store.close();
    const first = await openLog(disk, OPTIONS);
    const contents = await contentsOf(first.store, first.opened);
    await settled(first.store);
    const second = await openLog(disk.afterKill(), OPTIONS);
    expect(await contentsOf(second.store, second.opened)).toEqual(contents);
  });
});
