// @ts-check
import { join, resolve } from 'node:path';
import { BenchProcess } from './process/child-process.mjs';

const LOAD_FILE = join(import.meta.dirname, 'load/main.mjs');

/**
 * Measures one workload on one side: a fresh server process, a fresh load process, a warm-up, and what the server has
 * used up before and after a fixed amount of work.
 *
 * @param {import('./workloads.mjs').Workload} workload
 * @param {import('./sides/sides.mjs').Side} side
 * @param {{ options: import('./options.mjs').BenchOptions, machine: import('./machine.mjs').Machine }} run
 * @returns {Promise<Record<string, number>>} the workload's figures by key
 * @throws {Error} when a process fails, or what arrived is not exactly what was sent
 */
export async function measure(workload, side, { options, machine: { pinning } }) {
  const server = new BenchProcess(side.file, {
    core: pinning?.server,
    nodeArgs: workload.collectsGarbage === true ? ['--expose-gc'] : [],
    argument:
      options.profileDir === undefined ? {} : { profileFile: resolve(options.profileDir, `${workload.name}.${side.name}.cpuprofile`) },
  });
  /** @type {BenchProcess | undefined} */
  let load;
  try {
    const argument = { port: await server.ask('port'), dialect: side.dialect, plan: workload.plan(options.isQuick) };
    load = new BenchProcess(LOAD_FILE, { core: pinning?.load, argument });
    await load.ask('prepare');
    await server.ask('start');
    const before = await server.ask('usage');
    const result = await load.ask('run');
    const after = await server.ask('usage');
    await server.ask('finish');
    await load.ask('verify');
    return Object.fromEntries(workload.figures.map(({ key, value }) => [key, value({ before, after, result })]));
  } catch (error) {
    throw new Error(`${workload.name} on ${side.name} failed.`, { cause: error });
  } finally {
    await load?.stop();
    await server.stop();
  }
}
