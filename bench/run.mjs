// @ts-check
import { mkdirSync, writeFileSync } from 'node:fs';
import { describeMachine } from './machine.mjs';
import { measure } from './measure.mjs';
import { USAGE, parseOptions } from './options.mjs';
import { readBounds, violations } from './report/bounds.mjs';
import { compare } from './report/comparison.mjs';
import { machineText, table } from './report/table.mjs';
import { chooseSides } from './sides/sides.mjs';
import { chooseWorkloads } from './workloads.mjs';

// Entry of `npm run bench`.

const options = parseOptions(process.argv.slice(2));
if (options === 'help') process.stdout.write(USAGE);
else process.exitCode = await run(options);

/**
 * @param {import('./options.mjs').BenchOptions} options
 * @returns {Promise<number>} exit code
 */
async function run(options) {
  const workloads = chooseWorkloads(options.only);
  const { chosen, leftOut } = chooseSides(options);
  const bounds = readBounds();
  const machine = describeMachine();
  if (options.profileDir !== undefined) mkdirSync(options.profileDir, { recursive: true });
  const startMs = performance.now();
  /** @type {import('./report/comparison.mjs').Round[]} */
  const rounds = [];
  for (let number = 0; number < options.rounds; number++) {
    /** @type {import('./report/comparison.mjs').Round} */
    const round = {};
    for (const workload of workloads) {
      progress(`round ${number + 1} of ${options.rounds}: ${workload.title}`);
      round[workload.name] = {};
      // sides take turns, and each round begins with another one: what drifts, drifts for all
      for (const side of rotated(chosen, number))
        Object.assign(round[workload.name] ?? {}, { [side.name]: await measure(workload, side, { options, machine }) });
    }
    rounds.push(round);
  }
  progress('');
  const comparisons = compare(rounds, workloads, chosen);
  const broken = violations(bounds, comparisons);
  const seconds = Math.round((performance.now() - startMs) / 1000);
  print(`${machineText(machine)}\n${options.rounds} rounds${options.isQuick ? ', quick' : ''}, ${seconds} s. ${leftOut.join('; ')}\n`);
  print(table(comparisons, bounds));
  if (broken.length > 0) print(`\nBeyond the bounds:\n${broken.map((text) => `  ${text}`).join('\n')}`);
  if (options.jsonFile !== undefined) {
    const summary = comparisons.map(({ workload, figure, ...rest }) => ({ workload: workload.name, figure: figure.key, ...rest }));
    writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, leftOut, bounds, summary, rounds }, null, 2)}\n`);
  }
  return options.isCheck && broken.length > 0 ? 1 : 0;
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
