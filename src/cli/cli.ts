import { Command, CommanderError } from 'commander';
import { config } from 'dotenv';
import { createRequire } from 'node:module';
import { addClientCommand } from './commands/client.command.js';
import { addClientsCommand } from './commands/clients.command.js';
import { addListenCommand } from './commands/listen.command.js';
import { addSendCommand } from './commands/send.command.js';
import { addServerCommand } from './commands/server.command.js';
import { ExitCode, exitCodeOf } from './exit-code.js';
import { processTerminal } from './terminal.js';

/**
 * Runs one command line and returns what the process should exit with. `.env` in the working directory is read first,
 * as the Python client does; what is already in the environment wins.
 */
export async function runCli(args: readonly string[]): Promise<ExitCode> {
  config({ quiet: true });
  const { version } = createRequire(import.meta.url)('cross-comm/package.json') as { version: string };
  const program = new Command('cross-comm')
    .description('One message hub for every program a team runs')
    .version(version)
    .option('--json', 'one JSON object per line on stdout, errors as JSON on stderr', false)
    .exitOverride()
    .showHelpAfterError('(run with --help for examples)');
  // the option stands before or behind the command's name
  const terminalFor = (): ReturnType<typeof processTerminal> => processTerminal(program.opts<{ json: boolean }>().json);
  addServerCommand(program, terminalFor);
  addClientCommand(program, terminalFor);
  addSendCommand(program, terminalFor);
  addListenCommand(program, terminalFor);
  addClientsCommand(program, terminalFor);
  for (const command of program.commands) command.exitOverride().option('--json', 'output for scripts').hook('preAction', (_, run) => {
    if (run.opts<{ json?: boolean }>().json === true) program.setOptionValue('json', true);
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return ExitCode.OK;
  } catch (error) {
    // commander has already written its help or its complaint
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
    terminalFor().error(error instanceof Error ? error.message : String(error));
    return exitCodeOf(error);
  }
}
