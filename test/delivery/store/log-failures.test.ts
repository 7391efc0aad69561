import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { failure, SimulatedFileSystem, type FileOperation } from './simulated.file-system.js';
import { openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a full disk', () => {
  it.each([Infinity, 100])('refuses the messages of that commit, keeps what was done with others, and takes mail again later (%p bytes a write)', async (maxWriteBytes) => {
    const disk = new SimulatedFileSystem();
    disk.maxWriteBytes = maxWriteBytes;
    const { store, stored, refused } = await openLog(disk, { segmentBytes: 1e6 });
    const first = putMail(store, { recipients: ['bob', 'carol'] });
    const second = putMail(store);
    await store.flush();
    const good = disk.contents('mail-00000001.log');
    disk.capacityBytes = disk.usedBytes + 150;
    const lost = putMail(store, { msgId: 'lost', frame: Buffer.alloc(1_000) });
    store.remove('bob', [first.seq]);
    store.setFact('full', 'kept');
    expect(store.countAttempt('carol', first.seq)).toBe(1);
    store.move(second.seq, 'bob', 'dead');
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FULL' });
    expect(refused).toEqual([{ mail: lost, error: expect.objectContaining({ code: 'CC_STORE_FULL' }) }]);
    expect(store.seqOf('alice', 'lost')).toBeUndefined();
    expect(store.stats).toMatchObject({ state: 'full', mails: 2 });
    expect(disk.contents('mail-00000001.log')).toEqual(good);
    expect(() => putMail(store)).toThrow(expect.objectContaining({ code: 'CC_STORE_FULL', retryAfter: 0.5 }));
    disk.capacityBytes = Infinity;
    await pause(550);
    const later = putMail(store, { msgId: 'later' });
    await store.flush();
    expect(store.stats.state).toBe('open');
    expect(stored.at(-1)).toBe(later);
    const { opened } = await openLog(disk.afterKill(), { segmentBytes: 1e6 });
    expect(opened.mails.map(({ msgId, recipients, attempts }) => [msgId, recipients, attempts?.get('carol')])).toEqual([
      [first.msgId, ['carol'], 1],
      [second.msgId, ['dead'], undefined],
      ['later', ['bob'], undefined],
    ]);
    expect(opened.facts.get('full')).toBe('kept');
  });

  it('writes by itself, when there is space again, what was kept', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk);
    const mail = putMail(store);
    await store.flush();
    disk.capacityBytes = disk.usedBytes;
    store.remove('bob', [mail.seq]);
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FULL' });
    disk.capacityBytes = Infinity;
    await pause(700);
    expect(store.stats.state).toBe('open');
    expect((await openLog(disk.afterKill())).opened.mails).toEqual([]);
  });

  it('refuses no message twice and none that was stored', async () => {
    const disk = new SimulatedFileSystem();
    const { store, stored, refused } = await openLog(disk, { segmentBytes: 2_000 });
    disk.capacityBytes = 10_000;
    const put: number[] = [];
    for (let round = 0; round < 60; round++) {
      try {
        for (let count = 0; count < 5; count++) put.push(putMail(store).seq);
      } catch (error) {
        expect(error).toMatchObject({ code: 'CC_STORE_FULL' });
      }
      await pause(1);
    }
    await store.flush().catch(() => undefined);
    const told = [...stored.map(({ seq }) => seq), ...refused.map(({ mail }) => mail.seq)];
    expect(told.sort((left, right) => left - right)).toEqual(put);
    expect(refused.length).toBeGreaterThan(0);
    const { opened } = await openLog(disk.afterKill(), { segmentBytes: 2_000 });
    expect(opened.mails.map(({ seq }) => seq)).toEqual(stored.map(({ seq }) => seq));
  });

  it.each([false, true])('full of mail is freed by those who process it, also after a restart: %p', async (isRestarted) => {
    const options = { segmentBytes: 4_000 };
    let disk = new SimulatedFileSystem();
    disk.capacityBytes = 60_000;
    let { store, opened } = await openLog(disk, options);
    const seqs: number[] = [];
    const fill = async (): Promise<void> => {
      for (;;) {
        const { seq } = putMail(store, { frame: Buffer.alloc(500) });
        await store.flush();
        seqs.push(seq);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'CC_STORE_FULL' });
    // mail does not get what is kept for giving space back
    await pause(550);
    putMail(store, { frame: Buffer.alloc(4_000) });
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FULL' });
    expect(disk.names).toContain('disk-reserve');
    if (isRestarted) {
      disk = disk.afterKill();
      disk.capacityBytes = disk.usedBytes + 4_000;
      ({ store, opened } = await openLog(disk, options));
      expect(opened.mails.map(({ seq }) => seq)).toEqual(seqs);
    }
    expect(seqs.length).toBeGreaterThan(50);
    for (const seq of seqs) store.remove('bob', [seq]);
    for (let tries = 0; tries < 20 && store.stats.state !== 'open'; tries++) {
      await pause(200);
      // as the hub does, with every message that somebody sends
      try {
        if (store.stats.state === 'full') store.remove('bob', [putMail(store).seq]);
      } catch (error) {
        expect(error).toMatchObject({ code: 'CC_STORE_FULL' });
      }
    }
    expect(store.stats).toMatchObject({ state: 'open', mails: 0 });
    const later = putMail(store);
    await store.flush();
    expect((await openLog(disk.afterKill(), options)).opened.mails.map(({ seq }) => seq)).toEqual([later.seq]);
  });

  it('still hands out an old store', async () => {
    const disk = new SimulatedFileSystem();
    const first = await openLog(disk);
    putMail(first.store);
    await first.store.close();
    disk.capacityBytes = disk.usedBytes;
    const { store, opened } = await openLog(disk);
    expect(opened).toMatchObject({ epoch: first.opened.epoch, mails: [expect.objectContaining({ fromClientId: 'alice' })] });
    expect(store.stats.state).toBe('full');
  });
});

describe('too many open files', () => {
  it.each<FileOperation>(['open', 'syncDirectory'])('when a segment begins refuse messages, and pass: %s', async (operation) => {
    const disk = new SimulatedFileSystem();
    const { store, stored, refused } = await openLog(disk, { segmentBytes: 1_000 });
    const files = { areShort: true, failures: 0 };
    disk.beforeEach = (current) => {
      if (!files.areShort || current !== operation) return;
      files.failures++;
      throw failure('EMFILE');
    };
    while (files.failures === 0) {
      putMail(store);
      await store.flush().catch(() => undefined);
    }
    expect(refused.map(({ error }) => error)).toEqual([expect.objectContaining({ code: 'CC_STORE_FULL', message: expect.stringContaining('too many files open') })]);
    files.areShort = false;
    await pause(550);
    const later = putMail(store);
    await store.flush();
    expect(stored.at(-1)).toBe(later);
    expect(store.stats.state).toBe('open');
    expect((await openLog(disk.afterKill())).opened.mails.map(({ seq }) => seq)).toEqual(stored.map(({ seq }) => seq));
  });

  it('do not end the cleaning', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, { segmentBytes: 1_000, maxRememberedIds: 0 });
    const kept = putMail(store, { recipients: ['carol'] });
    let failures = 0;
    const churn = async (): Promise<void> => {
      for (let count = 0; count < 40; count++) {
        const { seq } = putMail(store);
        await store.flush();
        store.remove('bob', [seq]);
      }
    };
    // each of its steps is short of a file once
    const steps = ['open mail-00000001.log', 'unlink mail-00000001.log', 'syncDirectory '];
    disk.beforeEach = (operation, name) => {
      if (`${operation} ${name}` !== steps[0] || (operation === 'syncDirectory' && disk.names.includes('mail-00000001.log'))) return;
      steps.shift();
      failures++;
      throw failure('EMFILE');
    };
    for (let round = 0; round < 6; round++) await churn();
    expect(failures).toBe(3);
    expect(disk.names).not.toContain('mail-00000002.log');
    expect((await openLog(disk.afterKill())).opened.mails.map(({ seq }) => seq)).toContain(kept.seq);
  });
});

describe('a deleted file', () => {
  it('that is being written ends the store within a second', async () => {
    const disk = new SimulatedFileSystem();
    const { store, stored } = await openLog(disk);
    putMail(store);
    await store.flush();
    disk.delete('mail-00000001.log');
    await pause(1_050);
    putMail(store);
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FAILED', message: expect.stringContaining('mail-00000001.log was deleted') });
    expect(stored).toHaveLength(1);
    expect(() => putMail(store)).toThrow(expect.objectContaining({ code: 'CC_STORE_FAILED' }));
  });
});

describe('a failing disk', () => {
  it.each<[FileOperation, string]>([
    ['datasync', 'EIO'],
    ['datasync', 'ENOSPC'],
    ['write', 'EIO'],
    ['syncDirectory', 'EIO'],
  ])('ends the store for good: %s %s', async (operation, code) => {
    const disk = new SimulatedFileSystem();
    const { store, stored, refused } = await openLog(disk, { segmentBytes: 1_000 });
    putMail(store);
    await store.flush();
    const disturbed = { failures: 0 };
    disk.beforeEach = (current) => {
      if (current === operation && disturbed.failures++ === 0) throw failure(code);
    };
    for (let count = 0; count < 30 && disturbed.failures === 0; count++) {
      putMail(store);
      await pause(2);
    }
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
    // the disk works again, which does not count
    await pause(600);
    expect(() => putMail(store)).toThrow(expect.objectContaining({ code: 'CC_STORE_FAILED' }));
    expect(store.stats.state).toBe('failed');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.every(({ error }) => (error as { code?: string }).code === 'CC_STORE_FAILED')).toBe(true);
    expect(store.stats.mails).toBe(stored.length);
    store.remove('bob', [1]);
    await expect(store.close()).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
  });
});
