import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Receipt } from '../../src/protocol/index.js';

/** One message of a producer: `n` counts what it sends to one target, from 1. */
export interface Numbered {
  readonly from: string;
  readonly to: string;
  readonly n: number;
}

/** What producers, consumers and the fault injector write down; `at` in milliseconds, the same clock in all processes. */
export type HistoryEvent =
  | ({ readonly kind: 'sent'; readonly sum: number; readonly at: number } & Numbered)
  | ({ readonly kind: 'acked'; readonly receipt: Receipt | 'sent'; readonly at: number } & Numbered)
  | ({ readonly kind: 'refused'; readonly code: string; readonly at: number } & Numbered)
  | ({ readonly kind: 'received'; readonly by: string; readonly sum: number; readonly at: number } & Numbered)
  | { readonly kind: 'member'; readonly group: string; readonly client: string; readonly at: number }
  | { readonly kind: 'fault'; readonly fault: string; readonly at: number }
  | { readonly kind: 'healed'; readonly fault: string; readonly at: number };

type Timeless<Event> = Event extends HistoryEvent ? Omit<Event, 'at'> : never;

/** An event without its time. */
export type NewEvent = Timeless<HistoryEvent>;

/**
 * The file in which all that happened in a scenario stands, one JSON object per line, only ever appended to. Several
 * processes write to it: a line is one write to a file opened for appending. Each is written before the program goes on,
 * so that nothing a killed process did is forgotten.
 */
export class History {
  readonly #file: number;

  constructor(readonly path: string) {
    this.#file = openSync(path, 'a');
  }

  append(event: NewEvent): void {
    writeSync(this.#file, `${JSON.stringify({ ...event, at: Math.round(nowMs()) })}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }

  read(): HistoryEvent[] {
    return readFileSync(this.path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as HistoryEvent);
  }
}

/** Milliseconds since the epoch from the monotonic clock: a fault that turns `Date` does not turn this. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** The text of a message: its number and a filling that depends on who sends what to whom. */
export function textOf({ from, to, n }: Numbered, sizeBytes: number): string {
  const head = `${n}:${from}>${to}:`;
  return head + filling(n).repeat(Math.max(0, Math.ceil((sizeBytes - head.length) / 10))).slice(0, Math.max(0, sizeBytes - head.length));
}

/** What a received text says of itself; a text no producer wrote is number 0. */
export function readText(text: unknown): { readonly n: number; readonly to: string; readonly sum: number } {
  const [, n, to] = /^(\d+):[^>]*>([^:]*(?::[^:]*)?):/.exec(String(text)) ?? [];
  return { n: Number(n ?? 0), to: to ?? '', sum: crc32(String(text)) };
}

function filling(n: number): string {
  return String(n * 2_654_435_761).padStart(10, '-').slice(-10);
}
