// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HUB } from '../sides/sides.mjs';
import { WORKLOADS } from '../workloads.mjs';

/** Highest allowed ratio of the hub to the yardstick, by workload and figure. @typedef {Readonly<Record<string, Readonly<Record<string, number>>>>} Bounds */

/**
 * @returns {Bounds}
 * @throws {Error} when the file names something that is not measured, or leaves a workload's main figure free
 */
export function readBounds() {
  /** @type {Bounds} */
  const bounds = JSON.parse(readFileSync(join(import.meta.dirname, '../bounds.json'), 'utf8'));
  for (const [name, figures] of Object.entries(bounds)) {
    const workload = WORKLOADS.find((known) => known.name === name);
    if (workload === undefined) throw new Error(`bounds.json names the workload "${name}", which does not exist.`);
    for (const key of Object.keys(figures))
      if (!workload.figures.some((figure) => figure.key === key && figure.isCost))
        throw new Error(`bounds.json bounds "${key}" of ${name}, which is not a cost measured there.`);
  }
  for (const { name, figures } of WORKLOADS) {
    const main = figures[0]?.key ?? '';
    if (bounds[name]?.[main] === undefined) throw new Error(`bounds.json has no bound for "${main}" of ${name}.`);
  }
  return bounds;
}

/**
 * @param {Bounds} bounds
 * @param {import('./comparison.mjs').Comparison} comparison
 * @returns {number | undefined} undefined for other sides than the hub, and for what is not bounded
 */
export function boundOf(bounds, { workload, figure, side }) {
  return side === HUB ? bounds[workload.name]?.[figure.key] : undefined;
}

/**
 * One sentence for each ratio that is not within its bound.
 *
 * @param {Bounds} bounds
 * @param {readonly import('./comparison.mjs').Comparison[]} comparisons
 * @returns {string[]}
 */
export function violations(bounds, comparisons) {
  return comparisons.flatMap((comparison) => {
    const bound = boundOf(bounds, comparison);
    // a ratio that is not a number is a violation too
    if (bound === undefined || comparison.ratio <= bound) return [];
    const { workload, figure, ratio } = comparison;
    return [`${workload.name}: ${figure.title} is ${ratio.toFixed(2)} times that of plain ws; the bound is ${bound}.`];
  });
}
