// @ts-check
import { HUB } from '../sides/sides.mjs';

/**
 * The figures of one round, by workload and contender. Workloads that take part in fewer rounds are missing in the last.
 *
 * @typedef {Record<string, Record<string, Record<string, number>>>} Round
 */

/**
 * One figure of one contender over all rounds.
 *
 * @typedef {object} Comparison
 * @property {import('../workloads.mjs').Workload} workload
 * @property {import('../figures.mjs').Figure} figure
 * @property {string} contender
 * @property {number} value median of the rounds
 * @property {number} ratio median of the ratios to the yardstick of the same round
 * @property {number} lowest of these ratios
 * @property {number} highest of these ratios
 * @property {number} judged median of what the figure is judged by
 * @property {number} timesHub median of the ratios to the hub of the same round; NaN where it is not among the contenders
 */

/**
 * @param {readonly Round[]} rounds
 * @param {readonly import('../workloads.mjs').Workload[]} workloads
 * @param {(workload: import('../workloads.mjs').Workload) => readonly import('../workloads.mjs').Contender[]} contendersOf the
 *   first is the yardstick
 * @returns {Comparison[]}
 */
export function compare(rounds, workloads, contendersOf) {
  return workloads.flatMap((workload) => {
    const contenders = contendersOf(workload);
    const [yardstick] = contenders;
    const own = rounds.map((round) => round[workload.name]).filter((measured) => measured !== undefined);
    return workload.figures.flatMap((figure) =>
      contenders.map(({ name }) => {
        const of = (/** @type {Round[string]} */ measured, /** @type {string | undefined} */ who) => measured[who ?? '']?.[figure.key] ?? NaN;
        const values = own.map((measured) => of(measured, name));
        const ratios = own.map((measured) => of(measured, name) / of(measured, yardstick?.name));
        const ratio = median(ratios);
        const value = median(values);
        const difference = median(own.map((measured) => of(measured, name) - of(measured, yardstick?.name)));
        return {
          workload,
          figure,
          contender: name,
          value,
          ratio,
          lowest: Math.min(...ratios),
          highest: Math.max(...ratios),
          judged: { ratio, difference, value }[figure.judgedBy],
          timesHub: median(own.map((measured) => of(measured, name) / of(measured, HUB))),
        };
      }),
    );
  });
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
