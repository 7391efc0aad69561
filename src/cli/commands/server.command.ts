import { Option, type Command } from 'commander';
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
    .option('--tls-ca <file>', 'certificates (PEM) of those who sign client certificates (mTLS)')
    .addOption(new Option('--client-certs <how>', 'with --tls-ca, whether clients must show a certificate (default "required")').choices(['optional', 'required']))
    .addOption(new Option('--client-cert-name <name>', 'log clients in by the name in their certificate').choices(['cn', 'dns', 'uri']))
    .option('--auth-tokens <file>', 'JSON file of token hashes by client id; without any authentication everyone may log in')
    .option('--jwt-secret-file <file>', 'log clients in by JWT; file of the shared secret (HS256), or CROSS_COMM_JWT_SECRET')
    .option('--jwt-public-key <file>', 'log clients in by JWT; public key (PEM) of RS256 or ES256')
    .option('--jwks <file>', 'log clients in by JWT; key set (JWKS)')
    .option('--jwt-issuer <text>', 'what iss must be')
    .option('--jwt-audience <text>', 'what aud must contain')
    .option('--revocations <file>', 'JSON file of client ids and credentials that may not log in')
    .option('--max-connections <n>', 'open connections in all (default 100000, 0 = any)', wholeNumberOption)
    .option('--max-connections-per-address <n>', 'open connections from one address (default 0 = any)', wholeNumberOption)
    .option('--logins-per-second <n>', 'logins from one address (default 100, 0 = any)', numberOption)
    .option('--messages-per-second <n>', 'messages from one client (default 2000, 0 = any)', numberOption)
    .option('--bytes-per-second <n>', 'bytes of messages from one client (default 16777216, 0 = any)', numberOption)
    .option('--trusted-proxy <address>', 'address or network of a proxy whose X-Forwarded-For counts; repeatable', listOption, [])
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
  cross-comm server --jwks keys.json --jwt-issuer https://login.example.com --jwt-audience hub
  cross-comm server --tls-cert cert.pem --tls-key key.pem --tls-ca ca.pem --client-cert-name cn
  cross-comm server --allowed-origin https://app.example.com`,
    )
    .action(async (flags: ServerFlags) => {
      // Nest is loaded only by the one command that needs it; the others start in half the time
      const { runServer } = await import('../run-server.js');
      await runServer(flags, terminalFor());
    });
}
