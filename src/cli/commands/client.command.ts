import type { Command } from 'commander';
import { createInterface } from 'node:readline';
import type { CrossCommClient } from '../../sdk/index.node.js';
import { isAttachmentType } from '../../protocol/index.js';
import { parseClientLine, type ClientCommand } from '../message-input.js';
import { messageToJson, messageToLine } from '../message-output.js';
import { transferDisplay } from '../progress-bar.js';
import { printable, type Terminal } from '../terminal.js';
import { addConnectOptions, connect, type ConnectFlags } from './connect.js';

interface ClientFlags extends ConnectFlags {
  readonly download?: string;
}

/** Adds `cross-comm client`. */
export function addClientCommand(program: Command, terminalFor: () => Terminal): void {
  addConnectOptions(program.command('client'))
    .description('talk by hand: what is typed is sent, what arrives is printed')
    .option('--download <folder>', 'download files, images and folders to here')
    .addHelpText(
      'after',
      `
What to type:
  hello               text to everyone (or to the client chosen with to:)
  json:{"a": 1}       a JSON text         dict:{"a": 1}   a JSON object
  bytes:abc           bytes               file:PATH  image:PATH  folder:PATH
  to:bob              send to bob from now on; to:all is everyone again
  list                who is here         quit            leave

Examples:
  cross-comm client --id alice
  cross-comm client --id bob --download ./in --url ws://10.0.0.5:9898`,
    )
    .action(async (flags: ClientFlags) => talk(flags, terminalFor()));
}

async function talk(flags: ClientFlags, terminal: Terminal): Promise<void> {
  const client = await connect(flags);
  client.onMessage(flags.download === undefined ? {} : { downloadDirectory: flags.download }, (message) =>
    terminal.result(terminal.json ? messageToJson(message) : messageToLine(message)),
  );
  client.onError((error) => terminal.error(printable(error.message)));
  client.onStatus((status) => {
    if (status.state === 'reconnecting') terminal.note('Connection lost; trying again…');
    if (status.state === 'online') terminal.note('Connected.');
    if (status.state === 'closed') lines.close();
  });
  const lines = createInterface({ input: process.stdin, terminal: false });
  process.once('SIGINT', () => lines.close()).once('SIGTERM', () => lines.close());
  terminal.note(`Connected as ${client.clientId}. Type a text to send it, "quit" to leave, --help tells more.`);
  let target = 'all';
  let closedBecause: Error | undefined;
  try {
    for await (const line of lines) {
      try {
        const command = parseClientLine(line);
        if (command.kind === 'quit') break;
        if (command.kind === 'to') terminal.note(`To ${(target = command.clientId)} from now on.`);
        else await run(command, { client, terminal, target });
      } catch (error) {
        terminal.error(printable((error as Error).message));
      }
    }
  } finally {
    lines.close();
    // the hub answers in order: what it refused of the last lines is known once it has answered this
    if (client.status.state === 'online') await client.listClients({ timeoutMs: 2_000 }).catch((error: Error) => terminal.error(error.message));
    closedBecause = client.status.state === 'closed' ? client.status.reason : undefined;
    await client.logout();
  }
  if (closedBecause !== undefined) throw closedBecause;
}

async function run(
  command: ClientCommand,
  { client, terminal, target }: { client: CrossCommClient; terminal: Terminal; target: string },
): Promise<void> {
  if (command.kind === 'list') {
    const { clients } = await client.listClients();
    for (const { clientId, status } of clients)
      terminal.result(terminal.json ? JSON.stringify({ clientId, status }) : `${status.padEnd(8)}${printable(clientId)}`);
  }
  if (command.kind !== 'send') return;
  const { content, msgType } = command;
  const display = isAttachmentType(msgType) ? transferDisplay(terminal, String(content)) : undefined;
  let isComplete = false;
  try {
    await client.sendMessage(content, msgType, target, display === undefined ? {} : { onProgress: display.onProgress });
    isComplete = true;
  } finally {
    display?.done(isComplete);
  }
}
