// @ts-check
import { boundOf } from './bounds.mjs';

const HEADINGS = ['workload', 'figure', 'side', 'median', '× plain-ws', 'rounds from – to', 'bound'];
const RIGHT_ALIGNED = new Set([3, 4, 5, 6]);

/**
 * @param {readonly import('./comparison.mjs').Comparison[]} comparisons
 * @param {import('./bounds.mjs').Bounds} bounds
 * @returns {string}
 */
export function table(comparisons, bounds) {
  let previous = '';
  const rows = comparisons.map((comparison) => {
    const { workload, figure, side, value, ratio, lowest, highest } = comparison;
    const group = `${workload.name} ${figure.key}`;
    const isFirst = group !== previous;
    previous = group;
    const bound = boundOf(bounds, comparison);
    return [
      isFirst ? workload.title : '',
      isFirst ? figure.title : '',
      side,
      format(value),
      ratio.toFixed(2),
      `${lowest.toFixed(2)} – ${highest.toFixed(2)}`,
      bound === undefined ? '' : `${bound}${ratio <= bound ? '' : ' !'}`,
    ];
  });
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells) =>
    cells
      .map((cell, column) => (RIGHT_ALIGNED.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join('  ');
  return [line(HEADINGS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
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
