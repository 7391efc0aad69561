import type { Command } from 'commander';
import { type CommMsgType, type UserMessageType } from '../../protocol/index.js';
import type { ConfirmableMessage } from '../../sdk/index.node.js';
import { messageToJson } from '../message-output.js';
import { wholeNumberOption } from '../option-parsers.js';
import type { Terminal } from '../terminal.js';
import { addConnectOptions, connect, messageTypeOption, untilStopped, type ConnectFlags } from './connect.js';

interface ListenFlags extends ConnectFlags {
  readonly type: UserMessageType[];
  readonly from?: string;
  readonly download?: string;
  readonly count?: number;
}

/** Adds `cross-comm listen`. */
export function addListenCommand(program: Command, terminalFor: () => Terminal): void {
  addConnectOptions(program.command('listen'))
    .description('print received messages, one JSON line each, until stopped; with --id also those sent while it was not running')
    .option('--type <type>', 'only this type; repeatable', (text: string, before: UserMessageType[]) => [...before, messageTypeOption(text)], [])
    .option('--from <client id>', 'only from this client')
    .option('--download <folder>', 'download files, images and folders to here')
    .option('--count <n>', 'stop after so many messages', wholeNumberOption)
    .addHelpText(
      'after',
      `
Examples:
  cross-comm listen --id bob
  cross-comm listen --type text --type dict --from alice
  cross-comm listen --id archive --download ./in | jq .localPath`,
    )
    .action(async (flags: ListenFlags) => listen(flags, terminalFor()));
}

async function listen(flags: ListenFlags, terminal: Terminal): Promise<void> {
  const client = await connect(flags);
  try {
    let left = flags.count ?? Number.POSITIVE_INFINITY;
    const enough = new Promise<void>((resolve) => {
      const filter = {
        ...(flags.type.length === 0 ? {} : { msgType: flags.type as CommMsgType[] }),
        ...(flags.from === undefined ? {} : { fromClientId: flags.from }),
        ...(flags.download === undefined ? {} : { downloadDirectory: flags.download }),
      };
      const onMessage = (message: ConfirmableMessage): void => {
        // the hub keeps what is not printed any more
        if (left <= 0) return;
        terminal.result(messageToJson(message));
        message.confirm();
        if (--left <= 0) resolve();
      };
      client.onMessage(filter, onMessage, { confirm: 'manual' });
    });
    terminal.note(`Listening as ${client.clientId}. Ctrl+C stops.`);
    await Promise.race([untilStopped(client), enough]);
  } finally {
    await client.logout();
  }
}
