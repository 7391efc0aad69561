import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MailQueue } from '../../src/delivery/mail-queue.js';
import { SeqMap } from '../../src/delivery/seq-map.js';
import type { StoredMail } from '../../src/delivery/store/index.js';

const mailOf = (seq: number): StoredMail => ({ seq }) as StoredMail;
const seqOf = (mail: StoredMail | undefined): number | undefined => mail?.seq;
const SEQ = fc.oneof(fc.nat(100), fc.nat(2_000_000));

describe('a map by sequence number', () => {
  it('holds what a Map would', () => {
    const operation = fc.record({ do: fc.constantFrom('set', 'delete', 'get'), seq: SEQ });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const map = new SeqMap<{ readonly at: number }>();
        const model = new Map<number, { readonly at: number }>();
        for (const [at, { do: what, seq }] of operations.entries()) {
          if (what === 'set') {
            map.set(seq, { at });
            model.set(seq, { at });
          } else if (what === 'delete') expect(map.delete(seq)).toBe(model.delete(seq));
          expect(map.get(seq)).toEqual(model.get(seq));
          expect(map.size).toBe(model.size);
        }
        const ats = [...map.values()].map(({ at }) => at);
        expect(ats.toSorted((a, b) => a - b)).toEqual([...model.values()].map(({ at }) => at).toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('a queue of mail', () => {
  it('stays in the order of the numbers, whatever is put in and taken out', () => {
    const operation = fc.record({ do: fc.constantFrom('push', 'push', 'shift', 'take', 'putBack', 'remove'), seq: SEQ });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
        const queue = new MailQueue();
        let model: number[] = [];
        for (const { do: what, seq } of operations) {
          if ((what === 'push' || what === 'putBack') && !model.includes(seq)) {
            if (what === 'push') queue.push(mailOf(seq));
            else queue.putBack([mailOf(seq)]);
            model = [...model, seq].toSorted((a, b) => a - b);
          } else if (what === 'shift') expect(seqOf(queue.shift())).toBe(model.shift());
          else if (what === 'take') {
            expect(seqOf(queue.take(seq))).toBe(model.find((each) => each === seq));
            model = model.filter((each) => each !== seq);
          } else if (what === 'remove') {
            const limit = seq / 2;
            expect(queue.remove((mail) => mail.seq < limit).map(seqOf)).toEqual(model.filter((each) => each < limit));
            model = model.filter((each) => each >= limit);
          }
          expect(queue.length).toBe(model.length);
          expect(seqOf(queue.first)).toBe(model[0]);
          expect(seqOf(queue.get(seq))).toBe(model.find((each) => each === seq));
        }
        expect(queue.takeAll().map(seqOf)).toEqual(model);
        expect(queue.length).toBe(0);
      }),
    );
  });

  it('gives back the places of what was taken from its front', () => {
    const queue = new MailQueue();
    for (let seq = 1; seq <= 5_000; seq++) {
      queue.push(mailOf(seq));
      if (seq > 10) expect(seqOf(queue.shift())).toBe(seq - 10);
    }
    expect(queue.peek(queue.length).map(seqOf)).toEqual([4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999, 5000]);
  });
});
