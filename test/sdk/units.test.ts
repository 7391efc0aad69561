import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CrossCommError } from '../../src/protocol/index.js';
import { frameSizeProblem, pythonFrameBytes } from '../../src/sdk/frame-size.js';
import { InboundQueue } from '../../src/sdk/inbound-queue.js';
import { Outbox, type OutboxEntry } from '../../src/sdk/outbox.js';
import { isPlainJson } from '../../src/sdk/plain-json.js';
import { RECONNECT_DEFAULTS, reconnectDelayMs } from '../../src/sdk/reconnect-policy.js';
import { PendingCalls } from '../../src/sdk/pending-calls.js';
import { absoluteUrl } from '../../src/sdk/signed-transfer.js';
import { pythonDumps } from './support/python-json.js';
import { codeOf } from './support/clients.js';

describe('the reconnect delay', () => {
  test('lies between nothing and the doubled bound, which ends at maxDelayMs', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), random, (attempt, value) => {
        const delay = reconnectDelayMs(RECONNECT_DEFAULTS, attempt, value);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(20_000, 500 * 2 ** (attempt - 1)));
      }),
    );
    expect([1, 2, 3, 9, 5_000].map((attempt) => reconnectDelayMs(RECONNECT_DEFAULTS, attempt, 0.999))).toEqual([499, 999, 1_998, 19_980, 19_980]);
    expect(reconnectDelayMs(RECONNECT_DEFAULTS, 7, 0)).toBe(0);
  });
});

describe('the outbox', () => {
  const entry = (frame: string, log: string[]): OutboxEntry => ({
    frame,
    sent: () => log.push(`sent ${frame}`),
    failed: (error) => log.push(`${error.code} ${frame}`),
  });

  test('gives back in order what was put in, whatever was removed and however often it was interrupted', () => {
    const step = fc.oneof(fc.constant('add' as const), fc.constant('remove' as const), fc.nat({ max: 5 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const outbox = new Outbox({ maxMessages: 1_000, maxBytes: 100_000 });
        const waiting: OutboxEntry[] = [];
        const sent: string[] = [];
        const expected: string[] = [];
        for (const [index, action] of steps.entries()) {
          if (action === 'add') {
            const added = entry(`m${index}`, []);
            outbox.add(added);
            waiting.push(added);
          } else if (action === 'remove') {
            const [removed] = waiting.splice(Math.floor(waiting.length / 2), 1);
            if (removed !== undefined) expect(outbox.remove(removed)).toBe(true);
          } else {
            let budget = action;
            outbox.flush(({ frame }) => budget-- > 0 && sent.push(frame) > 0);
            expected.push(...waiting.splice(0, action).map(({ frame }) => frame));
          }
          expect(outbox.bytes).toBe(waiting.reduce((sum, { frame }) => sum + frame.length, 0));
        }
        expect(sent).toEqual(expected);
      }),
    );
  });

  test('refuses beyond its count and beyond its bytes, and then holds what it held', () => {
    const log: string[] = [];
    const outbox = new Outbox({ maxMessages: 2, maxBytes: 10 });
    outbox.add(entry('ää', log));
    expect(() => outbox.add(entry('1234567', log))).toThrow(expect.objectContaining({ code: 'CC_QUEUE_FULL' }));
    outbox.add(entry('1', log));
    expect(() => outbox.add(entry('2', log))).toThrow(expect.objectContaining({ code: 'CC_QUEUE_FULL' }));
    expect(outbox.bytes).toBe(5);
    outbox.failAll(new CrossCommError('CC_CLOSED'));
    expect(log).toEqual(['CC_CLOSED ää', 'CC_CLOSED 1']);
    expect(outbox.bytes).toBe(0);
  });
});

describe('the size of a frame', () => {
  test('is for a Python server what its json.dumps makes of it', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const frame = JSON.stringify({ content: value });
        expect(pythonFrameBytes(frame)).toBe(pythonDumps(JSON.parse(frame)).length);
      }),
    );
  });

  test('is in UTF-8 for a hub, up to its announced limit', () => {
    expect(frameSizeProblem('ä'.repeat(500), 1_000)).toBeUndefined();
    expect(frameSizeProblem('ä'.repeat(501), 1_000)).toMatchObject({ code: 'CC_TOO_LARGE', data: { bytes: 1_002, limit: 1_000 } });
  });
});

describe('the inbound queue', () => {
  test('keeps the order of each lane and never runs more lanes than allowed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (lanes, concurrency) => {
        const done: Record<number, number[]> = {};
        let running = 0;
        const queue = new InboundQueue<{ lane: number; index: number }>(
          { concurrency, maxWaiting: 1_000 },
          {
            onFull: () => undefined,
            run: ({ lane, index }) => {
              (done[lane] ??= []).push(index);
              if (index % 3 === 0) return undefined;
              expect(++running).toBeLessThanOrEqual(concurrency);
              return Promise.resolve().then(() => void running--);
            },
          },
        );
        lanes.forEach((lane, index) => queue.push(`${lane}`, { lane, index }));
        for (let turn = 0; turn < 400; turn++) await Promise.resolve();
        expect(Object.values(done).flat()).toHaveLength(lanes.length);
        for (const order of Object.values(done)) expect(order).toEqual([...order].sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  test('says when it is full and when half of it is done', async () => {
    const events: boolean[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const queue = new InboundQueue<number>({ concurrency: 1, maxWaiting: 4 }, { onFull: (isFull) => events.push(isFull), run: () => gate });
    for (let i = 0; i < 6; i++) queue.push('lane', i);
    expect([events, queue.isFull]).toEqual([[true], true]);
    release();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect([events, queue.isFull]).toEqual([[true, false], false]);
  });
});

describe('pending calls', () => {
  test('are settled by key, once, and forget what timed out or was aborted', async () => {
    const calls = new PendingCalls<unknown>();
    const answered = calls.wait('a', {});
    const refused = calls.wait('b', {});
    const abort = new AbortController();
    const codes = Promise.all([
      codeOf(refused),
      codeOf(calls.wait('c', { timeoutMs: 5 })),
      codeOf(calls.wait('d', { signal: abort.signal })),
      codeOf(calls.wait('e', {})),
    ]);
    expect(calls.settle('a', (call) => call.resolve([1]))).toBe(true);
    expect(calls.settle('a', (call) => call.resolve([2]))).toBe(false);
    expect(calls.settle('b', (call) => call.reject(new CrossCommError('CC_UNKNOWN_ACTION')))).toBe(true);
    expect(calls.settle(undefined, (call) => call.resolve(3))).toBe(false);
    abort.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    calls.rejectAll(new CrossCommError('CC_CLOSED'));
    expect(await answered).toEqual([1]);
    expect(await codes).toEqual(['CC_UNKNOWN_ACTION', 'CC_TIMEOUT', 'CC_ABORTED', 'CC_CLOSED']);
    for (const key of 'abcde') expect(calls.settle(key, () => undefined)).toBe(false);
  });
});

test('plain JSON is what JSON.stringify carries unchanged, and nothing that it changes', () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => isPlainJson(value)));
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [Number.NaN, Infinity, 1n, undefined, () => 1, new Date(), new Map(), { toJSON: () => 1 }, cycle, [undefined]])
    expect(isPlainJson(value)).toBe(false);
});

test('a relative URL of the hub belongs to the address of the connection', () => {
  expect(absoluteUrl('/b/k?x=1', 'ws://user:secret@hub:9898/path')).toBe('http://hub:9898/b/k?x=1');
  expect(absoluteUrl('/b/k', 'wss://hub')).toBe('https://hub/b/k');
  expect(absoluteUrl('https://oss.example/k', 'ws://hub')).toBe('https://oss.example/k');
});
