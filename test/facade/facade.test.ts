import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrossComm, CrossCommError, type Message } from '../../src/index.js';
import { startTestHub } from '../../src/testing/index.js';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describe('the facade in the shape of the Python class', () => {
  test('a server and two clients exchange messages, and the server listens', async () => {
    const port = await freePort();
    const dataDir = await mkdtemp(join(tmpdir(), 'cross-comm-facade-'));
    ends.push(() => rm(dataDir, { recursive: true, force: true }));
    const server = new CrossComm({ role: 'server', ip: '127.0.0.1', port, dataDir });
    const heardByServer: unknown[] = [];
    server.messageListener({ msgType: 'text' })((message) => heardByServer.push(message.content));
    await server.startServer();
    ends.push(() => server.stop());
    const alice = new CrossComm({ role: 'client', ip: '127.0.0.1', port, clientId: 'alice' });
    const bob = new CrossComm({ role: 'client', ip: '127.0.0.1', port, clientId: 'bob' });
    ends.push(() => alice.stop(), () => bob.stop());
    const arrived = new Promise<Message>((resolve) => bob.messageListener({ msgType: 'text', fromClientId: 'alice' })(resolve));
    expect(await alice.login()).toBe(true);
    expect(await bob.login()).toBe(true);
    expect(server.getOnlineClients()).toEqual(['alice', 'bob']);
    expect(await alice.sendMessage('hi', 'text', 'bob')).toBe(true);
    expect((await arrived).content).toBe('hi');
    expect(heardByServer).toEqual(['hi']);
    const { clients } = await alice.listClients(true);
    expect(clients.map(({ clientId }) => clientId)).toEqual(['alice', 'bob']);
    await bob.logout();
    expect(server.getOnlineClients()).toEqual(['alice']);
  });

  test('what cannot be sent answers false and keeps the reason', async () => {
    const hub = await startTestHub({ storage: { driver: 'none' } });
    ends.push(() => hub.close());
    const client = new CrossComm({ role: 'client', ip: '127.0.0.1', port: hub.port });
    ends.push(() => client.stop());
    expect(client.clientId).toMatch(/^[0-9a-f]{12}_[0-9a-f]{8}$/);
    await client.login();
    expect(await client.sendMessage('{bad', 'json')).toBe(false);
    expect(client.lastError).toMatchObject({ code: 'CC_INVALID_CONTENT' });
  });

  test('a server that is started twice is started once', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'cross-comm-facade-'));
    const server = new CrossComm({ role: 'server', ip: '127.0.0.1', port: await freePort(), dataDir });
    ends.push(() => rm(dataDir, { recursive: true, force: true }), () => server.stop());
    await Promise.all([server.startServer(), server.startServer()]);
    await server.startServer();
    await server.stop();
    await server.startServer();
    expect(server.getOnlineClients()).toEqual([]);
  });

  test('a method of the other role is a mistake, as in Python', async () => {
    const server = new CrossComm({ role: 'server' });
    await expect(server.login()).rejects.toBeInstanceOf(CrossCommError);
    await expect(server.sendMessage('x', 'text')).rejects.toMatchObject({ code: 'CC_UNSUPPORTED' });
    const client = new CrossComm({ role: 'client' });
    await expect(client.startServer()).rejects.toMatchObject({ code: 'CC_UNSUPPORTED' });
    expect(() => client.getOnlineClients()).toThrow(CrossCommError);
  });
});

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
