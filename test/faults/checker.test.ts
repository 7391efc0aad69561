import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { checkHistory } from './checker.js';
import { History, readText, textOf, type HistoryEvent, type Numbered } from './history.js';
import { SeededRandom } from './random.js';

type Received = Extract<HistoryEvent, { kind: 'received' }>;

const PRODUCERS = ['p1', 'p2', 'p3'];
const TARGETS = ['c1', 'c2', 'group:all'];
const MEMBERS = ['c1', 'c2', 'c3'];

function receiversOf(target: string): string[] {
  return target === 'group:all' ? MEMBERS : [target];
}

/** A run as it should be: everything sent, answered, and received once and in order, with all of it interleaved at random. */
function goodHistory(seed: number, messages: number): HistoryEvent[] {
  const random = new SeededRandom(seed);
  const events: HistoryEvent[] = MEMBERS.map((client) => ({ kind: 'member', group: 'group:all', client, at: 0 }));
  const counters = new Map<string, number>();
  /** What a receiver has yet to get, by producer and target. */
  const waiting = new Map<string, Received[]>();
  const answers: HistoryEvent[] = [];
  let at = 0;
  const deliver = (): void => {
    const queues = [...waiting.values()].filter((queue) => queue.length > 0);
    const received = queues.length > 0 ? random.pick(queues).shift() : undefined;
    if (received !== undefined) events.push({ ...received, at: ++at });
  };
  for (let i = 0; i < messages; i++) {
    const [from, to] = [random.pick(PRODUCERS), random.pick(TARGETS)];
    const n = (counters.get(`${from}>${to}`) ?? 0) + 1;
    counters.set(`${from}>${to}`, n);
    const sum = crc32(textOf({ from, to, n }, 40));
    events.push({ kind: 'sent', from, to, n, sum, at: ++at });
    if (random.chance(0.1)) answers.push({ kind: 'refused', from, to, n, code: 'CC_MAILBOX_FULL', at });
    else {
      if (random.chance(0.9)) answers.push({ kind: 'acked', from, to, n, receipt: random.pick(['stored', 'delivered', 'processed']), at });
      for (const by of receiversOf(to)) {
        const name = `${from}>${to}@${by}`;
        waiting.set(name, [...(waiting.get(name) ?? []), { kind: 'received', by, from, to, n, sum, at: 0 }]);
      }
    }
    while (answers.length > 0 && random.chance(0.5)) events.push({ ...(answers.shift() as HistoryEvent), at: ++at });
    while (random.chance(0.6)) deliver();
  }
  for (const answer of answers) events.push({ ...answer, at: ++at });
  while ([...waiting.values()].some((queue) => queue.length > 0)) deliver();
  return events;
}

const isReceived = (event: HistoryEvent): event is Received => event.kind === 'received';

function nameOf({ from, to, n }: Numbered): string {
  return `${from}>${to}#${n}`;
}

/** Positions of the received messages for which `condition` holds, in random order. */
function somewhere(events: readonly HistoryEvent[], random: SeededRandom, condition: (event: Received) => boolean = () => true): number[] {
  const positions = events.flatMap((event, i) => (isReceived(event) && condition(event) ? [i] : []));
  return positions.map((position) => ({ position, key: random.next() })).sort((a, b) => a.key - b.key).map(({ position }) => position);
}

/** A planted bug: changes a good history and says how many messages it hit. */
type PlantedBug = (events: HistoryEvent[], random: SeededRandom, howMany: number) => number;

/** Each bug with the one count it must be found in. */
const PLANTED: Record<'lost' | 'duplicated' | 'reordered' | 'phantom' | 'contradicted', PlantedBug> = {
  lost: (events, random, howMany) => {
    const acked = new Set(events.filter((event) => event.kind === 'acked').map((event) => nameOf(event)));
    const gone = somewhere(events, random, (event) => acked.has(nameOf(event))).slice(0, howMany).sort((a, b) => b - a);
    for (const position of gone) events.splice(position, 1);
    return gone.length;
  },
  duplicated: (events, random, howMany) => {
    const again = somewhere(events, random).slice(0, howMany).map((position) => events[position] as Received);
    // at once or much later, the same finding
    for (const event of again) events.splice(random.integer(events.indexOf(event) + 1, events.length), 0, event);
    return again.length;
  },
  reordered: (events, random, howMany) => {
    let hit = 0;
    const touched = new Set<number>();
    for (const first of somewhere(events, random)) {
      const a = events[first] as Received;
      const second = events.findIndex((event, i) => i > first && isReceived(event) && event.by === a.by && event.from === a.from && event.to === a.to);
      if (hit >= howMany || second === -1 || touched.has(first) || touched.has(second)) continue;
      [events[first], events[second]] = [events[second] as Received, a];
      touched.add(first).add(second);
      hit++;
    }
    return hit;
  },
  phantom: (events, random, howMany) => {
    const originals = somewhere(events, random).slice(0, howMany).map((position) => events[position] as Received);
    for (const [i, event] of originals.entries()) {
      // never sent; for somebody else; with another content
      const ghosts: Received[] = [{ ...event, n: 1_000_000 + i }, { ...event, by: 'stranger' }, { ...event, sum: event.sum ^ 1 }];
      events.splice(random.integer(0, events.length), 0, ghosts[i % 3] as Received);
    }
    return originals.length;
  },
  contradicted: (events, random, howMany) => {
    const refused = events.filter((event) => event.kind === 'refused').filter((event) => event.to !== 'group:all').slice(0, howMany);
    for (const { from, to, n } of refused) {
      const sum = crc32(textOf({ from, to, n }, 40));
      // where it belongs in the order
      const next = events.findIndex((event) => isReceived(event) && event.from === from && event.to === to && event.n > n);
      events.splice(next === -1 ? events.length : next, 0, { kind: 'received', by: to, from, to, n, sum, at: random.integer(0, 100) });
    }
    return refused.length;
  },
};

const CLEAN = { lost: 0, duplicated: 0, reordered: 0, phantom: 0, contradicted: 0 };
const anySeed = fc.integer({ min: 0, max: 0xffffffff });

describe('The checker', () => {
  test('finds nothing in a good history', () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 0, max: 200 }), (seed, messages) => {
        const events = goodHistory(seed, messages);
        const verdict = checkHistory(events);
        expect(verdict).toMatchObject({ ...CLEAN, sent: messages, findings: [] });
        expect(verdict.acked + verdict.refused + verdict.unanswered).toBe(messages);
      }),
    );
  });

  for (const [name, plant] of Object.entries(PLANTED) as [keyof typeof CLEAN, PlantedBug][]) {
    test(`finds every ${name} message that was planted, and nothing else`, () => {
      let planted = 0;
      fc.assert(
        fc.property(anySeed, fc.integer({ min: 30, max: 200 }), fc.integer({ min: 1, max: 8 }), (seed, messages, howMany) => {
          const events = goodHistory(seed, messages);
          const hit = plant(events, new SeededRandom(seed ^ 0x5eed), howMany);
          planted += hit;
          expect(checkHistory(events)).toMatchObject({ ...CLEAN, [name]: hit });
        }),
      );
      expect(planted).toBeGreaterThan(100);
    });
  }

  test('finds bugs of all kinds in one history', () => {
    const events = goodHistory(7, 500);
    const random = new SeededRandom(8);
    const reordered = PLANTED.reordered(events, random, 3);
    const contradicted = PLANTED.contradicted(events, random, 2);
    const phantom = PLANTED.phantom(events, random, 5);
    expect(checkHistory(events)).toMatchObject({ lost: 0, duplicated: 0, reordered, phantom, contradicted });
    expect(checkHistory(events).findings).toHaveLength(reordered + contradicted + phantom);
  });

  test('does not call lost what was acked as live, refused or never answered', () => {
    const message = { from: 'p', to: 'c', sum: 1, at: 0 };
    const events: HistoryEvent[] = [1, 2, 3, 4].map((n) => ({ kind: 'sent', ...message, n }));
    events.push({ kind: 'acked', from: 'p', to: 'c', n: 1, receipt: 'live', at: 1 });
    events.push({ kind: 'refused', from: 'p', to: 'c', n: 2, code: 'CC_STORE_FULL', at: 1 });
    // given up by its sender, who cannot know what became of it: may arrive
    events.push({ kind: 'refused', from: 'p', to: 'c', n: 3, code: 'CC_TIMEOUT', at: 1 });
    events.push({ kind: 'received', by: 'c', from: 'p', to: 'c', n: 3, sum: 1, at: 2 });
    expect(checkHistory(events)).toMatchObject({ ...CLEAN, sent: 4, acked: 0, live: 1, refused: 1, unanswered: 2, received: 1 });
  });

  test('measures the longest time from the end of a fault until each receiver has something', () => {
    const received = { kind: 'received', from: 'p', to: 'c', sum: 1, n: 1 } as const;
    const events: HistoryEvent[] = [
      { kind: 'fault', fault: 'cut', at: 100 },
      { ...received, by: 'c', at: 150 },
      { kind: 'healed', fault: 'cut', at: 200 },
      { ...received, by: 'c', at: 260 },
      { ...received, by: 'd', at: 310 },
      { ...received, by: 'c', at: 900 },
      { kind: 'healed', fault: 'cut', at: 1_000 },
      // hit again before anything came through: counts from the last healing
      { kind: 'fault', fault: 'cut', at: 1_500 },
      { kind: 'healed', fault: 'cut', at: 1_600 },
      { ...received, by: 'd', at: 1_720 },
    ];
    expect(checkHistory(events).worstRecoveryMs).toBe(120);
    expect(checkHistory(events.slice(0, -1)).worstRecoveryMs).toBe(110);
  });
});

describe('The history', () => {
  test('comes back from its file as it was written', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cross-comm-history-'));
    try {
      const history = new History(join(directory, 'history.jsonl'));
      history.append({ kind: 'sent', from: 'p', to: 'c', n: 1, sum: 5 });
      history.append({ kind: 'healed', fault: 'cut' });
      expect(history.read()).toEqual([
        { kind: 'sent', from: 'p', to: 'c', n: 1, sum: 5, at: expect.any(Number) },
        { kind: 'healed', fault: 'cut', at: expect.any(Number) },
      ]);
      history.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('a text says which message it is, of any size, and every other text differs', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TARGETS), fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 0, max: 5_000 }), (to, n, size) => {
        const text = textOf({ from: 'p1', to, n }, size);
        expect(text.length).toBeGreaterThanOrEqual(size);
        expect(readText(text)).toEqual({ n, to, sum: crc32(text) });
      }),
    );
    expect(readText('hello').n).toBe(0);
  });
});
