// @ts-check
import { YARDSTICK } from '../sides/sides.mjs';

/**
 * The figures of one round, by workload and side.
 *
 * @typedef {Record<string, Record<string, Record<string, number>>>} Round
 */

/**
 * One figure of one side over all rounds.
 *
 * @typedef {object} Comparison
 * @property {import('../workloads.mjs').Workload} workload
 * @property {import('../workloads.mjs').Figure} figure
 * @property {string} side
 * @property {number} value median of the rounds
 * @property {number} ratio median of the ratios to the yardstick of the same round
 * @property {number} lowest of these ratios
 * @property {number} highest of these ratios
 */

/**
 * @param {readonly Round[]} rounds
 * @param {readonly import('../workloads.mjs').Workload[]} workloads
 * @param {readonly import('../sides/sides.mjs').Side[]} sides
 * @returns {Comparison[]}
 */
export function compare(rounds, workloads, sides) {
  return workloads.flatMap((workload) =>
    workload.figures.flatMap((figure) =>
      sides.map((side) => {
        const of = (/** @type {Round} */ round, /** @type {string} */ name) => round[workload.name]?.[name]?.[figure.key] ?? NaN;
        const ratios = rounds.map((round) => of(round, side.name) / of(round, YARDSTICK));
        return {
          workload,
          figure,
          side: side.name,
          value: median(rounds.map((round) => of(round, side.name))),
          ratio: median(ratios),
          lowest: Math.min(...ratios),
          highest: Math.max(...ratios),
        };
      }),
    ),
  );
}

/**
 * @param {readonly number[]} values at least one
 * @returns {number}
 */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = /** @type {number} */ (sorted[middle]);
  return sorted.length % 2 === 1 ? upper : (upper + /** @type {number} */ (sorted[middle - 1])) / 2;
}
