import { Option, type Command } from 'commander';
import { CrossCommClient } from '../../sdk/index.node.js';
import { CrossCommError, USER_MESSAGE_TYPES, type UserMessageType } from '../../protocol/index.js';
import { numberOption } from '../option-parsers.js';

/** Flags of every command that logs in. */
export interface ConnectFlags {
  readonly url: string;
  readonly id?: string;
  readonly token?: string;
  readonly timeout: number;
}

/** Adds the flags of a command that logs in. */
export function addConnectOptions(command: Command): Command {
  return command
    .option('--url <url>', 'address of the hub', 'ws://127.0.0.1:9898')
    .option('--id <client id>', 'client id to log in with; made up by default')
    .addOption(new Option('--token <token>', 'proves that the id is yours; the variable keeps it out of the list of processes').env('CROSS_COMM_TOKEN'))
    .option('--timeout <seconds>', 'how long to wait for the hub', numberOption, 10);
}

/**
 * A client that is logged in; a hub that cannot be reached within the time-out is an error, not a reason to wait on.
 * @param receives whether it wants mail; an id that was made up does not come back for it and gets none
 */
export async function connect({ url, id, token, timeout }: ConnectFlags, receives = true): Promise<CrossCommClient> {
  const mailbox = receives && id !== undefined;
  const client = new CrossCommClient({ url, mailbox, ...(id === undefined ? {} : { clientId: id }), ...(token === undefined ? {} : { token }) });
  try {
    await client.login({ timeoutMs: timeout * 1000 });
  } catch (error) {
    await client.logout();
    throw error;
  }
  return client;
}

/** Runs `work` with a logged-in client that wants no mail, and logs out afterwards, whatever happens. */
export async function withClient<T>(flags: ConnectFlags, work: (client: CrossCommClient) => Promise<T>): Promise<T> {
  const client = await connect(flags, false);
  try {
    return await work(client);
  } finally {
    await client.logout();
  }
}

/** @throws CrossCommError `CC_INVALID_OPTION` */
export function messageTypeOption(text: string): UserMessageType {
  const type = USER_MESSAGE_TYPES.find((known) => known === text);
  if (type === undefined) throw new CrossCommError('CC_INVALID_OPTION', `There is no message type "${text}"; use ${USER_MESSAGE_TYPES.join(', ')}.`);
  return type;
}

/** Resolves at Ctrl+C, SIGTERM, or when the client is closed for good. @throws the reason it was closed for */
export function untilStopped(client: CrossCommClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const onSignal = (): void => settle();
    const unsubscribe = client.onStatus((status) => {
      if (status.state === 'closed') settle(status.reason);
    });
    const settle = (error?: Error): void => {
      unsubscribe();
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      if (error === undefined) resolve();
      else reject(error);
    };
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  });
}
