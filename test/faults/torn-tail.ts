import { expect } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import type { Consumer } from './consumer.js';
import type { MailPosition } from '../../src/protocol/index.js';
import type { Producer } from './producer.js';
import { RawReceiver } from './raw-receiver.js';
import { faultScenario } from './scenario.js';
import { copyDataDir, damageFile, fileSizes, type Damage } from './store-damage.js';
import { pause, type Testbed } from './testbed.js';

/** Messages in front of the ones whose records are damaged. */
const EARLIER = 15;
/** Messages whose records are damaged, each alone in its commit. */
const LAST = 3;

/** A record of the store: one of the last messages to "raw", and where it ends in the file. */
interface LastRecord {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A store as a killed hub left it. */
interface CrashedStore {
  /** The file its last records are in, relative to the data directory. */
  readonly file: string;
  readonly records: readonly LastRecord[];
  readonly earlier: readonly string[];
  /** Where "raw" was. */
  readonly position: MailPosition;
}

/** Mail for "raw", which reads nothing to the end, and "sdk", which surfaced what came first and is cut off. */
async function crashedStore(bed: Testbed, producer: Producer, sdk: Consumer): Promise<CrashedStore> {
  const raw = new RawReceiver(`ws://127.0.0.1:${bed.hub.port}`, 'raw');
  await raw.connect();
  for (let i = 0; i < EARLIER; i++) {
    await producer.send('sdk', 80);
    await producer.send('raw', 80);
  }
  while (sdk.received < EARLIER) await pause(5);
  await raw.read(EARLIER, { confirmEvery: 1, confirmShare: 0, random: () => 1 });
  const { position } = raw;
  raw.cut();
  await sdk.client.logout();
  // what is written about all that is written now
  await pause(300);
  const mail = join(bed.dataDir, 'mail');
  let before = await fileSizes(mail);
  let file = '';
  const records: LastRecord[] = [];
  for (let i = 1; i <= LAST; i++) {
    for (const receiver of ['sdk', 'raw']) {
      expect(await producer.send(receiver, 80)).toBeUndefined();
      const after = await fileSizes(mail);
      const grown = [...after].filter(([path, size]) => size !== (before.get(path) ?? 0));
      expect(grown).toHaveLength(1);
      const [path, end] = grown[0] as [string, number];
      file = join('mail', path);
      records.push({ name: receiver === 'raw' ? `p1#${EARLIER + i}` : '', start: before.get(path) ?? 0, end });
      before = after;
    }
  }
  await bed.hub.kill();
  return { file, records, earlier: Array.from({ length: EARLIER }, (_, i) => `p1#${i + 1}`), position };
}

/** What of the mail for "raw" must still be there, and whether something is certainly missing. */
function expectedAfter({ records, earlier }: CrashedStore, { kind, at }: Damage): { names: string[]; isTorn: boolean } {
  const isIntact = ({ start, end }: LastRecord): boolean => (kind === 'garbled' ? at < start || at >= end : end <= at);
  const begun = records[0]?.start ?? 0;
  const names = [...(kind !== 'garbled' && at < begun ? [] : earlier), ...records.filter(isIntact).map(({ name }) => name)].filter((name) => name !== '');
  // a file that ends where a record ends looks like one that was never longer
  const isTorn = kind !== 'cut' || !records.some(({ start, end }) => at === start || at === end);
  return { names, isTorn };
}

function damages({ records }: CrashedStore, kind: Damage['kind'], everyByte: boolean, pick: (least: number, most: number) => number): Damage[] {
  const [first, last] = [records[0]?.start ?? 0, records.at(-1)?.end ?? 0];
  // what garbage a tail is matters less than that it is none of the bytes that were there: zeros go through them all
  const step = kind === 'garbage' ? 4 : 1;
  const edges = records.flatMap(({ start, end }) => [start, start + 1, end - 1]);
  const inside = everyByte ? Array.from({ length: (last - first) / step }, (_, i) => first + i * step) : [...edges, ...Array.from({ length: 12 }, () => pick(first, last - 1))];
  // as it was, first
  return [{ kind: 'cut', at: last }, ...inside.map((at) => ({ kind, at }))];
}

/** Starts a hub for each use; it closes while the next one starts. */
class Hubs {
  #closing: Promise<void> = Promise.resolve();

  async use(dataDir: string, use: (hub: TestHub) => Promise<void>): Promise<void> {
    const hub = await startTestHub({ dataDir, storage: { driver: 'none' }, closeTimeoutMs: 10, shutdownTimeoutMs: 300, delivery: { drainSpreadMs: 0 } });
    await this.#closing;
    try {
      await use(hub);
    } finally {
      this.#closing = hub.close().then(() => rm(dataDir, { recursive: true }));
    }
  }

  closed(): Promise<void> {
    return this.#closing;
  }
}

/**
 * A hub started on a store with each damage of one kind, and one client that goes through them all. One kind each: a
 * client remembers 4,096 messages of earlier epochs, and each damage adds one.
 */
export function tornTailScenario(kind: Damage['kind'], part: 'all' | 'even' | 'odd' = 'all'): void {
  faultScenario(`torn tail of the store, ${kind}${part === 'all' ? '' : ` at ${part} bytes`}`, { quick: { everyByte: false }, full: { everyByte: true }, leastAcked: 2 * (EARLIER + LAST), timeoutMs: 1_200_000 }, async (bed, { everyByte }) => {
    await bed.startHub();
    const sdk = await bed.consumer('sdk', { reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
    const producer = await bed.producer('p1', { reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
    const store = await crashedStore(bed, producer, sdk);
    const all = damages(store, kind, everyByte, (least, most) => bed.random.integer(least, most)).filter(({ at }, i) => i === 0 || part === 'all' || (at % 2 === 0) === (part === 'even'));
    // on a disk in memory where there is one: what is proven has nothing to do with the time that syncs take
    const scratch = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : bed.directory, 'cross-comm-damaged-'));
    bed.onClose(() => rm(scratch, { recursive: true, force: true }));
    const hubs = new Hubs();
    bed.onClose(() => hubs.closed());
    for (const [i, damage] of all.entries()) {
      const what = `${damage.kind} at byte ${damage.at}`;
      const damaged = join(scratch, String(i));
      await copyDataDir(bed.dataDir, damaged);
      await damageFile(join(damaged, store.file), damage, bed.random);
      const { names, isTorn } = expectedAfter(store, damage);
      await hubs.use(damaged, async (hub) => {
        // the client with mail from before: whatever this hub still has of it, it surfaces nothing twice
        bed.link.leadTo(hub.port);
        const { received, recoveries } = sdk;
        const logins = recoveries.length;
        if (sdk.client.status.state === 'closed') await sdk.client.login({ keepTrying: true });
        while (recoveries.length === logins) await pause(1);
        if (isTorn || i > 0) expect({ what, recovered: recoveries.at(-1) }).toEqual({ what, recovered: false });
        // behind everything else for it
        await producer.send('sdk', 64);
        const wanted = received + 1 + (i === 0 ? LAST : 0);
        while (sdk.received < wanted) await pause(1);
        expect({ what, surfaced: sdk.received }).toEqual({ what, surfaced: wanted });

        const raw = new RawReceiver(hub.url, 'raw', i === 0 ? bed.history : undefined);
        // a torn store sends everything, whatever is said to be done already
        const welcome = await raw.connect({ resume: isTorn ? store.position : { ...store.position, seq: 0 } });
        if (isTorn) expect({ what, epoch: welcome.epoch, recovered: welcome.recovered }).toEqual({ what, epoch: expect.not.stringMatching(`^${store.position.epoch}$`), recovered: false });
        await raw.read(names.length, { confirmEvery: 10, confirmShare: 1, random: () => 0 });
        await raw.settleConfirmations();
        expect({ what, names: raw.names }).toEqual({ what, names });
        raw.cut();
      });
    }
    return { damages: all.length, 'bytes damaged': (store.records.at(-1)?.end ?? 0) - (store.records[0]?.start ?? 0) };
  });
}
