import { runCli } from './cli/cli.js';

// the standalone hub is the CLI's server command: `npm start -- --port 9898`
process.exitCode = await runCli(['server', ...process.argv.slice(2)]);
