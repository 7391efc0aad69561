import { describe, expect, test } from '@jest/globals';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket, clientFrame } from '../support/raw-socket.js';
import { wireFrame } from '../support/wire.js';

/** A client that, like the Java one, never answers a close frame. */
async function deafClient(hub: TestHub, id: string): Promise<RawSocket> {
  const client = await RawSocket.upgrade(hub.port);
  client.sendText(JSON.stringify(wireFrame({ from_client_id: id, msg_type: 'login', content: {} })));
  expect((await client.frame()).opcode).toBe(1);
  return client;
}

describe('Ending a connection', () => {
  const reasons: readonly (readonly [what: string, code: number, provoke: (hub: TestHub, client: RawSocket) => Promise<unknown> | void])[] = [
    ['disconnectClient', 4000, (hub) => hub.service.disconnectClient('deaf')],
    ['a takeover', 4009, (hub) => RawClient.old(hub.url, 'deaf')],
    ['a refused login', 4003, (_hub, client) => client.sendText(JSON.stringify(wireFrame({ from_client_id: 'all', msg_type: 'login' })))],
    ['invalid UTF-8', 1007, (_hub, client) => client.write(clientFrame(1, Buffer.from([0xff])))],
    ['a message that is too large', 1009, (_hub, client) => client.write(clientFrame(1, Buffer.alloc(1_048_577, 0x20)))],
  ];

  test.each(reasons)('by %s uses code %i, never 1000 or 1001, and cuts the TCP of a peer that does not answer', async (_what, code, provoke) => {
    const hub = await openHub({ closeTimeoutMs: 200 });
    const deaf = await deafClient(hub, 'deaf');
    const takesOver = code === 4009;
    await provoke(hub, deaf);
    expect(await deaf.closeCode()).toBe(code);
    await untilConnections(hub, takesOver ? 1 : 0);
    await deaf.ended(1_000);
  });

  test.each(['违反规定'.repeat(40), '€'.repeat(41) + '😀', '\ud83d'.repeat(200), 'x'.repeat(500)])('for a reason that is too long for a close frame cuts it between two characters', async (reason) => {
    const hub = await openHub();
    const alice = await RawClient.old(hub.url, 'alice');
    hub.service.disconnectClient('alice', reason);
    const { code, reason: told } = await alice.closed();
    expect(code).toBe(4000);
    expect(Buffer.from(reason).toString().startsWith(told)).toBe(true);
    expect(Buffer.byteLength(told)).toBeGreaterThan(118);
    await untilConnections(hub, 0);
  });

  test('by silence uses 4008, and by a missing login 4001', async () => {
    const hub = await openHub({ heartbeatInterval: 0.1, heartbeatTimeout: 0.2, loginTimeoutMs: 200, closeTimeoutMs: 100 });
    const [deaf, stranger] = [await deafClient(hub, 'deaf'), await RawSocket.upgrade(hub.port)];
    expect(await deaf.closeCode()).toBe(4008);
    expect(await stranger.closeCode()).toBe(4001);
    await untilConnections(hub, 0);
  });

  test('by shutdown uses 1012 after everything that was buffered has left', async () => {
    const hub = await openHub({ shutdownTimeoutMs: 2_000 });
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const sent = Array.from({ length: 30 }, (_, n) => alice.send({ to_client_id: 'bob', content: `${n}${'x'.repeat(50_000)}` }));
    await alice.expectNothingElse();
    const closing = hub.close();
    expect((await alice.closed()).code).toBe(1012);
    expect((await bob.closed()).code).toBe(1012);
    expect(bob.unread.length).toBe(sent.length);
    expect(bob.unread.every((text, n) => text === sent[n])).toBe(true);
    await closing;
  });

  test('a shutdown does not wait longer than shutdownTimeoutMs for a peer that never answers', async () => {
    const hub = await openHub({ shutdownTimeoutMs: 300 });
    const deaf = await deafClient(hub, 'deaf');
    const startMs = performance.now();
    const closing = hub.close();
    expect(await deaf.closeCode()).toBe(1012);
    await closing;
    expect(performance.now() - startMs).toBeLessThan(1_500);
    await deaf.ended(1_000);
  });

  test('a shut-down hub takes no connection', async () => {
    const hub = await openHub();
    await hub.close();
    await expect(RawClient.connect(hub.url)).rejects.toThrow('ECONNREFUSED');
  });

  test('a close by the client is answered with its own code', async () => {
    const hub = await openHub();
    const client = await RawClient.old(hub.url, 'alice');
    expect((await client.close(1000)).code).toBe(1000);
    await untilConnections(hub, 0);
    expect(hub.service.getOnlineClients()).toEqual([]);
  });
});
