import { describe, expect, test } from '@jest/globals';
import { PresenceWatch } from '../../src/delivery/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { answerTo, ask, peer } from './peers.js';

async function watched(options: Parameters<typeof openHub>[0] = {}): Promise<{ hub: TestHub; watcher: RawClient }> {
  const hub = await openHub(options);
  return { hub, watcher: await peer(hub, 'watcher') };
}

function event(clientId: string, change: 'joined' | 'left', more: Readonly<Record<string, unknown>> = {}): object {
  return {
    msg_type: 'event',
    from_client_id: 'server',
    to_client_id: 'watcher',
    content: { event: 'presence', client_id: clientId, change, at: expect.closeTo(Date.now() / 1000, -2), ...more },
  };
}

function errorOf(code: string, more: Readonly<Record<string, unknown>> = {}): object {
  return { msg_type: 'error', from_client_id: 'server', content: { reply_to: 'ask', code, message: expect.stringMatching(new RegExp(`^${code}: `)), ...more } };
}

describe('Watching clients', () => {
  test('answers how things are, then tells every change with its reason', async () => {
    const { hub, watcher } = await watched();
    const alice = await peer(hub, 'alice');
    await (await peer(hub, 'bob')).close();
    await until(() => hub.registry.find('bob') === undefined, 'bob is away');
    const now = expect.closeTo(Date.now() / 1000, -2);
    expect(await answerTo(watcher, 'presence.watch', { client_ids: ['alice', 'bob', 'never seen'] })).toEqual({
      clients: [
        { client_id: 'alice', status: 'online', last_seen: now },
        { client_id: 'bob', status: 'offline', last_seen: now },
        { client_id: 'never seen', status: 'offline', last_seen: 0 },
      ],
      groups: [],
    });
    alice.send({ msg_type: 'logout', content: {} });
    expect(await watcher.next()).toEqual(expect.objectContaining(event('alice', 'left', { why: 'logout' })));
    await alice.login('alice');
    expect(await watcher.next()).toEqual(expect.objectContaining(event('alice', 'joined')));
    const second = await peer(hub, 'alice');
    expect(await watcher.next()).toEqual(expect.objectContaining(event('alice', 'joined', { why: 'takeover' })));
    second.socket.terminate();
    expect(await watcher.next()).toEqual(expect.objectContaining(event('alice', 'left', { why: 'closed' })));
    const third = await RawClient.old(hub.url, 'never seen');
    expect(await watcher.next()).toEqual(expect.objectContaining(event('never seen', 'joined')));
    hub.service.disconnectClient(third.id);
    expect(await watcher.next()).toEqual(expect.objectContaining(event('never seen', 'left', { why: 'disconnected' })));
    await peer(hub, 'somebody else');
    await watcher.expectNothingElse();
  });

  test('tells each change once, however often it is watched, and no longer after unwatch', async () => {
    const { hub, watcher } = await watched();
    for (let n = 0; n < 2; n++) await answerTo(watcher, 'presence.watch', { client_ids: ['alice', 'alice', 'bob'] });
    await peer(hub, 'alice');
    expect(await watcher.next()).toMatchObject(event('alice', 'joined'));
    await watcher.expectNothingElse();
    expect(await answerTo(watcher, 'presence.unwatch', { client_ids: ['alice', 'nobody'], groups: ['none'] })).toBeNull();
    hub.service.disconnectClient('alice');
    await peer(hub, 'bob');
    expect(await watcher.next()).toMatchObject(event('bob', 'joined'));
    await watcher.expectNothingElse();
  });

  test('follows its answer: changes right behind the request come after it', async () => {
    const { watcher } = await watched();
    watcher.send({ msg_type: 'request', msg_id: 'r1', content: { action: 'presence.watch', data: { groups: ['team'] } } });
    watcher.send({ msg_type: 'request', msg_id: 'r2', content: { action: 'groups.join', data: { group: 'team' } } });
    expect(await watcher.next()).toMatchObject({ content: { reply_to: 'r1', data: { clients: [], groups: [{ group: 'team', members: [] }] } } });
    expect(await watcher.next()).toMatchObject(event('watcher', 'joined', { group: 'team' }));
    expect(await watcher.next()).toMatchObject({ content: { reply_to: 'r2' } });
  });

  test.each<[string, (client: RawClient, hub: TestHub) => unknown]>([
    ['a disconnect', (client) => client.close()],
    ['a logout', (client) => client.send({ msg_type: 'logout', content: {} })],
    ['a takeover', () => undefined],
  ])('ends with %s of who watches; the next session hears nothing until it watches again', async (_, leave) => {
    const { hub, watcher } = await watched();
    await answerTo(watcher, 'presence.watch', { client_ids: ['alice'], groups: ['team'] });
    await leave(watcher, hub);
    const again = await peer(hub, 'watcher');
    await peer(hub, 'alice');
    await hub.service.joinGroup('team', 'alice');
    await again.expectNothingElse();
    await answerTo(again, 'presence.watch', { client_ids: ['alice'] });
    hub.service.disconnectClient('alice');
    expect(await again.next()).toMatchObject(event('alice', 'left'));
  });

  test('of oneself tells nothing of the own end', async () => {
    const { hub, watcher } = await watched();
    await answerTo(watcher, 'presence.watch', { client_ids: ['watcher'] });
    const second = await peer(hub, 'watcher');
    await second.expectNothingElse();
  });

  test('a shutdown is no event', async () => {
    const hub = await openHub();
    // they leave in the order in which they came
    await peer(hub, 'alice');
    const watcher = await peer(hub, 'watcher');
    await answerTo(watcher, 'presence.watch', { client_ids: ['alice'] });
    await hub.close();
    await watcher.closed();
    expect(watcher.unread.filter((text) => text.includes('"event"'))).toEqual([]);
  });
});

describe('Watching groups', () => {
  test('tells who is in them, who joins, leaves, and whose membership ends with the session', async () => {
    const { hub, watcher } = await watched();
    const [alice, bob] = [await peer(hub, 'alice'), await peer(hub, 'bob')];
    await answerTo(alice, 'groups.join', { group: 'team' });
    expect(await answerTo(watcher, 'presence.watch', { groups: ['team', 'empty'] })).toEqual({
      clients: [],
      groups: [
        { group: 'team', members: [{ client_id: 'alice', status: 'online', durable: false }] },
        { group: 'empty', members: [] },
      ],
    });
    await answerTo(bob, 'groups.join', { group: 'empty' });
    expect(await watcher.next()).toEqual(expect.objectContaining(event('bob', 'joined', { group: 'empty' })));
    await answerTo(bob, 'groups.join', { group: 'empty' });
    await answerTo(bob, 'groups.leave', { group: 'empty' });
    expect(await watcher.next()).toEqual(expect.objectContaining(event('bob', 'left', { group: 'empty', why: 'leave' })));
    await peer(hub, 'alice');
    expect(await watcher.next()).toEqual(expect.objectContaining(event('alice', 'left', { group: 'team', why: 'takeover' })));
    await answerTo(bob, 'groups.join', { group: 'team' });
    expect(await watcher.next()).toMatchObject(event('bob', 'joined', { group: 'team' }));
    bob.socket.terminate();
    expect(await watcher.next()).toEqual(expect.objectContaining(event('bob', 'left', { group: 'team', why: 'closed' })));
    await watcher.expectNothingElse();
  });
});

describe('A watch is refused', () => {
  test('with CC_UNSUPPORTED to a client that does not understand events', async () => {
    const hub = await openHub();
    const mute = await peer(hub, 'mute', { features: ['errors', 'requests'] });
    expect(await ask(mute, 'presence.watch', { client_ids: ['alice'] })).toMatchObject(errorOf('CC_UNSUPPORTED'));
  });

  test.each<[unknown, string]>([
    [{ client_ids: 'alice' }, 'CC_INVALID_CONTENT'],
    [{ groups: {} }, 'CC_INVALID_CONTENT'],
    [{ client_ids: ['alice', 7] }, 'CC_INVALID_CLIENT_ID'],
    [{ client_ids: ['all'] }, 'CC_INVALID_CLIENT_ID'],
    [{ client_ids: ['group:x'] }, 'CC_INVALID_CLIENT_ID'],
    [{ client_ids: ['alice'], groups: [''] }, 'CC_INVALID_CLIENT_ID'],
  ])('when it names %j with %s, and nothing of it is watched', async (data, code) => {
    const { hub, watcher } = await watched();
    for (const action of ['presence.watch', 'presence.unwatch']) expect(await ask(watcher, action, data)).toMatchObject(errorOf(code));
    await peer(hub, 'alice');
    await watcher.expectNothingElse();
  });

  test('with CC_LIMIT_REACHED beyond the limit, which what is watched already does not count against twice', async () => {
    const { hub, watcher } = await watched({ delivery: { maxWatches: 3 } });
    await answerTo(watcher, 'presence.watch', { client_ids: ['a', 'b'], groups: ['g'] });
    await answerTo(watcher, 'presence.watch', { client_ids: ['a', 'b'], groups: ['g'] });
    expect(await ask(watcher, 'presence.watch', { client_ids: ['a', 'c'] })).toMatchObject(errorOf('CC_LIMIT_REACHED', { data: { limit: 'maxWatches', value: 3 } }));
    await peer(hub, 'c');
    await watcher.expectNothingElse();
    await answerTo(watcher, 'presence.unwatch', { groups: ['g'] });
    await answerTo(watcher, 'presence.watch', { client_ids: ['c'] });
    hub.service.disconnectClient('c');
    expect(await watcher.next()).toMatchObject(event('c', 'left'));
  });
});

test('20,000 watches of clients that do not come cost logins nothing that can be seen', async () => {
  const { hub } = await watched();
  const presence = hub.app.get(PresenceWatch);
  for (let n = 0; n < 20; n++) presence.watch(`w${n}`, { clientIds: Array.from({ length: 1_000 }, (_, id) => `absent ${n} ${id}`), groups: [] });
  const startedMs = performance.now();
  const client = await RawClient.connect(hub.url);
  for (let n = 0; n < 2_000; n++) client.send({ msg_type: 'login', from_client_id: `c${n}`, content: {} });
  for (let n = 0; n < 2_000; n++) await client.next();
  // going through all watches at each login and logout would take minutes
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
