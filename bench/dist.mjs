// @ts-check
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const dist = resolve(process.env['BENCH_DIST'] ?? join(import.meta.dirname, '../dist'));

/**
 * Loads a module of the package under test: from `../dist`, or from the folder in BENCH_DIST.
 *
 * @param {string} file
 * @returns {Promise<any>}
 */
export function importFromDist(file) {
  return import(pathToFileURL(join(dist, file)).href);
}
