import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import { CrossCommError } from '../../../src/protocol/index.js';
import { LogMailStore, type MailStore, type StoredMail } from '../../../src/delivery/store/index.js';
import { change, foundIn, PowerModel, type Step } from './power-model.js';
import { failure, SimulatedFileSystem, type FileOperation } from './simulated.file-system.js';
import { putMail, STORE_OPTIONS } from './store-driver.js';

Logger.overrideLogger(false);

const recipient = fc.constantFrom('bob', 'carol', 'dave');

const operation = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('put' as const), recipients: fc.uniqueArray(recipient, { minLength: 1 }), size: fc.oneof(fc.nat(80), fc.nat(1_500)), isShown: fc.boolean() }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('remove' as const), recipient, picks: fc.array(fc.nat(30), { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('attempt' as const), recipient, pick: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), from: recipient, to: recipient, pick: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fact' as const), key: fc.constantFrom('a', 'b', 'c'), value: fc.option(fc.string({ maxLength: 30 }), { nil: undefined }) }) },
  // what receivers confirm, some of it while it is being written
  { weight: 4, arbitrary: fc.record({ do: fc.constant('early' as const), count: fc.integer({ min: 1, max: 5 }), turns: fc.nat(6) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('churn' as const), rounds: fc.integer({ min: 2, max: 8 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('later' as const), ms: fc.constantFrom(520, 1_100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('full' as const), left: fc.nat(3_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('freed' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), what: fc.constantFrom<FileOperation>('datasync', 'write', 'open', 'syncDirectory', 'truncate', 'unlink', 'read'), code: fc.constantFrom('EIO', 'EMFILE', 'EROFS') }) },
);

/** From one start of the store to its end. */
const life = fc.record({
  operations: fc.array(operation, { maxLength: 50, size: 'max' }),
  end: fc.constantFrom('power' as const, 'power' as const, 'kill' as const, 'close' as const),
  /** Operations of the file system after which it ends, those of the start included. */
  steps: fc.oneof(fc.nat(25), fc.nat(250)),
  /** Whether the disk is full from the start, if it was at the end of the last life. */
  staysFull: fc.boolean(),
});
type Life = typeof life extends fc.Arbitrary<infer T> ? T : never;

const settings = fc.record({
  seed: fc.nat(),
  segmentBytes: fc.constantFrom(300, 1_000, 4_000),
  cacheBytes: fc.constantFrom(0, 2_000),
  slackSegments: fc.constantFrom(0, 2),
  maxWriteBytes: fc.constantFrom(Infinity, Infinity, 700),
});

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits, while the time goes on. */
async function answered(work: Promise<unknown>, power: { readonly isOn: boolean }): Promise<void> {
  const state = { isOver: false };
  const over = work.finally(() => (state.isOver = true));
  for (let count = 1; !state.isOver && power.isOn; count++) {
    await turn();
    if (count % 100 === 0) jest.advanceTimersByTime(600);
  }
  if (state.isOver) await over;
}

function isCoded(error: unknown): string {
  expect(error).toBeInstanceOf(CrossCommError);
  return (error as CrossCommError).code;
}

/** What the runs came across, so that it is known that they did. */
const seen = { powerCuts: 0, newEpochs: 0, refused: 0, refusedShown: 0, failed: 0, unwritten: 0, cutWhileOpening: 0, cleaned: 0, recovered: 0 };

/** One store over several lives on a disk that loses its power. */
class Machine {
  readonly #model = new PowerModel();
  readonly #random: () => number;
  #disk = new SimulatedFileSystem();
  readonly #epochs: string[] = [];
  /** The epoch may be new: something may have been torn. */
  #mayHaveNewEpoch = true;
  readonly #msgIds = new Set<string>();
  #lastSeq = 0;
  #isOpen = false;

  constructor(private readonly options: Settings) {
    this.#random = numbersFrom(options.seed);
  }

  async live(current: Life): Promise<void> {
    const disk = this.#disk;
    disk.maxWriteBytes = this.options.maxWriteBytes;
    if (!current.staysFull) disk.capacityBytes = Infinity;
    const power = { isOn: true };
    let steps = 0;
    this.#isOpen = false;
    let next: SimulatedFileSystem | undefined;
    const end = (how: Life['end']): void => {
      power.isOn = false;
      if (how === 'power') seen.powerCuts++;
      next = how === 'power' ? disk.afterPowerLoss(this.#random) : disk.afterKill();
      next.capacityBytes = disk.capacityBytes;
    };
    const cut = new Promise<void>((resolve) => {
      disk.beforeEach = (operation, name) => {
        if (operation === 'unlink' && name.endsWith('.log')) seen.cleaned++;
        if (current.end === 'close' || steps++ < current.steps || !power.isOn) return;
        end(current.end);
        resolve();
      };
    });
    await Promise.race([cut, this.#run(disk, current, power)]);
    if (power.isOn) end(current.end);
    else if (!this.#isOpen) seen.cutWhileOpening++;
    this.#disk = next ?? disk;
    this.#mayHaveNewEpoch ||= current.end === 'power' || disk.maxWriteBytes !== Infinity || disk.capacityBytes !== Infinity;
  }

  /** A last look, without any fault. */
  async look(): Promise<void> {
    await this.live({ operations: [], end: 'close', steps: 0, staysFull: false });
    await this.live({ operations: [{ do: 'put', recipients: ['bob'], size: 10, isShown: false }, { do: 'flush' }], end: 'close', steps: 0, staysFull: false });
    await this.live({ operations: [], end: 'close', steps: 0, staysFull: false });
  }

  async #run(disk: SimulatedFileSystem, { operations, end }: Life, power: { readonly isOn: boolean }): Promise<void> {
    const { segmentBytes, cacheBytes, slackSegments } = this.options;
    const store = new LogMailStore({ ...STORE_OPTIONS, duplicateWindowMs: 86_400_000, segmentBytes, cacheBytes, slackSegments }, disk);
    const puts = new Map<number, Step>();
    const open = store.open({
      onStored: (mails) => {
        if (power.isOn) for (const { seq } of mails) this.#model.isStored(puts.get(seq) as Step);
      },
      onRefused: (mails, error) => this.#refused(store, mails, error, puts, power),
    });
    let opened;
    try {
      opened = await open;
    } catch (error) {
      expect(isCoded(error)).toBe('CC_STORE_FULL');
      expect(disk.capacityBytes).toBeLessThan(Infinity);
      return;
    }
    const found = await foundIn(store, opened, this.#msgIds);
    seen.recovered++;
    this.#isOpen = true;
    expect([this.#model.recover(found), found]).toEqual([true, found]);
    for (const [msgId, seq] of this.#model.state.ids) expect(store.seqOf('alice', msgId)).toBe(seq);
    this.#checkEpoch(opened.epoch);
    // numbers that nothing was stored with may come again
    this.#lastSeq = Math.max(0, ...this.#model.state.ids.values());
    const seqs = [...this.#model.state.ids.values()].slice(-31);
    let mayFail = false;
    const refusal = (error: unknown): void => {
      // of itself it does not fail
      if (power.isOn) expect(['CC_STORE_FULL', mayFail ? 'CC_STORE_FAILED' : '']).toContain(isCoded(error));
    };
    const flush = async (): Promise<void> => {
      const count = this.#model.length;
      await answered(store.flush().then(() => power.isOn && this.#model.isDurable(count), refusal), power);
    };
    const put = (recipients: readonly string[], size: number, isShown = false): void => {
      const seq = store.nextSeq();
      expect(seq).toBeGreaterThan(this.#lastSeq);
      this.#lastSeq = seq;
      const msgId = `id-${seq}`;
      const frame = `${seq} `.padEnd(size, '.');
      const step = this.#model.add(({ mails, ids }) => {
        mails.set(seq, { recipients, attempts: new Map(), frame });
        ids.set(msgId, seq);
      });
      try {
        const mail = putMail(store, { seq, msgId, recipients, frame: Buffer.from(frame) });
        mail.wasShown = isShown && recipients.length === 1;
        puts.set(seq, step);
        seqs.push(seq);
        this.#msgIds.add(msgId);
      } catch (error) {
        refusal(error);
        step.isVoid = true;
      }
    };
    for (const current of operations) {
      if (!power.isOn) return;
      const seqAt = (pick: number): number => seqs[Math.max(0, seqs.length - 1 - pick)] ?? 0;
      switch (current.do) {
        case 'put':
          put(current.recipients, current.size, current.isShown);
          break;
        case 'early': {
          const from = seqs.length;
          for (let count = current.count; count > 0; count--) put(['bob'], 200, true);
          for (let count = current.turns; count > 0; count--) await turn();
          if (!power.isOn) return;
          const before = store.pendingMails;
          this.#model.add(change(store, { do: 'remove', recipient: 'bob', picks: seqs.slice(from).map((_, index) => index) }, seqAt));
          if (before > 0) seen.unwritten++;
          break;
        }
        case 'churn':
          // what is soon dead, so that there is something to clean
          for (let round = 0; round < current.rounds && power.isOn; round++) {
            put(['bob'], 300);
            await flush();
            this.#model.add(change(store, { do: 'remove', recipient: 'bob', picks: [0] }, seqAt));
          }
          break;
        case 'flush':
          await flush();
          break;
        case 'turns':
          for (let count = current.count; count > 0; count--) {
            await turn();
            // as long as it is waited for receivers at most
            jest.advanceTimersByTime(20);
          }
          break;
        case 'later':
          jest.advanceTimersByTime(current.ms);
          for (let count = 0; count < 20; count++) await turn();
          break;
        case 'full':
          this.#mayHaveNewEpoch = true;
          disk.capacityBytes = disk.usedBytes + current.left;
          break;
        case 'freed':
          disk.capacityBytes = Infinity;
          break;
        case 'fail':
          this.#mayHaveNewEpoch = true;
          mayFail = true;
          this.#failOnce(disk, current.what, current.code);
          break;
        default:
          this.#model.add(change(store, current, seqAt));
      }
    }
    if (end === 'close') {
      const count = this.#model.length;
      await answered(store.close().then(() => this.#model.isDurable(count), refusal), power);
    }
  }

  #refused(store: MailStore, mails: readonly StoredMail[], error: Error, puts: ReadonlyMap<number, Step>, power: { readonly isOn: boolean }): void {
    if (!power.isOn) return;
    const code = isCoded(error);
    seen[code === 'CC_STORE_FULL' ? 'refused' : 'failed']++;
    for (const mail of mails) {
      const { seq, msgId, wasShown } = mail;
      // after a failed sync nobody knows what is on the disk
      if (code === 'CC_STORE_FULL') (puts.get(seq) as Step).isVoid = true;
      if (!wasShown) continue;
      seen.refusedShown++;
      // its receiver is done with it, or never will be
      if (seq % 2 === 0) store.forgetId(mail);
      else {
        store.remove(mail.recipients[0] ?? '', [seq]);
        if (code === 'CC_STORE_FULL') this.#model.add(({ ids }) => void ids.set(msgId, seq));
      }
    }
    if (code !== 'CC_STORE_FULL') this.#mayHaveNewEpoch = true;
  }

  #checkEpoch(epoch: string): void {
    const last = this.#epochs.at(-1);
    const mayBeNew = this.#mayHaveNewEpoch;
    this.#mayHaveNewEpoch = false;
    if (epoch === last) return;
    expect(this.#epochs).not.toContain(epoch);
    expect(mayBeNew).toBe(true);
    if (last !== undefined) seen.newEpochs++;
    this.#epochs.push(epoch);
  }

  #failOnce(disk: SimulatedFileSystem, what: FileOperation, code: string): void {
    const before = disk.beforeEach;
    let hasFailed = false;
    disk.beforeEach = (operation, name) => {
      before(operation, name);
      if (hasFailed || operation !== what) return;
      hasFailed = true;
      throw failure(code);
    };
  }
}

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['Date', 'hrtime', 'nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate', 'setInterval', 'clearInterval'] }));
afterEach(() => void jest.useRealTimers());

describe('a store whose machine fails at any moment', () => {
  it('holds what it acked and no more than it was given, in order, life after life', async () => {
    await fc.assert(
      fc.asyncProperty(settings, fc.array(life, { minLength: 2, maxLength: 6 }), async (options, lives) => {
        const machine = new Machine(options);
        for (const current of lives) await machine.live(current);
        await machine.look();
      }),
      { numRuns: Number(process.env['POWER_RUNS'] ?? 150) },
    );
    // it did come across all of that
    for (const [what, times] of Object.entries(seen)) expect([what, times > 3]).toEqual([what, true]);
  }, 60_000);
});
