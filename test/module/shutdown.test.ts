import { describe, expect, test } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { EventEmitter } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossCommGateway, CrossCommModule, CrossCommService, type ClientEvent } from '../../src/index.js';
import { startTestHub } from '../../src/testing/index.js';
import { RawClient, refusedUpgrade } from './raw-client.js';

/** Resolves when the port can be bound again, fails when somebody still holds it. */
async function bind(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  await new Promise((resolve) => server.close(resolve));
}

describe('app.close()', () => {
  test('closes every client with 1012, logged in or not, and frees the port', async () => {
    const hub = await startTestHub({ storage: { driver: 'none' } });
    const alice = await RawClient.login(hub.url, 'alice');
    const bob = await RawClient.login(hub.url, 'bob', { protocol: 2 });
    const stranger = await RawClient.open(hub.url, 'stranger');
    const events: ClientEvent[] = [];
    hub.service.clientEvents.subscribe((event) => events.push(event));
    await hub.close();
    for (const client of [alice, bob, stranger]) expect(await client.ended).toMatchObject({ code: 1012, reason: expect.stringContaining('shuts down') });
    expect(events).toEqual([
      { type: 'left', clientId: 'alice', at: expect.any(Number), reason: 'shutdown' },
      { type: 'left', clientId: 'bob', at: expect.any(Number), reason: 'shutdown' },
    ]);
    await bind(hub.port);
  });

  test('delivers what was sent right before it', async () => {
    const hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false });
    const alice = await RawClient.login(hub.url, 'alice');
    for (let i = 0; i < 50; i++) await hub.service.sendMessage(`${i} ${'x'.repeat(20_000)}`, 'text', 'alice');
    await hub.close();
    await alice.ended;
    expect(alice.received.map(({ content }) => (content as string).split(' ')[0])).toEqual(Array.from({ length: 50 }, (_, i) => String(i)));
  });

  test('cuts clients that never answer a close, and returns in time', async () => {
    const hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false, shutdownTimeoutMs: 200 });
    const alice = await RawClient.login(hub.url, 'alice');
    alice.webSocket.pause();
    const startedMs = performance.now();
    await hub.close();
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    await bind(hub.port);
    await alice.close();
  });

  test('writes presence, everyone being offline, without waiting for the debounce', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'cross-comm-shutdown-'));
    try {
      const hub = await startTestHub({ storage: { driver: 'none' }, dataDir, presenceDebounceMs: 60_000 });
      const alice = await RawClient.login(hub.url, 'alice');
      await hub.close();
      await alice.ended;
      const yaml = await readFile(join(dataDir, 'cross_comm_clients.yaml'), 'utf8');
      expect(yaml).toMatch(/^alice:\n {2}last_seen: \d+\.\d+\n {2}status: offline$/m);
      const next = await startTestHub({ storage: { driver: 'none' }, dataDir });
      expect(next.service.listClients().clients).toEqual([expect.objectContaining({ clientId: 'alice', status: 'offline' })]);
      await next.close();
    } finally {
      await rm(dataDir, { recursive: true, force: true });
    }
  });

  test('refuses new upgrades while clients are still being told', async () => {
    const hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false, shutdownTimeoutMs: 400 });
    const alice = await RawClient.login(hub.url, 'alice');
    alice.webSocket.pause();
    const closing = hub.close();
    expect(await refusedUpgrade(hub.url)).toBe(503);
    await closing;
    expect(await refusedUpgrade(hub.url)).toBe('ECONNREFUSED');
    await alice.close();
  });

  test('may be called although the hub was shut down before', async () => {
    const hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false });
    await hub.app.get(CrossCommGateway).shutdown();
    await hub.close();
    await bind(hub.port);
  });

  test('on a shared server closes the clients, then the server, and leaves nothing of the hub on it', async () => {
    const app = await NestFactory.create(CrossCommModule.forRoot({ persistPresence: false, storage: { driver: 'none' } }), { logger: false });
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as Server;
    const { port } = server.address() as AddressInfo;
    const alice = await RawClient.login(`ws://127.0.0.1:${port}`, 'alice');
    expect(app.get(CrossCommService).getOnlineClients()).toEqual(['alice']);
    await app.close();
    expect(await alice.ended).toMatchObject({ code: 1012 });
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(Reflect.get(server, 'emit')).toBe(Reflect.get(EventEmitter.prototype, 'emit'));
    await bind(port);
  });
});
