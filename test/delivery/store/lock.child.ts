import { acquireDataDir } from '../../../src/delivery/store/index.js';

// Takes a data directory, says so, and holds it until it is killed or told to end.
const [directory = '', waitMs = '0', busyMs = '0'] = process.argv.slice(2);
try {
  const lock = await acquireDataDir(directory, Number(waitMs));
  process.stdout.write('taken\n');
  for (const end = performance.now() + Number(busyMs); performance.now() < end; );
  process.stdin.once('data', () => void lock.release().then(() => process.exit(0)));
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}\n`);
}
