import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { FrameBatch } from '../../src/gateway/frame-batch.js';

/** `ws` exports its parser; its types do not say so. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable };

/** The texts that a WebSocket receiver reads out of the bytes. */
async function received(chunks: readonly Buffer[]): Promise<string[]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const texts: string[] = [];
  receiver.on('message', (data: Buffer, isBinary: boolean) => texts.push(isBinary ? 'binary!' : data.toString('utf8')));
  const failed = new Promise<never>((_, reject) => receiver.on('error', reject));
  const fed = new Promise<void>((resolve) => receiver.write(Buffer.concat(chunks), () => resolve()));
  await Promise.race([fed, failed]);
  return texts;
}

const chainOf = (payloads: readonly Buffer[], start = FrameBatch.start()): FrameBatch =>
  payloads.reduce((batch, payload) => batch.append(payload), start);

describe('a batch of frames', () => {
  test('is read back as its messages, in order, whatever their sizes', async () => {
    const size = fc.oneof(fc.constantFrom(0, 1, 125, 126, 127, 32_768, 32_769, 65_535, 65_536, 70_000), fc.nat(300));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: 12 }), async (sizes) => {
        const payloads = sizes.map((bytes, index) => Buffer.alloc(bytes, 97 + (index % 26)));
        const batch = chainOf(payloads);
        expect(await received(batch.chunks)).toEqual(payloads.map((payload) => payload.toString()));
        expect(Buffer.concat(batch.chunks).length).toBe(batch.sizeBytes);
      }),
      { numRuns: 60 },
    );
  });

  test('carries a megabyte without copying it', () => {
    const large = Buffer.alloc(1_048_576, 'x');
    const { chunks } = chainOf([Buffer.from('before'), large, Buffer.from('after')]);
    expect(chunks.some((chunk) => chunk === large)).toBe(true);
    expect(chunks).toHaveLength(3);
  });

  test('is put together once for all receivers of the same messages', () => {
    const start = FrameBatch.start();
    const payloads = [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')];
    const first = chainOf(payloads, start);
    const second = chainOf(payloads, start);
    expect(second.chunks[0]).toBe(first.chunks[0]);
  });

  test('of a receiver that got another message in between stays its own', async () => {
    const start = FrameBatch.start();
    const [one, two, aside] = ['one', 'two', 'aside'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];
    const plain = start.append(one);
    const other = start.append(one).append(aside);
    const plainEnd = plain.append(two);
    const otherEnd = other.append(two);
    expect(await received(plainEnd.chunks)).toEqual(['one', 'two']);
    expect(await received(otherEnd.chunks)).toEqual(['one', 'aside', 'two']);
  });
});
