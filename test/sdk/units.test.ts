import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CrossCommError, type Receipt } from '../../src/protocol/index.js';
import { frameSizeProblem, pythonFrameBytes } from '../../src/sdk/frame-size.js';
import { InboundQueue } from '../../src/sdk/inbound-queue.js';
import { Outbox, type OutgoingMessage } from '../../src/sdk/outbox.js';
import { PendingCall } from '../../src/sdk/pending-call.js';
import type { SentMessage } from '../../src/sdk/send-message.js';
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
  const credit = { messages: 3, bytes: 1_000 };
  const message = (msgId: string, { isDurable = true, awaits = 'stored', log = [], outbox }: Given = {}): OutgoingMessage => {
    const call = new PendingCall<SentMessage>(() => outbox?.remove(msgId));
    call.wait({}).then(
      ({ receipt }) => log.push(`${receipt} ${msgId}`),
      (error: CrossCommError) => log.push(`${error.code} ${msgId}`),
    );
    return { msgId, frame: msgId, plainFrame: msgId, isDurable, awaits, call };
  };
  interface Given {
    readonly isDurable?: boolean;
    readonly awaits?: Receipt;
    readonly log?: string[];
    readonly outbox?: Outbox;
  }

  test('gives every durable message that is not settled to each connection once, in order, within the credit', async () => {
    const step = fc.oneof(
      fc.constantFrom('add', 'add live', 'give up', 'lose', 'refuse'),
      fc.constantFrom<Receipt>('live', 'stored', 'delivered', 'processed'),
      fc.nat({ max: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 4 }), async (steps, messages) => {
        const outbox = new Outbox({ maxMessages: 1_000, maxBytes: 100_000 });
        const limits = { messages, bytes: 1_000 };
        const kept = new Map<string, OutgoingMessage>();
        /** What this connection was given and has not answered. */
        let unanswered: string[] = [];
        let onWire: string[] = [];
        for (const [index, action] of steps.entries()) {
          const msgId = `m${String(index).padStart(3, '0')}`;
          const [oldest] = unanswered;
          if (action === 'add' || action === 'add live') {
            const added = message(msgId, { outbox, isDurable: action === 'add', awaits: index % 3 === 0 ? 'processed' : 'stored' });
            outbox.add(added);
            if (added.isDurable) kept.set(msgId, added);
          } else if (action === 'give up') {
            const given = [...kept.values()][Math.floor(kept.size / 2)];
            given?.call.reject(new CrossCommError('CC_ABORTED'));
            kept.delete(given?.msgId ?? '');
          } else if (action === 'lose') {
            outbox.requeue();
            unanswered = [];
            onWire = [];
          } else if (action === 'refuse') {
            if (oldest === undefined) continue;
            unanswered.shift();
            expect(outbox.refuse(oldest, new CrossCommError('CC_MAILBOX_FULL'))).toBe(true);
            kept.delete(oldest);
          } else if (typeof action === 'string') {
            if (oldest === undefined) continue;
            unanswered.shift();
            const isLast = action === 'live' || action === 'processed' || kept.get(oldest)?.awaits === 'stored';
            outbox.acknowledge(action, [oldest, 'unknown']);
            if (isLast) kept.delete(oldest);
          } else {
            let budget = action;
            const given: string[] = [];
            outbox.flush((offered) => {
              if (budget-- <= 0) return false;
              if (offered.isDurable) given.push(offered.msgId);
              return true;
            }, limits);
            unanswered.push(...given);
            onWire.push(...given);
            expect(unanswered.length).toBeLessThanOrEqual(messages);
          }
          expect(onWire).toEqual([...new Set(onWire)].sort());
        }
        outbox.requeue();
        const again: string[] = [];
        outbox.flush(({ msgId, isDurable }) => isDurable && again.push(msgId) > 0, { messages: Infinity, bytes: Infinity });
        // live ones before them stop the flush above; the next offers what is left
        for (let i = 0; i < steps.length; i++) outbox.flush(({ msgId, isDurable }) => !isDurable || again.push(msgId) > 0, { messages: Infinity, bytes: Infinity });
        expect(again).toEqual([...kept.keys()]);
        expect(outbox.bytes).toBe(4 * kept.size);
        outbox.acknowledge('processed', again);
        expect([outbox.bytes, outbox.unansweredBytes, outbox.isAnswered]).toEqual([0, 0, true]);
      }),
    );
  });

  test('refuses beyond its count and beyond its bytes, unanswered ones included, and then holds what it held', async () => {
    const log: string[] = [];
    const outbox = new Outbox({ maxMessages: 2, maxBytes: 10 });
    outbox.add(message('ää', { log, outbox }));
    outbox.flush(() => true, credit);
    expect(() => outbox.add(message('1234567', { outbox }))).toThrow(expect.objectContaining({ code: 'CC_QUEUE_FULL' }));
    outbox.add(message('1', { log, outbox }));
    expect(() => outbox.add(message('2', { outbox }))).toThrow(expect.objectContaining({ code: 'CC_QUEUE_FULL' }));
    expect(outbox.bytes).toBe(5);
    outbox.failAll(new CrossCommError('CC_CLOSED'));
    await Promise.resolve();
    expect(log).toEqual(['CC_CLOSED ää', 'CC_CLOSED 1']);
    expect(outbox.bytes).toBe(0);
  });

  test('keeps a message until the receipt it waits for, and gives its credit back with the first', async () => {
    const log: string[] = [];
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    outbox.add(message('a', { awaits: 'processed', log, outbox }));
    outbox.add(message('b', { awaits: 'delivered', log, outbox }));
    outbox.add(message('c', { awaits: 'processed', log, outbox }));
    outbox.flush(() => true, credit);
    outbox.acknowledge('stored', ['a', 'b']);
    expect([outbox.isAnswered, outbox.unansweredBytes, outbox.bytes]).toEqual([false, 1, 3]);
    outbox.acknowledge('live', ['c']);
    outbox.acknowledge('delivered', ['a', 'b']);
    outbox.acknowledge('processed', ['b']);
    await Promise.resolve();
    expect([log, outbox.isAnswered, outbox.bytes]).toEqual([['live c', 'delivered b'], true, 1]);
    outbox.acknowledge('processed', ['a']);
    await Promise.resolve();
    expect([log.at(-1), outbox.bytes]).toEqual(['processed a', 0]);
  });

  test('lets a message that is larger than the credit go alone, and what needs no credit go past it', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 10_000 });
    for (const id of ['x'.repeat(2_000), 'b']) outbox.add(message(id, { outbox }));
    outbox.add(message('live', { isDurable: false, outbox }));
    const sent: string[] = [];
    const flush = (): void => outbox.flush(({ msgId }) => sent.push(msgId) > 0, credit);
    flush();
    expect(sent.map((id) => id.length)).toEqual([2_000, 4]);
    outbox.acknowledge('stored', ['x'.repeat(2_000)]);
    flush();
    expect(sent[2]).toBe('b');
  });

  test('frees the credit of a message that was given up only when the hub answers it, and never resends it', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 1_000 });
    const first = message('a', { outbox });
    outbox.add(first);
    outbox.flush(() => true, { messages: 1, bytes: 10 });
    first.call.reject(new CrossCommError('CC_TIMEOUT'));
    expect([outbox.bytes, outbox.unansweredBytes, outbox.isAnswered]).toEqual([0, 1, false]);
    outbox.acknowledge('stored', ['a']);
    expect([outbox.unansweredBytes, outbox.isAnswered]).toEqual([0, true]);
    outbox.requeue();
    outbox.flush(() => {
      throw new Error('Nothing is to be sent.');
    }, undefined);
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

test('pending calls are settled together, but for those that timed out or were aborted', async () => {
  const calls = new PendingCalls<number>();
  const abort = new AbortController();
  const resolved = calls.wait({});
  const codes = [codeOf(calls.wait({ timeoutMs: 5 })), codeOf(calls.wait({ signal: abort.signal })), codeOf(calls.wait({ signal: AbortSignal.abort() }))];
  abort.abort();
  await new Promise((resolve) => setTimeout(resolve, 20));
  calls.resolveAll(1);
  expect(await resolved).toBe(1);
  expect(await Promise.all(codes)).toEqual(['CC_TIMEOUT', 'CC_ABORTED', 'CC_ABORTED']);
  const rejected = codeOf(calls.wait({}));
  calls.rejectAll(new CrossCommError('CC_CLOSED'));
  expect(await rejected).toBe('CC_CLOSED');
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
