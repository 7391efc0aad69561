// @ts-check
import { parseArgs } from 'node:util';

/**
 * What the command line asked for.
 *
 * @typedef {object} BenchOptions
 * @property {boolean} isQuick fewer rounds, fewer messages, no peers, no extra workloads: under two minutes
 * @property {number} rounds
 * @property {readonly string[]} only beginnings of workload names; empty for all
 * @property {readonly string[] | undefined} sides names of sides; undefined for the default set
 * @property {string | undefined} jsonFile
 * @property {boolean} isCheck exit 1 when a figure is beyond its bound
 * @property {string | undefined} profileDir folder for CPU profiles
 */

const QUICK_ROUNDS = 3;
const FULL_ROUNDS = 5;

export const USAGE = `npm run bench -- [options]
  --quick          up to ${QUICK_ROUNDS} rounds, fewer messages, only hub and plain-ws, no extra workloads; under two minutes
  --rounds N       rounds; default ${FULL_ROUNDS}
  --only NAME      only workloads whose name begins so; may be given several times
  --sides A,B      only these servers; plain-ws, the yardstick, is always among them
  --json FILE      write everything that was measured
  --check          exit 1 when a figure of the hub is beyond its bound in bounds.json
  --profile DIR    write CPU profiles of the measured part into this folder and list the top functions (distorts the figures)
The hub is loaded from ../dist, or from the folder in BENCH_DIST. Options of the hub may be given as JSON in BENCH_HUB_OPTIONS.
`;

/**
 * @param {string[]} args
 * @returns {BenchOptions | 'help'}
 * @throws {Error} for what is not understood
 */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
      sides: { type: 'string' },
      json: { type: 'string' },
      check: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const rounds = values.rounds === undefined ? (values.quick ? QUICK_ROUNDS : FULL_ROUNDS) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds takes a positive integer, not ${JSON.stringify(values.rounds)}.`);
  return {
    isQuick: values.quick,
    rounds,
    only: values.only,
    sides: values.sides?.split(','),
    jsonFile: values.json,
    isCheck: values.check,
    profileDir: values.profile,
  };
}
