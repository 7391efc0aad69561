import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Command } from 'commander';
import { networkInterfaces } from 'node:os';
import { CrossCommModule } from '../../cross-comm.module.js';
import type { CrossCommOptions } from '../../cross-comm.options.js';
import { CrossCommGateway } from '../../gateway/index.js';
import { CrossCommError } from '../../protocol/index.js';
import { EMBEDDED_STORE, StorageOptions, credentialLines, type EmbeddedStore, type StorageDriver } from '../../storage/index.js';
import { listOption, numberOption, wholeNumberOption } from '../option-parsers.js';
import type { Terminal } from '../terminal.js';

interface ServerFlags {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly path?: string;
  readonly heartbeatInterval?: number;
  readonly heartbeatTimeout?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly allowedOrigin: string[];
  readonly storage: StorageDriver;
  readonly maxMessageBytes?: number;
  readonly maxBufferedBytes?: number;
  readonly compression: boolean;
  readonly quiet: boolean;
}

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
  cross-comm server --allowed-origin https://app.example.com`,
    )
    .action(async (flags: ServerFlags) => runServer(flags, terminalFor()));
}

async function runServer(flags: ServerFlags, terminal: Terminal): Promise<void> {
  const levels = flags.quiet || terminal.json ? (['warn', 'error', 'fatal'] as const) : (['log', 'warn', 'error', 'fatal'] as const);
  const app = await NestFactory.createApplicationContext(CrossCommModule.forRoot(optionsOf(flags)), {
    abortOnError: false,
    logger: [...levels],
  });
  const { address } = app.get(CrossCommGateway);
  if (address === undefined) throw new CrossCommError('CC_INTERNAL', 'The hub does not listen.');
  const announcement = { host: flags.host, port: address.port, isTls: address.isTls, storage: flags.storage };
  if (terminal.json) terminal.result(JSON.stringify({ event: 'listening', ...announcement, urls: urlsOf(announcement) }));
  else for (const line of banner(announcement, app.get<EmbeddedStore | undefined>(EMBEDDED_STORE, { strict: false }), app.get(StorageOptions, { strict: false }).bucket)) terminal.result(line);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  terminal.note('Stopping…');
  await app.close();
}

function optionsOf(flags: ServerFlags): CrossCommOptions {
  const { host, port, dataDir, path, heartbeatInterval, heartbeatTimeout, maxMessageBytes, maxBufferedBytes, compression } = flags;
  const optional = {
    path,
    heartbeatInterval,
    heartbeatTimeout,
    maxMessageBytes,
    maxBufferedBytes,
    tlsCertFile: flags.tlsCert,
    tlsKeyFile: flags.tlsKey,
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { host, port, dataDir, compression, allowedOrigins: flags.allowedOrigin, storage: { driver: flags.storage }, ...given };
}

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly storage: StorageDriver;
}

function urlsOf({ host, port, isTls }: Listening): string[] {
  const scheme = isTls ? 'wss' : 'ws';
  if (host !== '0.0.0.0' && host !== '::') return [`${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`];
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => address.family === 'IPv4' && !address.internal)
    .map(({ address }) => address);
  return ['127.0.0.1', ...outside].map((address) => `${scheme}://${address}:${port}`);
}

function banner(listening: Listening, store: EmbeddedStore | undefined, bucket: string): string[] {
  const lines = ['', 'CrossComm hub is running.', ...urlsOf(listening).map((url) => `  ${url}`), '', 'Switched on:'];
  lines.push('  clients: pywayne cross_comm (Python, Java), CrossComm SDK (Node, browser)');
  lines.push(`  files:   ${filesLine(listening.storage)}`);
  if (store !== undefined) {
    const scheme = listening.isTls ? 'https' : 'http';
    lines.push('', 'For clients that bring their own OSS credentials (the Python client), paste:');
    lines.push(...credentialLines(`${scheme}://127.0.0.1:${listening.port}`, bucket, store.credentials).map((line) => `  ${line}`));
  }
  lines.push('', 'WARNING: authentication is OFF. Everyone who reaches this port can log in under any id.', '');
  return lines;
}

function filesLine(driver: StorageDriver): string {
  switch (driver) {
    case 'embedded':
      return 'embedded object store, on this port';
    case 'oss':
      return 'Alibaba Cloud OSS, from the OSS_* variables';
    case 'none':
      return 'off';
  }
}
