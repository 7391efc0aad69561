// @ts-check
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * One server under test, in a file of its own that runs in a process of its own.
 *
 * @typedef {object} Side
 * @property {string} name
 * @property {string} file
 * @property {import('../load/dialects.mjs').DialectName} dialect what it speaks on the wire
 * @property {boolean} isPeer left out of quick runs
 * @property {string} [needs] package that must be installed
 */

/** The side that all others are compared with. */
export const YARDSTICK = 'plain-ws';
/** The side that the bounds are for. */
export const HUB = 'hub';

/** @type {readonly Side[]} */
const SIDES = [
  { name: YARDSTICK, file: at('plain-ws.mjs'), dialect: 'cross-comm', isPeer: false, needs: 'ws' },
  { name: HUB, file: at('hub.mjs'), dialect: 'cross-comm', isPeer: false },
  { name: 'nest-default-gateway', file: at('nest-default-gateway.mjs'), dialect: 'nest', isPeer: true, needs: '@nestjs/platform-ws' },
  { name: 'socket.io', file: at('socket-io.mjs'), dialect: 'socket.io', isPeer: true, needs: 'socket.io' },
];

/**
 * @param {string} name
 * @returns {Side}
 */
export function sideOf(name) {
  const side = SIDES.find((known) => known.name === name);
  if (side === undefined) throw new Error(`There is no side "${name}"; there are ${SIDES.map((known) => known.name).join(', ')}.`);
  return side;
}

/**
 * The sides to run, and why the others do not.
 *
 * @param {import('../options.mjs').BenchOptions} options
 * @returns {{ chosen: Side[], leftOut: string[] }}
 * @throws {Error} for an unknown name
 */
export function chooseSides({ sides, isQuick }) {
  for (const name of sides ?? []) sideOf(name);
  const chosen = [];
  const leftOut = [];
  for (const side of SIDES) {
    const isAsked = sides === undefined ? !(isQuick && side.isPeer) : side.name === YARDSTICK || sides.includes(side.name);
    if (!isAsked) leftOut.push(`${side.name}: not asked for`);
    else if (side.needs !== undefined && !isInstalled(side.needs)) leftOut.push(`${side.name}: not installed`);
    else chosen.push(side);
  }
  return { chosen, leftOut };
}

/** @param {string} name */
function isInstalled(name) {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(name);
    return true;
  } catch {
    // packages without a CommonJS entry do not resolve, but are there
    return (require.resolve.paths(name) ?? []).some((folder) => existsSync(join(folder, name, 'package.json')));
  }
}

/** @param {string} file */
function at(file) {
  return join(import.meta.dirname, file);
}
