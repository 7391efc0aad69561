import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { networkInterfaces } from 'node:os';
import { CrossCommModule } from '../cross-comm.module.js';
import { CrossCommGateway, CrossCommService } from '../gateway/index.js';
import { CrossCommError } from '../protocol/index.js';
import { AnonymousAuthenticator, Authenticator } from '../security/index.js';
import { EMBEDDED_STORE, StorageOptions, credentialLines, type EmbeddedStore, type StorageDriver } from '../storage/index.js';
import type { ServerFlags } from './server-flags.js';
import { serverOptions } from './server-options.js';
import { printable, type Terminal } from './terminal.js';

/** Runs a hub until SIGINT or SIGTERM, then shuts it down in an orderly way. */
export async function runServer(flags: ServerFlags, terminal: Terminal): Promise<void> {
  // before anything is printed: whoever reads the banner may stop the hub at once
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  const levels = flags.quiet || terminal.json ? (['warn', 'error', 'fatal'] as const) : (['log', 'warn', 'error', 'fatal'] as const);
  const app = await NestFactory.createApplicationContext(CrossCommModule.forRoot(serverOptions(flags, process.env)), {
    abortOnError: false,
    logger: [...levels],
  });
  const { address } = app.get(CrossCommGateway);
  if (address === undefined) throw new CrossCommError('CC_INTERNAL', 'The hub does not listen.');
  const announcement = { host: flags.host, port: address.port, isTls: address.isTls, storage: flags.storage, mail: mailOf(app.get(CrossCommService)), authentication: authenticationOf(app.get(Authenticator)) };
  if (terminal.json) terminal.result(JSON.stringify({ event: 'listening', ...announcement, urls: urlsOf(announcement) }));
  else for (const line of banner(announcement, app.get<EmbeddedStore | undefined>(EMBEDDED_STORE, { strict: false }), app.get(StorageOptions, { strict: false }).bucket)) terminal.result(line);
  // a line per login costs as much as the login; it is for eyes only
  if (terminal.isInteractive && !flags.quiet)
    app.get(CrossCommService).clientEvents.subscribe((event) =>
      terminal.note(printable(`${event.type}: ${event.clientId}${event.type === 'left' ? ` (${event.reason})` : ''}`)),
    );
  await stopped;
  terminal.note('Stopping…');
  await app.close();
}

/** Where durable messages are kept, and how many there are; undefined: nowhere. */
type KeptMail = { readonly place: string; readonly messages: number } | undefined;

function mailOf(service: CrossCommService): KeptMail {
  const { mailPlace: place } = service;
  return place === undefined ? undefined : { place, messages: service.mailStats.mails };
}

interface Listening {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly storage: StorageDriver;
  readonly mail: KeptMail;
  /** What logins are checked by; undefined: by nothing. */
  readonly authentication: string | undefined;
}

function authenticationOf(authenticator: Authenticator): string | undefined {
  return authenticator instanceof AnonymousAuthenticator ? undefined : authenticator.description;
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
  lines.push(`  mail:    ${mailLine(listening.mail)}`);
  lines.push(`  logins:  ${listening.authentication ?? 'anonymous, nothing is checked (--auth-tokens FILE and others switch authentication on)'}`);
  if (store !== undefined) {
    const scheme = listening.isTls ? 'https' : 'http';
    lines.push('', 'For clients that bring their own OSS credentials (the Python client), paste:');
    lines.push(...credentialLines(`${scheme}://127.0.0.1:${listening.port}`, bucket, store.credentials).map((line) => `  ${line}`));
  }
  if (listening.authentication === undefined) lines.push('', 'WARNING: authentication is OFF. Everyone who reaches this port can log in under any id.');
  lines.push('');
  return lines;
}

function mailLine(mail: KeptMail): string {
  if (mail === undefined) return 'off, all messages are live';
  return `${mail.place === 'memory' ? 'in memory, lost with the process' : `in ${printable(mail.place)}`}; ${mail.messages} messages wait`;
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
