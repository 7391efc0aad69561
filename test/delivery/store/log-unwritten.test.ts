import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { StoredMail } from '../../../src/delivery/store/index.js';
import { failure, SimulatedFileSystem, type FileOperation } from './simulated.file-system.js';
import { openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const turns = async (count = 40): Promise<void> => {
  for (; count > 0; count--) await new Promise((resolve) => setImmediate(resolve));
};

const frameOf = (text: string): Buffer => Buffer.from(`secret of ${text} `.repeat(3));

/** All that is on the disk. */
function bytesOn(disk: SimulatedFileSystem): string {
  return disk.names.map((name) => disk.contents(name).toString('latin1')).join('');
}

/** Once, as soon as this operation begins. */
function once(disk: SimulatedFileSystem, wanted: FileOperation, action: () => void): void {
  disk.beforeEach = (operation) => {
    if (operation !== wanted) return;
    disk.beforeEach = () => undefined;
    action();
  };
}

describe('A message that leaves its mailbox before it is written', () => {
  it('is not written, but its id is', async () => {
    const disk = new SimulatedFileSystem();
    const { store, stored } = await openLog(disk);
    const mails = ['a', 'b', 'c'].map((msgId) => putMail(store, { msgId, frame: frameOf(msgId) }));
    store.remove('bob', [mails[0]?.seq ?? 0, mails[2]?.seq ?? 0]);
    expect(store.pendingMails).toBe(3);
    await store.flush();
    expect(store.pendingMails).toBe(0);
    expect(stored.map(({ msgId }) => msgId)).toEqual(['b']);
    expect(['a', 'b', 'c'].filter((msgId) => bytesOn(disk).includes(frameOf(msgId).toString()))).toEqual(['b']);
    const { store: next, opened } = await openLog(disk.afterKill());
    expect(opened.mails.map(({ msgId }) => msgId)).toEqual(['b']);
    expect(mails.map(({ fromClientId, msgId }) => next.seqOf(fromClientId, msgId))).toEqual(mails.map(({ seq }) => seq));
    expect(next.nextSeq()).toBeGreaterThan(mails[2]?.seq ?? 0);
  });

  it('needs no record at all when its id is not remembered either', async () => {
    const disk = new SimulatedFileSystem();
    const { store, opened } = await openLog(disk, { maxRememberedIds: 0 });
    store.remove('bob', [putMail(store).seq]);
    await store.flush();
    const kept = putMail(store);
    await store.flush();
    const again = await openLog(disk.afterKill(), { maxRememberedIds: 0 });
    expect(again.opened).toMatchObject({ epoch: opened.epoch, mails: [{ seq: kept.seq }] });
  });

  it('leaves no id behind of which another message has the place by now', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, { maxRememberedIds: 2 });
    const mails = ['a', 'b', 'c', 'd'].map((msgId) => putMail(store, { msgId }));
    store.remove('bob', mails.map(({ seq }) => seq));
    await store.flush();
    const { store: next } = await openLog(disk.afterKill(), { maxRememberedIds: 4 });
    expect(mails.map(({ msgId }) => next.seqOf('alice', msgId))).toEqual([undefined, undefined, mails[2]?.seq, mails[3]?.seq]);
  });

  it('keeps its id when its segment is cleaned', async () => {
    const disk = new SimulatedFileSystem();
    const { store } = await openLog(disk, { segmentBytes: 1_000 });
    const { seq } = putMail(store, { msgId: 'early' });
    store.remove('bob', [seq]);
    await store.flush();
    for (let round = 0; round < 100 && disk.names.includes('mail-00000001.log'); round++) {
      const mail = putMail(store, { frame: Buffer.alloc(500) });
      await store.flush();
      store.remove('bob', [mail.seq]);
      await turns();
    }
    expect(disk.names).not.toContain('mail-00000001.log');
    expect((await openLog(disk.afterKill())).store.seqOf('alice', 'early')).toBe(seq);
  });
});

it('A message that leaves its mailbox while it is being written is gone after a restart, and its id known', async () => {
  const disk = new SimulatedFileSystem();
  const { store } = await openLog(disk);
  const { seq } = putMail(store, { msgId: 'm' });
  once(disk, 'datasync', () => store.remove('bob', [seq]));
  await store.flush();
  expect(store.stats.mails).toBe(0);
  await store.flush();
  const { store: next, opened } = await openLog(disk.afterKill());
  expect(opened.mails).toEqual([]);
  expect(next.seqOf('alice', 'm')).toBe(seq);
});

it('What is done with a message before it is written survives a restart with it', async () => {
  const disk = new SimulatedFileSystem();
  const { store } = await openLog(disk);
  const tried = putMail(store, { msgId: 'tried', recipients: ['bob', 'carol'] });
  const dead = putMail(store, { msgId: 'dead' });
  const parted = putMail(store, { msgId: 'parted', recipients: ['bob', 'carol', 'dave'] });
  store.countAttempt('carol', tried.seq);
  store.countAttempt('carol', tried.seq);
  store.countAttempt('bob', dead.seq);
  store.move(dead.seq, 'bob', 'letters');
  store.remove('bob', [parted.seq]);
  store.remove('dave', [parted.seq]);
  await store.flush();
  const { opened } = await openLog(disk.afterKill());
  expect(opened.mails.map(({ msgId, recipients, attempts }) => [msgId, [...recipients].sort(), Object.fromEntries(attempts ?? [])])).toEqual([
    ['tried', ['bob', 'carol'], { carol: 2 }],
    ['dead', ['letters'], {}],
    ['parted', ['carol'], {}],
  ]);
});

it('What is done with a message while it is being written survives a restart', async () => {
  const disk = new SimulatedFileSystem();
  const { store } = await openLog(disk);
  const tried = putMail(store, { msgId: 'tried' });
  const dead = putMail(store, { msgId: 'dead' });
  const parted = putMail(store, { msgId: 'parted', recipients: ['bob', 'carol'] });
  once(disk, 'datasync', () => {
    store.countAttempt('bob', tried.seq);
    store.move(dead.seq, 'bob', 'letters');
    store.remove('bob', [parted.seq]);
  });
  await store.flush();
  await store.flush();
  const { opened } = await openLog(disk.afterKill());
  expect(opened.mails.map(({ msgId, recipients, attempts }) => [msgId, recipients, attempts?.get('bob')])).toEqual([
    ['tried', ['bob'], 1],
    ['dead', ['letters'], undefined],
    ['parted', ['carol'], undefined],
  ]);
});

it('What was recorded before a message left its mailbox is durable when that is', async () => {
  const disk = new SimulatedFileSystem();
  const { store } = await openLog(disk, { segmentBytes: 300 });
  putMail(store, { frame: Buffer.alloc(400) });
  await store.flush();
  const { seq } = putMail(store);
  let next: SimulatedFileSystem | undefined;
  const killed = new Promise<void>((resolve) => {
    // the next segment begins
    once(disk, 'syncDirectory', () => {
      store.setFact('before', 'x');
      store.remove('bob', [seq]);
      let syncs = 0;
      disk.beforeEach = (operation) => {
        // just before what comes behind the first block of the segment
        if (operation !== 'write' || syncs++ === 0) return;
        next = disk.afterKill();
        resolve();
      };
    });
  });
  await turns();
  store.setFact('after', 'x');
  await killed;
  const { opened } = await openLog(next ?? disk);
  expect(opened.mails.some((mail) => mail.seq === seq) || opened.facts.get('before')).toBe('x');
});

describe('On a full disk', () => {
  /** A store that has found the disk full with messages on the way: `left` before they were written, `done` while they were. */
  const fill = async () => {
    const disk = new SimulatedFileSystem();
    const driver = await openLog(disk);
    const { store } = driver;
    disk.capacityBytes = disk.usedBytes;
    const [left, done, shown, lost] = ['left', 'done', 'shown', 'lost'].map((msgId) => putMail(store, { msgId }));
    if (left === undefined || done === undefined || shown === undefined || lost === undefined) throw new Error();
    shown.wasShown = true;
    store.remove('bob', [left.seq]);
    once(disk, 'write', () => store.remove('bob', [done.seq]));
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FULL' });
    return { ...driver, disk, left, done, shown, lost };
  };
  const known = async (disk: SimulatedFileSystem): Promise<string[]> => {
    const { store, opened } = await openLog(disk.afterKill());
    expect(opened.mails).toEqual([]);
    return ['left', 'done', 'shown', 'lost'].filter((msgId) => store.seqOf('alice', msgId) !== undefined);
  };

  it('the ids of processed messages are kept, and written when there is space', async () => {
    const { store, disk, refused, stored, shown, lost } = await fill();
    expect(refused.map(({ mail }) => [mail, mail.state])).toEqual([[shown, 'refused'], [lost, 'refused']]);
    // a crash would still take them away
    expect(store.pendingMails).toBe(2);
    store.forgetId(shown);
    expect(store.stats).toMatchObject({ mails: 0, liveBytes: 0, rememberedIds: 2 });
    disk.capacityBytes = Infinity;
    await pause(700);
    expect([store.stats.state, store.pendingMails, stored]).toEqual(['open', 0, []]);
    expect(await known(disk)).toEqual(['left', 'done']);
  });

  it('the id of a refused message that its receiver confirms later is kept, too', async () => {
    const { store, disk, shown, lost } = await fill();
    expect([shown, lost].map(({ msgId }) => store.seqOf('alice', msgId))).toEqual([shown.seq, undefined]);
    store.remove('bob', [shown.seq]);
    expect(store.stats).toMatchObject({ mails: 0, liveBytes: 0, rememberedIds: 3 });
    disk.capacityBytes = Infinity;
    await pause(700);
    expect(await known(disk)).toEqual(['left', 'done', 'shown']);
  });

  it('a message that is never confirmed leaves no id behind', async () => {
    const { store, disk, shown } = await fill();
    disk.capacityBytes = Infinity;
    await pause(700);
    store.forgetId(shown);
    await store.flush();
    expect(store.seqOf('alice', 'shown')).toBeUndefined();
    expect(await known(disk)).toEqual(['left', 'done']);
  });
});

it('A store that fails twice at once gives back the messages that it was writing', async () => {
  const disk = new SimulatedFileSystem();
  const { store, stored, refused } = await openLog(disk, { segmentBytes: 1_000, maxRememberedIds: 0 });
  const put: StoredMail[] = [];
  const disturbed = { isWriting: false, hasFailed: false };
  disk.beforeEach = (operation, name) => {
    if (operation === 'write') disturbed.isWriting = true;
    if (operation === 'datasync') disturbed.isWriting = false;
    // a segment cannot be deleted while a message is being written, which fails next
    if (operation === 'unlink' && name.endsWith('.log') && disturbed.isWriting) disturbed.hasFailed = true;
    if (disturbed.hasFailed) throw failure(operation === 'unlink' ? 'EIO' : 'ENOSPC');
  };
  for (let round = 0; round < 200 && !disturbed.hasFailed; round++) {
    put.push(putMail(store, { frame: Buffer.alloc(500) }));
    await turns(1);
    store.remove('bob', stored.map(({ seq }) => seq));
  }
  await turns();
  expect(disturbed.hasFailed).toBe(true);
  expect(store.stats.state).toBe('failed');
  expect(put.map(({ state }) => state)).not.toContain('storing');
  expect(refused.length).toBeGreaterThan(0);
  expect([...stored, ...refused.map(({ mail }) => mail)].map(({ seq }) => seq).sort((left, right) => left - right)).toEqual(put.map(({ seq }) => seq));
});

describe('A commit', () => {
  /** A store whose commits take long, and a clock that stands still. */
  const slow = async () => {
    jest.useFakeTimers({ doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval', 'performance'] });
    const disk = new SimulatedFileSystem();
    const driver = await openLog(disk);
    let nowMs = performance.now();
    jest.spyOn(performance, 'now').mockImplementation(() => (nowMs += 1_000));
    putMail(driver.store, { msgId: 'first' });
    await driver.store.flush();
    driver.stored.length = 0;
    return { ...driver, disk };
  };
  const show = (store: Parameters<typeof putMail>[0], msgId: string, bytes = 10) => {
    const mail = putMail(store, { msgId, frame: Buffer.alloc(bytes) });
    mail.wasShown = true;
    return mail;
  };
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });

  it('of messages that receivers have waits for them, but not for long', async () => {
    const { store, stored } = await slow();
    const [early] = [show(store, 'early'), show(store, 'late')];
    await turns();
    store.remove('bob', [early.seq]);
    jest.advanceTimersByTime(19);
    await turns();
    expect(stored).toEqual([]);
    jest.advanceTimersByTime(1);
    await turns();
    expect(stored.map(({ msgId }) => msgId)).toEqual(['late']);
    expect(store.pendingMails).toBe(0);
  });

  it('does not wait for a message that its receiver does not have', async () => {
    const { store, stored } = await slow();
    putMail(store, { msgId: 'alone' });
    await turns();
    expect(stored.map(({ msgId }) => msgId)).toEqual(['alone']);
    // also when it comes while it is waited
    show(store, 'shown');
    await turns();
    expect(stored).toHaveLength(1);
    putMail(store, { msgId: 'urgent' });
    await turns();
    expect(stored.map(({ msgId }) => msgId)).toEqual(['alone', 'shown', 'urgent']);
  });

  it('does not wait when somebody flushes, or closes', async () => {
    const { store, stored } = await slow();
    show(store, 'shown');
    await turns();
    await store.flush();
    expect(stored.map(({ msgId }) => msgId)).toEqual(['shown']);
    show(store, 'at once');
    await store.flush();
    show(store, 'last');
    await turns();
    await store.close();
    expect(stored.map(({ msgId }) => msgId)).toEqual(['shown', 'at once', 'last']);
  });

  it('does not wait when there is more behind it', async () => {
    const { store, stored, disk } = await slow();
    const large = 3 * 1024 * 1024;
    show(store, 'large', large);
    await turns();
    show(store, 'larger', large);
    expect(stored).toEqual([]);
    // the first batch takes no more
    putMail(store, { msgId: 'behind' });
    await turns();
    expect(stored.map(({ msgId }) => msgId)).toEqual(['large', 'larger', 'behind']);
    // all of that while another one is being written
    putMail(store, { msgId: 'writing' });
    once(disk, 'write', () => {
      show(store, 'large', large);
      show(store, 'larger', large);
      putMail(store, { msgId: 'behind' });
    });
    await turns();
    expect(stored.slice(3).map(({ msgId }) => msgId)).toEqual(['writing', 'large', 'larger', 'behind']);
  });
});
