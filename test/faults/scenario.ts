import { expect, test } from '@jest/globals';
import { writeSync } from 'node:fs';
import type { Verdict } from './checker.js';
import { Testbed } from './testbed.js';

const IS_FULL = process.env['FAULTS'] === 'full';
const STDOUT = 1;

/** What must hold after every fault. */
const KEPT = { lost: 0, duplicated: 0, reordered: 0, phantom: 0, contradicted: 0, unanswered: 0 };

/** Further figures for the line of a scenario, by name. */
export type Figures = Readonly<Record<string, number | string>>;

/** How a scenario is run. */
export interface ScenarioOptions<Size> {
  /** Its size in CI. */
  readonly quick: Size;
  /** Its size with `npm run test:faults`. */
  readonly full: Size;
  /** Acked messages below which nothing was shown. Default 100. */
  readonly leastAcked?: number;
  /** Default: four minutes in CI, fifteen in full. */
  readonly timeoutMs?: number;
  /** What differs from "nothing lost, duplicated, reordered, made up, contradicted, unanswered"; say why. */
  readonly expected?: Partial<Verdict>;
}

/** A fault as a test: runs, settles, prints its line, and fails when a promise was broken. */
export function faultScenario<Size>(name: string, options: ScenarioOptions<Size>, run: (bed: Testbed, size: Size) => Promise<Figures>): void {
  const { quick, full, leastAcked = 100, timeoutMs = IS_FULL ? 900_000 : 240_000, expected = {} } = options;
  test(
    `fault: ${name}`,
    async () => {
      const seed = seedOf();
      const bed = await Testbed.open(seed);
      let isKept = false;
      try {
        const figures = await run(bed, IS_FULL ? full : quick);
        const verdict = await bed.settle();
        print(name, seed, verdict, figures);
        expect(verdict).toMatchObject({ findings: [], ...KEPT, ...expected });
        expect(verdict.acked).toBeGreaterThanOrEqual(leastAcked);
        isKept = true;
      } catch (error) {
        const output = outputOf(bed);
        throw new Error(`${name}: FAULT_SEED=${seed}, files in ${bed.directory}\n${error instanceof Error ? error.message : String(error)}${output}`, { cause: error });
      } finally {
        await bed.close(!isKept);
      }
    },
    timeoutMs,
  );
}

/** Prints the line of a scenario that is judged in its own way. */
function print(name: string, seed: number, verdict: Verdict, figures: Figures): void {
  const { sent, acked, refused, received, lost, duplicated, reordered, phantom, contradicted, worstRecoveryMs } = verdict;
  const columns = { seed, messages: sent, acked, refused, received, lost, duplicated, reordered, phantom, contradicted, 'worst recovery ms': worstRecoveryMs, ...figures };
  const text = Object.entries(columns).map(([column, value]) => `${column} ${value}`);
  // past Jest's console, which adds a stack to each line
  writeSync(STDOUT, `\nfault: ${name} | ${text.join(' | ')}\n`);
}

/** FAULT_SEED, or a new seed. */
function seedOf(): number {
  return Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 0xffffffff));
}

function outputOf(bed: Testbed): string {
  try {
    return `\n--- the hub's output ---\n${bed.hub.output.slice(-3_000)}`;
  } catch {
    // it failed before there was a hub
    return '';
  }
}
