import { afterEach, describe, expect, it } from '@jest/globals';
import { LogMailStore, MemoryMailStore, type MailStore } from '../../../src/delivery/store/index.js';
import { SimulatedFileSystem } from './simulated.file-system.js';
import { openStore, putMail, STORE_OPTIONS } from './store-driver.js';

const drivers: [string, (options?: Partial<typeof STORE_OPTIONS>) => MailStore][] = [
  ['log', (options) => new LogMailStore({ ...STORE_OPTIONS, ...options }, new SimulatedFileSystem())],
  ['memory', (options) => new MemoryMailStore({ ...STORE_OPTIONS, ...options })],
];

describe.each(drivers)('the %s store', (_, create) => {
  let open: MailStore | undefined;
  const start = async (options?: Partial<typeof STORE_OPTIONS>) => {
    const driver = await openStore(create(options));
    open = driver.store;
    return driver;
  };
  afterEach(() => open?.close());

  it('tells later, in the order of put, what is stored', async () => {
    const { store, stored, opened } = await start();
    expect(opened.mails).toEqual([]);
    const mails = [putMail(store), putMail(store), putMail(store)];
    expect(stored).toEqual([]);
    await store.flush();
    expect(stored).toEqual(mails);
    expect(stored[0]).toBe(mails[0]);
    expect(store.stats).toMatchObject({ state: 'open', mails: 3, rememberedIds: 3 });
    expect(store.stats.liveBytes).toBe(mails.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  });

  it('gives growing numbers', async () => {
    const { store } = await start();
    const seqs = Array.from({ length: 1_000 }, () => store.nextSeq());
    expect(seqs).toEqual([...new Set(seqs)].sort((left, right) => left - right));
  });

  it('knows the ids of a sender', async () => {
    const { store } = await start();
    const mail = putMail(store, { fromClientId: 'alice', msgId: 'm1' });
    expect(store.seqOf('alice', 'm1')).toBe(mail.seq);
    expect(store.seqOf('bob', 'm1')).toBeUndefined();
    expect(store.seqOf('alice', 'm2')).toBeUndefined();
    store.remove('bob', [mail.seq]);
    await store.flush();
    expect(store.seqOf('alice', 'm1')).toBe(mail.seq);
  });

  it('forgets ids after their time', async () => {
    const { store } = await start({ duplicateWindowMs: 30 });
    putMail(store, { msgId: 'm1' });
    expect(store.seqOf('alice', 'm1')).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(store.seqOf('alice', 'm1')).toBeUndefined();
  });

  it('takes a message out of one mailbox after the other', async () => {
    const { store } = await start();
    const mail = putMail(store, { recipients: ['bob', 'carol', 'dave'] });
    store.remove('bob', [mail.seq, 999_999_999]);
    store.remove('bob', [mail.seq]);
    expect([...mail.recipients].sort()).toEqual(['carol', 'dave']);
    store.remove('dave', [mail.seq]);
    store.remove('carol', [mail.seq]);
    await store.flush();
    expect(store.stats).toMatchObject({ mails: 0, liveBytes: 0 });
    expect(await store.read([mail])).toEqual([undefined]);
  });

  it('counts negative confirmations by mailbox', async () => {
    const { store } = await start();
    const { seq, attempts } = putMail(store, { recipients: ['bob', 'carol'] });
    expect(attempts).toBeUndefined();
    expect([store.countAttempt('bob', seq), store.countAttempt('bob', seq), store.countAttempt('carol', seq)]).toEqual([1, 2, 1]);
    expect(store.countAttempt('dave', seq)).toBe(0);
    expect(store.countAttempt('bob', 999_999_999)).toBe(0);
  });

  it('moves a message into another mailbox', async () => {
    const { store } = await start();
    const mail = putMail(store, { recipients: ['bob', 'carol'] });
    store.move(mail.seq, 'bob', 'dead');
    expect([...mail.recipients].sort()).toEqual(['carol', 'dead']);
    store.move(mail.seq, 'carol', 'dead');
    store.move(mail.seq, 'nobody', 'elsewhere');
    expect(mail.recipients).toEqual(['dead']);
  });

  it('fetches frames that are not at hand', async () => {
    const { store } = await start();
    const mails = Array.from({ length: 50 }, (_, index) => putMail(store, { frame: Buffer.alloc(index * 40 + 1, 97 + (index % 26)) }));
    await store.flush();
    const frames = await store.read(mails.toReversed());
    expect(frames.map((frame) => frame?.toString()).toReversed()).toEqual(mails.map((_, index) => String.fromCodePoint(97 + (index % 26)).repeat(index * 40 + 1)));
  });

  it('refuses messages beyond maxStoreBytes and takes them again when there is room', async () => {
    const { store } = await start({ maxStoreBytes: 20_000, segmentBytes: 2_000 });
    const seqs: number[] = [];
    expect(() => {
      for (;;) seqs.push(putMail(store, { frame: Buffer.alloc(1_000) }).seq);
    }).toThrow(expect.objectContaining({ code: 'CC_STORE_FULL' }));
    expect(store.stats.state).toBe('full');
    expect(seqs.length).toBeGreaterThan(10);
    await store.flush();
    store.remove('bob', seqs);
    await store.flush();
    for (let tries = 0; store.stats.bytes > 15_000 && tries < 200; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
    putMail(store, { frame: Buffer.alloc(1_000) });
    await store.flush();
    expect(store.stats).toMatchObject({ state: 'open', mails: 1 });
  });

  it('takes nothing when it is closed', async () => {
    const { store, stored } = await start();
    putMail(store);
    await store.close();
    expect(stored).toHaveLength(1);
    expect(store.stats.state).toBe('closed');
    expect(() => putMail(store)).toThrow(expect.objectContaining({ code: 'CC_STORE_FAILED' }));
    await expect(store.flush()).rejects.toMatchObject({ code: 'CC_STORE_FAILED' });
    store.remove('bob', [1]);
    store.setFact('a', 'b');
    await store.close();
  });
});
