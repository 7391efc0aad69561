// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HUB } from '../sides/sides.mjs';
import { ALL_WORKLOADS } from '../workloads.mjs';

/**
 * What a figure should be, and what it must be for `--check`. Highest values of costs, lowest ones of other figures.
 *
 * @typedef {object} Limit
 * @property {number} [target]
 * @property {number} [bound]
 */

/** How many times as much as the hub a peer should use, at least. @typedef {Readonly<Record<string, Limit>>} CheaperThan */

/** By workload and figure. @typedef {Readonly<Record<string, Readonly<Record<string, Limit & { cheaperThan?: CheaperThan }>>>>} Bounds */

/**
 * @returns {Bounds}
 * @throws {Error} when the file names something that is not measured, or a workload has no bound
 */
export function readBounds() {
  /** @type {Bounds} */
  const bounds = JSON.parse(readFileSync(join(import.meta.dirname, '../bounds.json'), 'utf8'));
  for (const [name, figures] of Object.entries(bounds)) {
    const workload = ALL_WORKLOADS.find((known) => known.name === name);
    if (workload === undefined) throw new Error(`bounds.json names the workload "${name}", which does not exist.`);
    for (const key of Object.keys(figures))
      if (!workload.figures.some((figure) => figure.key === key)) throw new Error(`bounds.json bounds "${key}" of ${name}, which is not measured there.`);
  }
  for (const { name } of ALL_WORKLOADS)
    if (!Object.values(bounds[name] ?? {}).some(({ bound }) => bound !== undefined)) throw new Error(`bounds.json has no bound for ${name}.`);
  return bounds;
}

/**
 * One row of the report, judged.
 *
 * @typedef {object} Verdict
 * @property {Limit} limit
 * @property {'≤' | '≥'} sign
 * @property {number} judged the number that the limit is about
 * @property {boolean} isMet whether the target is
 * @property {boolean} isWithin whether the bound is kept
 */

/**
 * @param {Bounds} bounds
 * @param {import('./comparison.mjs').Comparison} comparison
 * @returns {Verdict | undefined} undefined for rows that nothing is demanded of
 */
export function verdictOf(bounds, { workload, figure, contender, judged, timesHub }) {
  const entry = bounds[workload.name]?.[figure.key];
  const subject = workload.contenders?.at(-1)?.name ?? HUB;
  if (contender === subject) return entry === undefined ? undefined : verdict(entry, { value: judged, isHighest: figure.isCost });
  const limit = entry?.cheaperThan?.[contender];
  return limit === undefined ? undefined : verdict(limit, { value: timesHub, isHighest: false });
}

/**
 * @param {Limit} limit
 * @param {{ value: number, isHighest: boolean }} judged
 * @returns {Verdict}
 */
function verdict(limit, { value, isHighest }) {
  // what is not a number keeps no limit
  const keeps = (/** @type {number | undefined} */ edge) => edge === undefined || (isHighest ? value <= edge : value >= edge);
  return { limit, sign: isHighest ? '≤' : '≥', judged: value, isMet: keeps(limit.target), isWithin: keeps(limit.bound) };
}

/**
 * One sentence for each row that is not within its bound.
 *
 * @param {Bounds} bounds
 * @param {readonly import('./comparison.mjs').Comparison[]} comparisons
 * @returns {string[]}
 */
export function violations(bounds, comparisons) {
  return comparisons.flatMap((comparison) => {
    const found = verdictOf(bounds, comparison);
    if (found === undefined || found.isWithin) return [];
    const { workload, figure, contender } = comparison;
    return [`${workload.name}, ${contender}: ${figure.title} counts as ${found.judged.toFixed(2)}; the bound is ${found.sign} ${found.limit.bound}.`];
  });
}
