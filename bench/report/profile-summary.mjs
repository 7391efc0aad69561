// @ts-check
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Functions listed per profile. */
const LISTED = 12;

/**
 * The functions in which the processes spent their time, without those they called.
 *
 * @param {string} folder of the profiles
 * @returns {string}
 */
export function profileSummary(folder) {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  return files.map((name) => `${name}\n${topFunctions(join(folder, name))}`).join('\n\n');
}

/** @param {string} file */
function topFunctions(file) {
  /** @type {import('node:inspector').Profiler.Profile} */
  const { nodes, samples = [], timeDeltas = [] } = JSON.parse(readFileSync(file, 'utf8'));
  const names = new Map(nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [id, nameOf({ functionName, url, lineNumber })]));
  /** @type {Map<string, number>} */
  const spent = new Map();
  let totalUs = 0;
  for (const [i, sample] of samples.entries()) {
    const name = names.get(sample) ?? '?';
    const us = timeDeltas[i] ?? 0;
    totalUs += us;
    spent.set(name, (spent.get(name) ?? 0) + us);
  }
  const top = [...spent].sort(([, a], [, b]) => b - a).slice(0, LISTED);
  return top.map(([name, us]) => `  ${((us / totalUs) * 100).toFixed(1).padStart(5)} %  ${name}`).join('\n');
}

/** @param {{ functionName: string, url: string, lineNumber: number }} frame */
function nameOf({ functionName, url, lineNumber }) {
  const where = url === '' ? '' : `  ${url.startsWith('node:') ? url : basename(url)}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${where}`;
}
