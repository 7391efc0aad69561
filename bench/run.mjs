// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { describeMachine } from './machine.mjs';
import { measure } from './measure.mjs';
import { USAGE, parseOptions } from './options.mjs';
import { readBounds, violations } from './report/bounds.mjs';
import { compare } from './report/comparison.mjs';
import { profileSummary } from './report/profile-summary.mjs';
import { machineText, table } from './report/table.mjs';
import { chooseSides } from './sides/sides.mjs';
import { chooseWorkloads } from './workloads.mjs';

// Entry of `npm run bench`.

/** Time for all rounds of a quick run, in milliseconds: a round that would take longer is not begun. */
const QUICK_MS = 105_000;

const options = parseOptions(process.argv.slice(2));
if (options === 'help') process.stdout.write(USAGE);
else process.exitCode = await run(options);

/**
 * @param {import('./options.mjs').BenchOptions} options
 * @returns {Promise<number>} exit code
 */
async function run(options) {
  const workloads = chooseWorkloads(options);
  const { chosen, leftOut } = chooseSides(options);
  /** @type {(workload: import('./workloads.mjs').Workload) => readonly import('./workloads.mjs').Contender[]} */
  const contendersOf = ({ contenders }) => contenders ?? chosen;
  const bounds = readBounds();
  const machine = describeMachine();
  if (options.profileDir !== undefined) mkdirSync(options.profileDir, { recursive: true });
  const startMs = performance.now();
  /** @type {import('./report/comparison.mjs').Round[]} */
  const rounds = [];
  for (let number = 0; number < options.rounds && !wouldTakeTooLong(options, startMs, number); number++) {
    /** @type {import('./report/comparison.mjs').Round} */
    const round = {};
    for (const workload of workloads.filter(({ maxRounds = Infinity }) => number < maxRounds)) {
      progress(`round ${number + 1} of ${options.rounds}: ${workload.title}`);
      round[workload.name] = {};
      // they take turns, and each round begins with another one: what drifts, drifts for all
      for (const contender of rotated(contendersOf(workload), number))
        Object.assign(round[workload.name] ?? {}, { [contender.name]: await measure(workload, contender, { options, machine }) });
    }
    rounds.push(round);
  }
  progress('');
  const comparisons = compare(rounds, workloads, contendersOf);
  const broken = violations(bounds, comparisons);
  const seconds = Math.round((performance.now() - startMs) / 1000);
  print(`${machineText(machine)}\n${rounds.length} rounds${options.isQuick ? ', quick' : ''}, ${seconds} s. ${leftOut.join('; ')}\n`);
  print(table(comparisons, bounds));
  if (broken.length > 0) print(`\nBeyond the bounds:\n${broken.map((text) => `  ${text}`).join('\n')}`);
  if (options.profileDir !== undefined) print(`\nWhere the time went, by function:\n${profileSummary(options.profileDir)}`);
  if (options.jsonFile !== undefined) {
    const summary = comparisons.map(({ workload, figure, ...rest }) => ({ workload: workload.name, figure: figure.key, ...rest }));
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, leftOut, bounds, summary, rounds }, null, 2)}\n`);
  }
  return options.isCheck && broken.length > 0 ? 1 : 0;
}

/**
 * Whether one more round, as long as those before, might not end within the time of a quick run.
 *
 * @param {import('./options.mjs').BenchOptions} options
 * @param {number} startMs
 * @param {number} done rounds
 */
function wouldTakeTooLong({ isQuick }, startMs, done) {
  const takenMs = performance.now() - startMs;
  return isQuick && done > 0 && takenMs + takenMs / done > QUICK_MS;
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {number} by
 * @returns {T[]}
 */
function rotated(items, by) {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

/** @param {string} text */
function print(text) {
  process.stdout.write(`${text}\n`);
}

/**
 * Where the run is, on a terminal only.
 *
 * @param {string} text
 */
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
