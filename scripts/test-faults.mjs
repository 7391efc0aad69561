// Runs the fault scenarios of test/faults, which must have been compiled; `--quick` in the sizes of CI, else in full.
// What else is given goes to Jest: `npm run test:faults -- --quick -t 'kill -9'`.
import { spawnSync } from 'node:child_process';

const args = process.argv.slice(2);
const isQuick = args.includes('--quick');
const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--config', 'test/faults/jest.config.mjs'];
const { status } = spawnSync(process.execPath, [...jest, ...args.filter((arg) => arg !== '--quick')], {
  stdio: 'inherit',
  env: { ...process.env, FAULTS: isQuick ? 'quick' : 'full' },
});
process.exitCode = status ?? 1;
