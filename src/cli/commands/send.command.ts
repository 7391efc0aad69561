import { Option, type Command } from 'commander';
import { isAttachmentType, type UserMessageType } from '../../protocol/index.js';
import type { SentMessage } from '../../sdk/index.node.js';
import { contentOf } from '../message-input.js';
import { transferDisplay } from '../progress-bar.js';
import type { Terminal } from '../terminal.js';
import { addConnectOptions, messageTypeOption, withClient, type ConnectFlags } from './connect.js';

interface SendFlags extends ConnectFlags {
  readonly to: string;
  readonly type: UserMessageType;
  readonly live?: true;
  readonly receipt: 'stored' | 'delivered' | 'processed';
}

/** Adds `cross-comm send`. */
export function addSendCommand(program: Command, terminalFor: () => Terminal): void {
  addConnectOptions(program.command('send <content>'))
    .description('send one message and exit, when the hub has stored it')
    .option('--to <client id>', 'addressee, "group:" and a name, or "all"', 'all')
    .option('--type <type>', 'text, json, dict, bytes, file, image or folder', messageTypeOption, 'text')
    .option('--live', 'only to who is there now, at most once')
    .addOption(
      new Option('--receipt <receipt>', 'exit when the message is stored, has reached the receiver, or was processed by it, however long that takes')
        .choices(['stored', 'delivered', 'processed'])
        .default('stored'),
    )
    .addHelpText(
      'after',
      `
Examples:
  cross-comm send "hello" --to bob
  cross-comm send '{"temperature": 21.5}' --type dict
  cross-comm send ./report.pdf --type file --to bob
  cross-comm send "at last" --to bob --receipt processed
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
    let receipt: SentMessage['receipt'] = 'sent';
    try {
      const delivery = flags.live ? { delivery: 'live' as const } : { receipt: flags.receipt };
      // an upload and a receipt of the receiver take their time; the hub's own answer does not
      const isQuick = display === undefined && flags.receipt === 'stored';
      const limits = isQuick ? { timeoutMs: flags.timeout * 1000 } : {};
      ({ receipt } = await client.sendMessage(content, msgType, flags.to, { ...delivery, ...limits, ...(display && { onProgress: display.onProgress }) }));
      isComplete = true;
    } finally {
      display?.done(isComplete);
    }
    // the hub answers in order: once it has answered this, it has said what it had to say about a live message
    if (receipt === 'sent') await client.listClients({ onlyShowOnline: true, timeoutMs: flags.timeout * 1000 });
    if (refusals[0] !== undefined) throw refusals[0];
    if (terminal.json) terminal.result(JSON.stringify({ sent: true, receipt, from: client.clientId, to: flags.to, type: msgType }));
    else terminal.note(`Sent to ${flags.to} as ${client.clientId} (${receipt}).`);
  });
}
