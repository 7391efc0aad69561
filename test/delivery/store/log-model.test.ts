import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import type { StoredMail } from '../../../src/delivery/store/index.js';
import { SimulatedFileSystem } from './simulated.file-system.js';
import { contentsOf, openLog, putMail } from './store-driver.js';

Logger.overrideLogger(false);

const recipient = fc.constantFrom('bob', 'carol', 'dave', 'Zoë', '日本');

const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), recipients: fc.uniqueArray(recipient, { minLength: 1 }), receipt: fc.constantFrom(undefined, 'delivered' as const, 'processed' as const), from: fc.constantFrom('alice', 'erin'), size: fc.integer({ min: 0, max: 400 }), msgId: fc.string({ unit: 'binary' }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('remove' as const), recipient, picks: fc.array(fc.nat(), { maxLength: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('attempt' as const), recipient, pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), from: recipient, to: recipient, pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('fact' as const), key: fc.constantFrom('a', 'b', 'ü'), value: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart' as const, 'kill' as const) }) },
);

interface ModelMail {
  readonly seq: number;
  readonly from: string;
  readonly msgId: string;
  readonly receipt: StoredMail['receipt'];
  readonly frame: string;
  recipients: string[];
  attempts: Map<string, number>;
}

describe('any sequence of operations', () => {
  it('leaves what a model says, over restarts and cleaning', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 120, size: 'max' }), fc.nat(), async (operations, capacity) => {
        let disk = new SimulatedFileSystem();
        const options = { segmentBytes: 500 + (capacity % 1_000), cacheBytes: capacity % 500 };
        let { store, opened } = await openLog(disk, options);
        const { epoch } = opened;
        const model = new Map<number, ModelMail>();
        const facts = new Map<string, string>();
        const ids = new Map<string, number>();
        const seqs: number[] = [];
        const check = async (): Promise<void> => {
          expect(opened.epoch).toBe(epoch);
          const mails = [...model.values()].map(({ recipients, attempts, ...mail }) => ({
            ...mail,
            storedAtMs: expect.any(Number) as unknown,
            expiresAtMs: 4e12,
            recipients: [...recipients].sort(),
            attempts: Object.fromEntries(attempts),
          }));
          expect(await contentsOf(store, opened)).toEqual({ mails, facts: Object.fromEntries(facts) });
          for (const [key, seq] of ids) expect(store.seqOf(key.slice(0, key.indexOf('/')), key.slice(key.indexOf('/') + 1))).toBe(seq);
          expect(store.stats).toMatchObject({ mails: model.size, rememberedIds: ids.size });
        };
        const reopen = async (): Promise<void> => {
          ({ store, opened } = await openLog(disk, options));
          await check();
        };
        for (const current of operations) {
          const pick = (index: number): number => seqs[index % Math.max(1, seqs.length)] ?? 0;
          switch (current.do) {
            case 'put': {
              const { recipients, receipt, from, msgId } = current;
              const seq = store.nextSeq();
              expect(seq).toBeGreaterThan(seqs.at(-1) ?? 0);
              const frame = `${seq}`.padEnd(current.size, '.');
              putMail(store, { seq, fromClientId: from, msgId, receipt, recipients, frame: Buffer.from(frame) });
              model.set(seq, { seq, from, msgId, receipt, frame, recipients: [...recipients], attempts: new Map() });
              ids.set(`${from}/${msgId}`, seq);
              seqs.push(seq);
              break;
            }
            case 'remove':
              store.remove(current.recipient, current.picks.map(pick));
              for (const seq of current.picks.map(pick)) {
                const mail = model.get(seq);
                if (mail === undefined) continue;
                mail.recipients = mail.recipients.filter((name) => name !== current.recipient);
                mail.attempts.delete(current.recipient);
                if (mail.recipients.length === 0) model.delete(seq);
              }
              break;
            case 'attempt': {
              const mail = model.get(pick(current.pick));
              const holds = mail?.recipients.includes(current.recipient) === true;
              const count = holds ? (mail.attempts.get(current.recipient) ?? 0) + 1 : 0;
              if (holds) mail.attempts.set(current.recipient, count);
              expect(store.countAttempt(current.recipient, pick(current.pick))).toBe(count);
              break;
            }
            case 'move': {
              const { from, to } = current;
              store.move(pick(current.pick), from, to);
              const mail = model.get(pick(current.pick));
              if (mail?.recipients.includes(from) !== true || from === to) break;
              mail.recipients = [...new Set(mail.recipients.map((name) => (name === from ? to : name)))];
              mail.attempts.delete(from);
              break;
            }
            case 'fact':
              store.setFact(current.key, current.value);
              if (current.value === undefined) facts.delete(current.key);
              else facts.set(current.key, current.value);
              break;
            case 'flush':
              await store.flush();
              break;
            case 'restart':
              await store.close();
              await reopen();
              break;
            case 'kill':
              await store.flush();
              disk = disk.afterKill();
              await reopen();
              break;
          }
        }
        await store.close();
        await reopen();
        await store.close();
      }),
      { numRuns: 80 },
    );
  });
});
