import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SimulatedFileSystem } from './simulated.file-system.js';
import { openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

/** Numbers from 0 to 1 that are the same in every run. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a loss of power', () => {
  it('never takes what was said to be stored, nor brings back what was durably removed', async () => {
    let losses = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const random = numbersFrom(seed * 7_919);
      let disk = new SimulatedFileSystem();
      const stored = new Map<string, number>();
      const removed = new Set<string>();
      const durablyRemoved = new Set<string>();
      const seqs = new Set<number>();
      let epoch = '';
      for (let life = 0; life < 4; life++) {
        const { store, opened } = await openLog(disk, { segmentBytes: 3_000 });
        const there = new Set(opened.mails.map(({ msgId }) => msgId));
        for (const [msgId, seq] of stored) {
          expect(store.seqOf('alice', msgId)).toBe(seq);
          if (!removed.has(msgId)) expect(there.has(msgId)).toBe(true);
          if (durablyRemoved.has(msgId)) expect(there.has(msgId)).toBe(false);
        }
        const frames = await store.read(opened.mails);
        for (const [index, frame] of frames.entries()) expect(frame?.toString()).toBe(opened.mails[index]?.msgId.padEnd(400, '.'));
        if (life > 0 && epoch !== opened.epoch) losses++;
        ({ epoch } = opened);
        const steps = Math.floor(random() * 60);
        let step = 0;
        const power = { isOn: true };
        const lost = new Promise<void>((resolve) => {
          const current = disk;
          current.beforeEach = () => {
            if (step++ < steps) return;
            power.isOn = false;
            disk = current.afterPowerLoss(random);
            resolve();
          };
        });
        const work = async (): Promise<void> => {
          for (let round = 0; power.isOn; round++) {
            const mails = Array.from({ length: 1 + Math.floor(random() * 4) }, (_, index) => {
              const msgId = `${seed}-${life}-${round}-${index}`;
              const seq = store.nextSeq();
              expect(seqs.has(seq)).toBe(false);
              seqs.add(seq);
              return putMail(store, { seq, msgId, frame: Buffer.from(msgId.padEnd(400, '.')) });
            });
            await store.flush();
            for (const { msgId, seq } of mails) stored.set(msgId, seq);
            const gone = mails.filter(() => random() < 0.8);
            for (const { msgId, seq } of gone) {
              removed.add(msgId);
              store.remove('bob', [seq]);
            }
            await store.flush();
            for (const { msgId } of gone) durablyRemoved.add(msgId);
          }
        };
        await Promise.race([lost, work()]);
      }
    }
    // it did tear something now and then
    expect(losses).toBeGreaterThan(20);
  });
});
