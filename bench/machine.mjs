// @ts-check
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * The machine that the figures belong to.
 *
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cores usable by this process
 * @property {string} node
 * @property {string} kernel
 * @property {number} memoryBytes
 * @property {number} loadAverage of the minute before the run; above about 0.3 somebody else is at work
 * @property {{ server: number, load: number } | undefined} pinning cores of the two processes; undefined when not pinned
 */

/** @returns {Machine} */
export function describeMachine() {
  const cores = usableCores();
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    node: process.version,
    kernel: `${os.type()} ${os.release()} ${os.arch()}`,
    memoryBytes: os.totalmem(),
    loadAverage: os.loadavg()[0] ?? 0,
    pinning: pinning(cores),
  };
}

/**
 * First and last core: on machines with two threads per core these are not the same core.
 *
 * @param {readonly number[]} cores
 */
function pinning(cores) {
  const [server] = cores;
  const load = cores.at(-1);
  if (server === undefined || load === undefined || server === load) return undefined;
  const works = spawnSync('taskset', ['-c', String(server), 'true']).status === 0;
  return works ? { server, load } : undefined;
}

/** Linux tells which cores this process may use; elsewhere all are assumed. */
function usableCores() {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    const cores = list.split(',').flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number);
      if (first === undefined || last === undefined) return [];
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
    if (cores.length > 0 && cores.every(Number.isInteger)) return cores;
  } catch {
    // not Linux: fall through
  }
  return os.cpus().map((_, i) => i);
}
