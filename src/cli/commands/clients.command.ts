import type { Command } from 'commander';
import { printable, type Terminal } from '../terminal.js';
import { addConnectOptions, withClient, type ConnectFlags } from './connect.js';

interface ClientsFlags extends ConnectFlags {
  readonly online: boolean;
}

/** Adds `cross-comm clients`. */
export function addClientsCommand(program: Command, terminalFor: () => Terminal): void {
  addConnectOptions(program.command('clients'))
    .description('list the clients the hub knows')
    .option('--online', 'only those that are online', false)
    .addHelpText(
      'after',
      `
Examples:
  cross-comm clients
  cross-comm clients --online --json | jq -r .clientId`,
    )
    .action(async (flags: ClientsFlags) => listClients(flags, terminalFor()));
}

async function listClients(flags: ClientsFlags, terminal: Terminal): Promise<void> {
  await withClient(flags, async (client) => {
    const { clients } = await client.listClients({ onlyShowOnline: flags.online, timeoutMs: flags.timeout * 1000 });
    for (const { clientId, status, lastHeartbeat, loginTime } of clients) {
      if (clientId === client.clientId) continue;
      if (terminal.json) terminal.result(JSON.stringify({ clientId, status, lastHeartbeat, loginTime }));
      else terminal.result(`${status.padEnd(8)}${timeOf(lastHeartbeat)}  ${printable(clientId)}`);
    }
  });
}

function timeOf(unixSeconds: number): string {
  return unixSeconds > 0 ? new Date(unixSeconds * 1000).toISOString() : 'never'.padEnd(24);
}
