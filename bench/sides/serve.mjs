// @ts-check
import { answerParent } from '../process/answer-parent.mjs';
import { startProfile, writeProfile } from '../process/profiler.mjs';

/**
 * What a server process has used up.
 *
 * @typedef {object} Usage
 * @property {number} cpuUs user and system time of the whole process, in microseconds
 * @property {number} heapBytes JavaScript heap and external memory, after garbage collection where `gc` is exposed
 * @property {number} rssBytes resident memory
 * @property {number} peakRssBytes highest resident memory so far
 * @property {number | undefined} heard calls of listeners, where there are some
 */

/**
 * What a server process is told.
 *
 * @typedef {object} ServerArgument
 * @property {string} [profileFile]
 * @property {object} [options] of the hub
 * @property {import('./listeners.mjs').ListenerCounts} [listeners] of the hub
 */

/** @returns {ServerArgument} */
export function serverArgument() {
  return JSON.parse(process.argv[2] ?? '{}');
}

/**
 * Lets the parent ask a server process for its port and for what it has used up, and profile it.
 *
 * @param {number} port
 * @param {{ beforeExit?: () => unknown, heard?: () => number }} [parts]
 */
export function serve(port, { beforeExit, heard } = {}) {
  const { profileFile } = serverArgument();
  answerParent(
    {
      port: () => port,
      usage: () => usage(heard),
      start: () => (profileFile === undefined ? undefined : startProfile()),
      finish: () => (profileFile === undefined ? undefined : writeProfile(profileFile)),
    },
    beforeExit,
  );
}

/**
 * @param {(() => number) | undefined} heard
 * @returns {Usage}
 */
function usage(heard) {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const peakRssBytes = process.resourceUsage().maxRSS * 1024;
  return { cpuUs: user + system, heapBytes: heapUsed + external, rssBytes: rss, peakRssBytes, heard: heard?.() };
}
