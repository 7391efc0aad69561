import type { Command } from 'commander';
import { listOption, numberOption, wholeNumberOption } from '../option-parsers.js';
import type { ServerFlags } from '../server-flags.js';
import type { Terminal } from '../terminal.js';

/** Adds `cross-comm server`. */
export function addServerCommand(program: Command, terminalFor: () => Terminal): void {
  program
    .command('server')
    .description('run a hub until it is stopped with Ctrl+C')
    .option('--port <n>', 'port to listen on; 0 takes a free one', wholeNumberOption, 9898)
    .option('--host <address>', 'address to listen on', '0.0.0.0')
    .option('--data-dir <folder>', 'where presence, files and keys are kept', './cross-comm-data')
    .option('--path <path>', 'accept WebSockets at this path only; any by default')
    .option('--heartbeat-interval <seconds>', 'interval asked of clients (default 30)', numberOption)
    .option('--heartbeat-timeout <seconds>', 'silence after which a client is offline (default 60)', numberOption)
    .option('--tls-cert <file>', 'certificate chain (PEM) for wss')
    .option('--tls-key <file>', 'private key (PEM) for wss')
    .option('--auth-tokens <file>', 'JSON file of token hashes by client id; without it everyone may log in')
    .option('--allowed-origin <origin>', 'origin of browser pages that may connect, "*" for all; repeatable', listOption, [])
    .option('--storage <driver>', 'file storage: embedded, oss (OSS_* variables) or none', 'embedded')
    .option('--max-message-bytes <n>', 'largest message (default 1048576)', wholeNumberOption)
    .option('--max-buffered-bytes <n>', 'unread bytes after which a receiver is cut off (default 4194304)', wholeNumberOption)
    .option('--compression', 'compress frames', false)
    .option('--quiet', 'log warnings and errors only', false)
    .addHelpText(
      'after',
      `
Examples:
  cross-comm server
  cross-comm server --port 0 --host 127.0.0.1 --data-dir /var/lib/cross-comm
  cross-comm server --tls-cert cert.pem --tls-key key.pem
  cross-comm server --auth-tokens tokens.json   # {"alice": "sha256:…", "robot-*": "sha256:…"}
  cross-comm server --allowed-origin https://app.example.com`,
    )
    .action(async (flags: ServerFlags) => {
      // Nest is loaded only by the one command that needs it; the others start in half the time
      const { runServer } = await import('../run-server.js');
      await runServer(flags, terminalFor());
    });
}
