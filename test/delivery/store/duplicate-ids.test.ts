import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { DuplicateIds } from '../../../src/delivery/store/duplicate-ids.js';
import { RecordReader } from '../../../src/delivery/store/record-reader.js';
import { RecordWriter } from '../../../src/delivery/store/record-writer.js';
import { readIds, RECORD_HEADER_BYTES } from '../../../src/delivery/store/record.js';

describe('remembered ids', () => {
  it('agree with a map while there is room', () => {
    const operation = fc.record({ sender: fc.constantFrom('a', 'b', 'c'), id: fc.integer({ min: 0, max: 300 }), forget: fc.boolean() });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 4_000, size: 'max' }), (operations) => {
        const ids = new DuplicateIds(1_000, 10_000);
        const model = new Map<string, number>();
        for (const [seq, { sender, id, forget }] of operations.entries()) {
          const key = `${sender}/${id}`;
          if (forget) {
            ids.forget(sender, String(id), model.get(key) ?? 0);
            model.delete(key);
          } else {
            ids.remember(sender, String(id), seq + 1, 0, 0);
            model.set(key, seq + 1);
          }
        }
        expect(ids.size).toBe(model.size);
        for (const sender of ['a', 'b', 'c'])
          for (let id = 0; id <= 300; id++) expect(ids.seqOf(sender, String(id), 1)).toBe(model.get(`${sender}/${id}`));
      }),
      { numRuns: 12 },
    );
  });

  it('are found by their place only as long as it is theirs', () => {
    const ids = new DuplicateIds(1_000, 2);
    const places = [1, 2, 3].map((seq) => [ids.remember('alice', `id ${seq}`, seq, 0, 0), seq]);
    expect(places[2]?.[0]).toBe(places[0]?.[0]);
    ids.forget('alice', 'id 2', 2);
    const writer = new RecordWriter(0);
    expect(ids.write(writer, [...places.flat(), 0, 4])).toBe(1);
    const reader = new RecordReader(writer.buffer.subarray(RECORD_HEADER_BYTES, writer.length));
    expect([reader.clientId(), readIds(reader).map(({ seq }) => seq), reader.position]).toEqual(['alice', [3], reader.buffer.length]);
  });

  it('go after their time, also those of senders that are quiet', () => {
    const ids = new DuplicateIds(1_000, 10_000);
    for (let seq = 1; seq <= 500; seq++) ids.remember(`sender ${seq % 10}`, `id ${seq}`, seq, seq, seq);
    expect(ids.seqOf('sender 1', 'id 1', 1_000)).toBe(1);
    expect(ids.seqOf('sender 1', 'id 1', 1_001)).toBeUndefined();
    for (let sweep = 0; sweep < 100; sweep++) ids.sweep(1_250);
    expect(ids.size).toBe(250);
    for (let sweep = 0; sweep < 100; sweep++) ids.sweep(2_000);
    expect(ids.size).toBe(0);
  });

  it('of others stay when one sender floods', () => {
    const ids = new DuplicateIds(1_000, 1_000);
    for (let seq = 1; seq <= 100; seq++) ids.remember(`quiet ${seq % 4}`, `id ${seq}`, seq, 0, 0);
    for (let seq = 101; seq <= 20_000; seq++) ids.remember('flood', `id ${seq}`, seq, 0, 0);
    expect(ids.size).toBe(1_000);
    for (let seq = 1; seq <= 100; seq++) expect(ids.seqOf(`quiet ${seq % 4}`, `id ${seq}`, 0)).toBe(seq);
    expect(ids.seqOf('flood', 'id 20000', 0)).toBe(20_000);
    expect(ids.seqOf('flood', 'id 19101', 0)).toBe(19_101);
    expect(ids.seqOf('flood', 'id 19100', 0)).toBeUndefined();
    // one that comes late takes from the largest
    for (let seq = 30_001; seq <= 30_050; seq++) ids.remember('late', `id ${seq}`, seq, 0, 0);
    for (let seq = 30_001; seq <= 30_050; seq++) expect(ids.seqOf('late', `id ${seq}`, 0)).toBe(seq);
    expect(ids.size).toBe(1_000);
  });

  it('of very many senders with one each give way to newer ones', () => {
    const ids = new DuplicateIds(1_000, 1_000);
    for (let seq = 1; seq <= 5_000; seq++) ids.remember(`sender ${seq}`, 'id', seq, 0, 0);
    expect(ids.size).toBe(1_000);
    expect(ids.seqOf('sender 5000', 'id', 0)).toBe(5_000);
  });

  it('are put into order after a restart', () => {
    const ids = new DuplicateIds(1_000, 3);
    for (const seq of [3, 1, 2]) ids.remember('a', `id ${seq}`, seq, 0, 0);
    ids.sort();
    ids.remember('a', 'id 4', 4, 0, 0);
    expect([1, 2, 3, 4].map((seq) => ids.seqOf('a', `id ${seq}`, 0))).toEqual([undefined, 2, 3, 4]);
  });
});
