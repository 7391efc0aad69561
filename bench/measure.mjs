// @ts-check
import { join, resolve } from 'node:path';
import { BenchProcess } from './process/child-process.mjs';

const LOAD_FILE = join(import.meta.dirname, 'load/main.mjs');

/**
 * Measures one workload on one contender: a fresh server process, a fresh load process, a warm-up, and what has been used
 * up before and after a fixed amount of work.
 *
 * @param {import('./workloads.mjs').Workload} workload
 * @param {import('./workloads.mjs').Contender} contender
 * @param {{ options: import('./options.mjs').BenchOptions, machine: import('./machine.mjs').Machine }} run
 * @returns {Promise<Record<string, number>>} the workload's figures by key
 * @throws {Error} when a process fails, or what arrived is not exactly what was sent
 */
export async function measure(workload, contender, { options: { isQuick, profileDir }, machine: { pinning } }) {
  const profile = (/** @type {string} */ who) => {
    if (profileDir === undefined) return {};
    const name = [workload.name, contender.name, who].map((part) => part.replaceAll(/[^\w.-]+/g, '-')).join('.');
    return { profileFile: resolve(profileDir, `${name}.cpuprofile`) };
  };
  const server = new BenchProcess(contender.file, {
    core: workload.isPinned === false ? undefined : pinning?.server,
    nodeArgs: workload.collectsGarbage === true ? ['--expose-gc'] : [],
    argument: { ...profile('server'), ...contender.argument },
  });
  const load = new BenchProcess(LOAD_FILE, {
    core: pinning?.load,
    argument: { dialect: contender.dialect, plan: { ...workload.plan(isQuick), ...contender.plan }, ...profile('load') },
  });
  try {
    await load.ask('prepare', await server.ask('port'));
    await server.ask('start');
    const before = await server.ask('usage');
    const result = await load.ask('run');
    const after = await server.ask('usage');
    await server.ask('finish');
    await load.ask('verify');
    workload.check?.({ before, after, result }, contender);
    return Object.fromEntries(workload.figures.map(({ key, value }) => [key, value({ before, after, result })]));
  } catch (error) {
    throw new Error(`${workload.name} on ${contender.name} failed.`, { cause: error });
  } finally {
    await load.stop();
    await server.stop();
  }
}
