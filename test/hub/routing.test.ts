import { describe, expect, test } from '@jest/globals';
import { UNLIMITED, openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import type { WireFrame } from '../support/wire.js';

describe('Routing', () => {
  test('a broadcast reaches everyone but its sender', async () => {
    const { url } = await openHub();
    const [alice, bob, carol] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob'), await RawClient.announced(url, 'carol')];
    const sent = alice.send({ to_client_id: 'all', content: 'hi' });
    expect(await bob.nextText()).toBe(sent);
    expect(await carol.nextText()).toBe(sent);
    for (const client of [alice, bob, carol]) await client.expectNothingElse();
  });

  test('a broadcast with nobody else online is no error', async () => {
    const { url } = await openHub();
    const alice = await RawClient.announced(url, 'alice');
    alice.send({ to_client_id: 'all' });
    await alice.expectNothingElse();
  });

  test('a message to the own id comes back', async () => {
    const { url } = await openHub();
    const alice = await RawClient.old(url, 'alice');
    const sent = alice.send({ to_client_id: 'alice', content: 'me' });
    expect(await alice.nextText()).toBe(sent);
  });

  test('a message to the server stays with the server', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'bob')];
    alice.send({ to_client_id: 'server', content: 'hi server' });
    await alice.expectNothingElse();
    await bob.expectNothingElse();
  });

  test.each(['ghost', '', '__proto__', 'constructor', 'ALL'])('an unknown target "%s" is an error to an announced sender and silence to an old one', async (to) => {
    const { url } = await openHub();
    const [alice, old] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'old')];
    const { msg_id } = JSON.parse(alice.send({ to_client_id: to })) as WireFrame;
    const { content } = await alice.next();
    expect(content).toEqual({
      reply_to: msg_id,
      code: 'CC_UNKNOWN_CLIENT',
      message: 'CC_UNKNOWN_CLIENT: No client with this id is online. Check the id, or send again when it is back.',
      data: { to_client_id: to },
    });
    old.send({ to_client_id: to });
    await old.expectNothingElse();
  });

  test('a heartbeat to another client is not forwarded', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    alice.send({ msg_type: 'heartbeat', to_client_id: 'bob' });
    await alice.expectNothingElse();
    await bob.expectNothingElse();
  });

  test('5,000 messages of each of two senders arrive complete and in order per pair', async () => {
    const { url } = await openHub(UNLIMITED);
    const count = 5_000;
    const [alice, bob, carol] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob'), await RawClient.old(url, 'carol')];
    for (let n = 0; n < count; n++) {
      alice.send({ to_client_id: n % 3 === 0 ? 'all' : 'carol', content: n });
      bob.send({ to_client_id: 'carol', content: n });
    }
    const seen: Record<string, unknown[]> = { alice: [], bob: [] };
    for (let i = 0; i < 2 * count; i++) {
      const { from_client_id, content } = await carol.next();
      seen[from_client_id]?.push(content);
    }
    const expected = Array.from({ length: count }, (_, n) => n);
    expect(seen).toEqual({ alice: expected, bob: expected });
    await carol.expectNothingElse();
  });

  test('the hub itself sends to one and to all as "server"', async () => {
    const { url, service } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    expect(await service.sendMessage(new Uint8Array([0, 255]), 'bytes', 'alice')).toEqual({ msgId: expect.stringMatching(/^server_/), receipt: 'live', delivered: 1 });
    expect(await alice.next()).toMatchObject({ from_client_id: 'server', to_client_id: 'alice', msg_type: 'bytes', content: 'AP8=', oss_key: null });
    expect((await service.sendMessage({ a: 1 }, 'dict')).delivered).toBe(2);
    for (const client of [alice, bob]) expect(await client.next()).toMatchObject({ to_client_id: 'all', content: { a: 1 } });
    await expect(service.sendMessage('x', 'text', 'ghost')).rejects.toMatchObject({ code: 'CC_UNKNOWN_CLIENT' });
  });
});
