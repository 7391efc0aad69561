import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { LiveBacklog } from '../../src/gateway/live-backlog.js';

/** What a frame counts besides its payload. */
const HEADER_BYTES = 10;

const sizeOf = (payloads: readonly Buffer[]): number => payloads.reduce((bytes, { length }) => bytes + length + HEADER_BYTES, 0);

describe('The backlog of a slow receiver', () => {
  test('holds the newest messages in their order, and as many as fit', () => {
    const limit = fc.integer({ min: 20, max: 600 });
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 3_000 }), limit, (sizes, maxBytes) => {
        const backlog = new LiveBacklog();
        const payloads = sizes.map((bytes, index) => Buffer.alloc(bytes, index));
        let dropped = 0;
        for (const payload of payloads) {
          dropped += backlog.push(payload, maxBytes);
          expect(backlog.sizeBytes <= Math.max(maxBytes, payload.length + HEADER_BYTES)).toBe(true);
        }
        expect(backlog.dropped).toBe(dropped);
        const rest = payloads.slice(dropped);
        expect(backlog.sizeBytes).toBe(sizeOf(rest));
        // the last one that went did not fit
        if (dropped > 0) expect(sizeOf(payloads.slice(dropped - 1))).toBeGreaterThan(maxBytes);
        expect(Buffer.concat(backlog.takeAll()).equals(Buffer.concat(rest))).toBe(true);
        expect([backlog.sizeBytes, backlog.takeAll()]).toEqual([0, []]);
      }),
      { numRuns: 60 },
    );
  });

  test('keeps one message that is larger than all may be, until it is told to shrink', () => {
    const backlog = new LiveBacklog();
    backlog.push(Buffer.from('small'), 100);
    expect(backlog.push(Buffer.alloc(500), 100)).toBe(1);
    expect(backlog.sizeBytes).toBe(510);
    expect(backlog.shrinkTo(509)).toBe(1);
    expect(backlog.sizeBytes).toBe(0);
  });

  test('keeps nothing alive but the bytes of its messages', () => {
    const backlog = new LiveBacklog();
    const read = Buffer.alloc(65_536, 'x');
    backlog.push(read.subarray(100, 200), 1_000);
    backlog.push(read, 100_000);
    const [view, whole] = backlog.takeAll();
    expect(view?.toString()).toBe('x'.repeat(100));
    expect(view?.buffer.byteLength).toBe(100);
    expect(whole).toBe(read);
  });
});
