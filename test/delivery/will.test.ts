import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { MessageListener, type ConnectedClient, type Message } from '../../src/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { peer } from './peers.js';

const heard: string[] = [];

@Injectable()
class Ear {
  @MessageListener()
  onMessage({ content, toClientId }: Message, { clientId }: ConnectedClient): void {
    heard.push(`${clientId} → ${toClientId}: ${JSON.stringify(content)}`);
  }
}

const will = (to: string, content: unknown = 'gone', msgType = 'text'): Readonly<Record<string, unknown>> => ({
  will: { to_client_id: to, msg_type: msgType, content },
});

function willOf(from: string, to: string, content: unknown = 'gone'): object {
  return {
    msg_id: expect.stringMatching(new RegExp(`^${from}_\\d{13}_[0-9a-f]{8}$`)),
    from_client_id: from,
    to_client_id: to,
    msg_type: 'text',
    content,
    timestamp: expect.closeTo(Date.now() / 1000, -2),
    oss_key: null,
  };
}

describe('A last will', () => {
  test.each<[string, (client: RawClient, hub: TestHub) => unknown]>([
    ['cuts its connection', (client) => client.socket.terminate()],
    ['closes without a logout', (client) => client.close()],
    ['is disconnected by the hub', (client, hub) => hub.service.disconnectClient(client.id)],
    ['sends what no WebSocket carries', (client) => (client.socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))],
  ])('is sent when its client %s', async (_, leave) => {
    const hub = await openHub();
    const bob = await RawClient.old(hub.url, 'bob');
    const alice = await peer(hub, 'alice', will('bob'));
    await leave(alice, hub);
    expect(await bob.next()).toEqual(willOf('alice', 'bob'));
    await bob.expectNothingElse();
  });

  test('is sent when its client is silent for too long', async () => {
    const hub = await openHub({ heartbeatInterval: 0.1, heartbeatTimeout: 0.3 });
    const bob = await RawClient.old(hub.url, 'bob');
    const beating = setInterval(() => bob.send({ msg_type: 'heartbeat' }), 50);
    await peer(hub, 'alice', will('bob'));
    expect(await bob.next()).toEqual(willOf('alice', 'bob'));
    clearInterval(beating);
  });

  test('is sent when its client does not read', async () => {
    const hub = await openHub({ maxBufferedBytes: 65_536 });
    const bob = await RawClient.old(hub.url, 'bob');
    const alice = await peer(hub, 'alice', will('bob'));
    alice.socket.pause();
    const text = 'x'.repeat(60_000);
    await until(() => {
      for (let n = 0; n < 20; n++) bob.send({ to_client_id: 'alice', content: text });
      return hub.registry.find('alice') === undefined;
    }, 'alice is given up');
    expect(await bob.next()).toEqual(willOf('alice', 'bob'));
  });

  test.each<[string, (client: RawClient, hub: TestHub) => unknown]>([
    [
      'logs out',
      async (client) => {
        client.send({ msg_type: 'logout', content: {} });
        await client.close();
      },
    ],
    ['is taken over by a login without one', (client, hub) => RawClient.old(hub.url, client.id).then((next) => next.close())],
    ['logs in once more without one', (client) => client.login(client.id).then(() => client.close())],
  ])('is not sent when its client %s', async (_, leave) => {
    const hub = await openHub();
    const bob = await RawClient.old(hub.url, 'bob');
    const alice = await peer(hub, 'alice', will('bob'));
    await leave(alice, hub);
    await until(() => hub.registry.find('alice') === undefined, 'alice is away');
    await bob.expectNothingElse();
  });

  test('is not sent when the hub shuts down', async () => {
    const hub = await openHub();
    // they leave in the order in which they came
    await peer(hub, 'alice', will('all'));
    const bob = await RawClient.old(hub.url, 'bob');
    await hub.close();
    await bob.closed();
    expect(bob.unread).toEqual([]);
  });

  test('is that of the newest login, and is sent once', async () => {
    const hub = await openHub();
    const bob = await RawClient.old(hub.url, 'bob');
    await peer(hub, 'alice', will('bob', 'the first'));
    const second = await peer(hub, 'alice', will('bob', 'the second'));
    await second.close();
    expect(await bob.next()).toEqual(willOf('alice', 'bob', 'the second'));
    const third = await peer(hub, 'alice');
    await third.close();
    await until(() => hub.registry.find('alice') === undefined, 'alice is away');
    await bob.expectNothingElse();
  });

  test('may go to all, to a group and to the hub, whose listeners see each', async () => {
    heard.length = 0;
    const hub = await openHub({ providers: [Ear] });
    const [bob, carol] = [await peer(hub, 'bob'), await peer(hub, 'carol')];
    await hub.service.joinGroup('team', 'carol');
    await (await peer(hub, 'alice', will('all', 'to all'))).close();
    for (const client of [bob, carol]) expect(await client.next()).toEqual(willOf('alice', 'all', 'to all'));
    await (await peer(hub, 'alice', will('group:team', 'to the team'))).close();
    expect(await carol.next()).toEqual(willOf('alice', 'group:team', 'to the team'));
    await (await peer(hub, 'alice', will('server', { to: ['the hub'] }, 'dict'))).close();
    await (await peer(hub, 'alice', will('nobody', 'lost'))).close();
    await until(() => heard.length === 4, 'the listener heard all');
    expect(heard).toEqual(['alice → all: "to all"', 'alice → group:team: "to the team"', 'alice → server: {"to":["the hub"]}', 'alice → nobody: "lost"']);
    await bob.expectNothingElse();
  });

  test('of 300 clients that are cut at once reaches whoever stays, once each', async () => {
    const hub = await openHub();
    const bob = await RawClient.old(hub.url, 'bob');
    const clients = await Promise.all(Array.from({ length: 300 }, (_, n) => peer(hub, `c${n}`, will('all', n, 'dict'))));
    for (const client of clients) client.socket.terminate();
    const seen = new Set<unknown>();
    while (seen.size < 300) seen.add((await bob.next()).content);
    await bob.expectNothingElse();
  });

  test.each<[string, unknown, string]>([
    ['has no target', { msg_type: 'text', content: 'x' }, 'CC_INVALID_ENVELOPE'],
    ['has a target that no one can be', { to_client_id: 'a\0b', msg_type: 'text', content: 'x' }, 'CC_INVALID_ENVELOPE'],
    ['has a group without a name', { to_client_id: 'group:', msg_type: 'text', content: 'x' }, 'CC_INVALID_ENVELOPE'],
    ['has a type that users do not send', { to_client_id: 'bob', msg_type: 'event', content: 'x' }, 'CC_INVALID_ENVELOPE'],
    ['is a text without a string', { to_client_id: 'bob', msg_type: 'text', content: 7 }, 'CC_INVALID_CONTENT'],
    ['is JSON that does not parse', { to_client_id: 'bob', msg_type: 'json', content: '{' }, 'CC_INVALID_CONTENT'],
    ['is a file without a path', { to_client_id: 'bob', msg_type: 'file', content: '' }, 'CC_INVALID_CONTENT'],
  ])('that %s has its login refused', async (_, given, code) => {
    const hub = await openHub();
    const alice = await RawClient.connect(hub.url);
    expect(await alice.login('alice', { cross_comm: { protocol: 2, features: [], will: given } })).toMatchObject({
      msg_type: 'login_response',
      content: { status: 'error', code },
    });
    expect(await alice.closed()).toEqual({ code: 4003, reason: code });
  });
});
