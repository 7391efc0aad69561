// @ts-check
import { answerParent } from '../process/answer-parent.mjs';
import { startProfile, writeProfile } from './profiler.mjs';

/**
 * What a server process has used up.
 *
 * @typedef {object} Usage
 * @property {number} cpuUs user and system time of the whole process, in microseconds
 * @property {number} heapBytes JavaScript heap and external memory, after garbage collection where `gc` is exposed
 * @property {number} rssBytes resident memory
 */

/** What a server process is told. @typedef {{ profileFile?: string }} ServerArgument */

/**
 * Lets the parent ask a server process for its port and for what it has used up, and profile it.
 *
 * @param {number} port
 * @param {() => unknown} [beforeExit]
 */
export function serve(port, beforeExit) {
  const { profileFile } = /** @type {ServerArgument} */ (JSON.parse(process.argv[2] ?? '{}'));
  const writesProfile = profileFile !== undefined;
  answerParent(
    {
      port: () => port,
      usage,
      start: () => (writesProfile ? startProfile() : undefined),
      finish: () => (writesProfile ? writeProfile(profileFile) : undefined),
    },
    beforeExit,
  );
}

/** @returns {Usage} */
function usage() {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { cpuUs: user + system, heapBytes: heapUsed + external, rssBytes: rss };
}
