import type { Command } from 'commander';
import { isAttachmentType, type UserMessageType } from '../../protocol/index.js';
import { contentOf } from '../message-input.js';
import { transferDisplay } from '../progress-bar.js';
import type { Terminal } from '../terminal.js';
import { addConnectOptions, messageTypeOption, withClient, type ConnectFlags } from './connect.js';

interface SendFlags extends ConnectFlags {
  readonly to: string;
  readonly type: UserMessageType;
}

/** Adds `cross-comm send`. */
export function addSendCommand(program: Command, terminalFor: () => Terminal): void {
  addConnectOptions(program.command('send <content>'))
    .description('send one message and exit')
    .option('--to <client id>', 'addressee, or "all"', 'all')
    .option('--type <type>', 'text, json, dict, bytes, file, image or folder', messageTypeOption, 'text')
    .addHelpText(
      'after',
      `
Examples:
  cross-comm send "hello" --to bob
  cross-comm send '{"temperature": 21.5}' --type dict
  cross-comm send ./report.pdf --type file --to bob
  cross-comm send ./photos --type folder --to bob --url ws://10.0.0.5:9898`,
    )
    .action(async (content: string, flags: SendFlags) => sendOne(content, flags, terminalFor()));
}

async function sendOne(text: string, flags: SendFlags, terminal: Terminal): Promise<void> {
  const { msgType, content } = contentOf(flags.type, text);
  await withClient(flags, async (client) => {
    const refusals: Error[] = [];
    client.onError((error) => refusals.push(error));
    const display = isAttachmentType(msgType) ? transferDisplay(terminal, text) : undefined;
    let isComplete = false;
    try {
      await client.sendMessage(content, msgType, flags.to, display === undefined ? {} : { onProgress: display.onProgress });
      isComplete = true;
    } finally {
      display?.done(isComplete);
    }
    // the hub answers in order: once it has answered this, it has said what it had to say about the message
    await client.listClients({ onlyShowOnline: true, timeoutMs: flags.timeout * 1000 });
    if (refusals[0] !== undefined) throw refusals[0];
    if (terminal.json) terminal.result(JSON.stringify({ sent: true, from: client.clientId, to: flags.to, type: msgType }));
    else terminal.note(`Sent to ${flags.to} as ${client.clientId}.`);
  });
}
