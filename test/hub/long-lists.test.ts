import { afterEach, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossCommClient } from '../../src/sdk/index.node.js';
import { startTestHub } from '../../src/testing/index.js';

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

test('a list longer than its receiver can take leaves out who left longest ago, never who is online', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'cross-comm-lists-'));
  ends.push(() => rm(dataDir, { recursive: true, force: true }));
  const remembered = Array.from({ length: 20_000 }, (_, index) => `client-${String(index).padStart(6, '0')}`);
  const yaml = remembered.map((id, index) => `${id}:\n  last_seen: ${1_700_000_000 + index}.5\n  status: offline\n`).join('');
  await writeFile(join(dataDir, 'cross_comm_clients.yaml'), yaml);
  const hub = await startTestHub({ dataDir, storage: { driver: 'none' } });
  ends.push(() => hub.close());
  const client = new CrossCommClient({ url: hub.url, clientId: 'asks' });
  ends.push(() => client.logout());
  await client.login();
  const { clients } = await client.listClients();
  expect(hub.service.listClients().totalCount).toBe(20_001);
  expect(clients.length).toBeGreaterThan(4_000);
  expect(clients.length).toBeLessThan(20_000);
  expect(clients[0]).toMatchObject({ clientId: 'asks', status: 'online' });
  expect(clients.at(-1)).toMatchObject({ clientId: remembered.at(-1), status: 'offline' });
});
