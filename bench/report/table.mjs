// @ts-check
import { HUB } from '../sides/sides.mjs';
import { verdictOf } from './bounds.mjs';

const HEADINGS = ['workload', 'figure', 'contender', 'median', '× first', 'rounds from – to', '× hub', 'target', '', 'bound'];
const RIGHT_ALIGNED = new Set([3, 4, 5, 6, 7, 9]);

/**
 * @param {readonly import('./comparison.mjs').Comparison[]} comparisons
 * @param {import('./bounds.mjs').Bounds} bounds
 * @returns {string}
 */
export function table(comparisons, bounds) {
  let previous = '';
  const rows = comparisons.map((comparison) => {
    const { workload, figure, contender, value, ratio, lowest, highest, timesHub } = comparison;
    const group = `${workload.name} ${figure.key}`;
    const isFirst = group !== previous;
    previous = group;
    const isPeer = figure.isCost && contender !== HUB && Number.isFinite(timesHub);
    return [
      isFirst ? workload.title : '',
      isFirst ? figure.title : '',
      contender,
      format(value),
      ratio.toFixed(2),
      `${lowest.toFixed(2)} – ${highest.toFixed(2)}`,
      isPeer ? timesHub.toFixed(2) : '',
      ...limitCells(verdictOf(bounds, comparison), figure),
    ];
  });
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells) =>
    cells
      .map((cell, column) => (RIGHT_ALIGNED.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(HEADINGS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

/**
 * @param {import('./bounds.mjs').Verdict | undefined} verdict
 * @param {import('../figures.mjs').Figure} figure
 * @returns {string[]} target, whether it is met, bound
 */
function limitCells(verdict, { judgedBy }) {
  if (verdict === undefined) return ['', '', ''];
  const { limit, sign, judged, isMet, isWithin } = verdict;
  const plus = judgedBy === 'difference' ? '+' : '';
  const edge = (/** @type {number | undefined} */ value) => (value === undefined ? '' : `${sign} ${plus}${value.toLocaleString('en')}`);
  const is = plus === '' ? '' : ` (${judged < 0 ? '−' : '+'}${format(Math.abs(judged))})`;
  return [edge(limit.target), limit.target === undefined ? is.trim() : `${isMet ? 'met' : 'missed'}${is}`, `${edge(limit.bound)}${isWithin ? '' : ' !'}`];
}

/**
 * @param {import('../machine.mjs').Machine} machine
 * @returns {string}
 */
export function machineText({ cpu, cores, node, kernel, memoryBytes, loadAverage, pinning }) {
  const pinned = pinning === undefined ? 'processes not pinned' : `server on core ${pinning.server}, load on core ${pinning.load}`;
  const noise =
    loadAverage > 0.3
      ? `\nThe load average was ${loadAverage.toFixed(2)} before the run: something else is at work, trust only ratios.`
      : '';
  return `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 1024 ** 3)} GiB, ${kernel}, Node ${node}; ${pinned}${noise}`;
}

/** @param {number} value */
function format(value) {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}
