// @ts-check
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Time between two samples, in microseconds. */
const INTERVAL_US = 100;

const session = new Session();

/** Begins a CPU profile, of the measured part only: neither start-up nor warm-up. */
export async function startProfile() {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  await session.post('Profiler.start');
}

/** @param {string} file to be opened in the performance panel of a browser's developer tools */
export async function writeProfile(file) {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
}
