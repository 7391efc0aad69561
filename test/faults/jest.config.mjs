// run by scripts/test-faults.mjs
export default {
  rootDir: '../..',
  testMatch: ['<rootDir>/build/test/faults/**/*.fault.js'],
  transform: {},
  // a hub of each is a process of its own
  maxWorkers: 2,
  reporters: ['default', '<rootDir>/scripts/summary-reporter.mjs'],
};
