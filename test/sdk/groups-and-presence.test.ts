import { describe, expect, test } from '@jest/globals';
import type { PresenceEvent } from '../../src/sdk/index.node.js';
import { codeOf, contents, inboxOf, newClient, online, openHub, until, untilState } from './support/clients.js';
import { ScriptedHub } from './support/scripted-hub.js';

describe('groups', () => {
  test('get messages for all of their members but the sender, kept for durable ones', async () => {
    const hub = await openHub();
    const [alice, bob, carol] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' }), await online({ url: hub.url, clientId: 'carol' })];
    expect(await alice.join('robots')).toEqual({ group: 'robots', isDurable: false, memberCount: 1 });
    expect(await bob.join('robots')).toMatchObject({ memberCount: 2 });
    expect(await carol.join('robots', { durable: true })).toEqual({ group: 'robots', isDurable: true, memberCount: 3 });
    expect((await alice.members('robots')).toSorted((a, b) => a.clientId.localeCompare(b.clientId))).toEqual([
      { clientId: 'alice', status: 'online', isDurable: false },
      { clientId: 'bob', status: 'online', isDurable: false },
      { clientId: 'carol', status: 'online', isDurable: true },
    ]);
    const [atAlice, atBob, atCarol] = [inboxOf(alice), inboxOf(bob), inboxOf(carol)];
    await carol.logout();
    await bob.leave('robots');
    expect(await alice.sendMessage('hello', 'text', 'group:robots')).toMatchObject({ receipt: 'stored' });
    await carol.login();
    await until(() => atCarol.length === 1, 'the message for carol');
    expect([contents(atAlice), contents(atBob), contents(atCarol)]).toEqual([[], [], ['hello']]);
    expect(await codeOf(alice.sendMessage('x', 'text', 'group:nobody'))).toBe('CC_UNKNOWN_GROUP');
    expect(await codeOf(alice.join(''))).toBe('CC_INVALID_CLIENT_ID');
  });

  test('that are live are joined again after a reconnect, those that were left and durable ones are not', async () => {
    const hub = await ScriptedHub.open();
    const client = newClient({ url: hub.url, clientId: 'alice' });
    const problems: string[] = [];
    client.onError((error) => problems.push((error as { code?: string }).code ?? ''));
    const [line] = await Promise.all([hub.welcome(), client.login()]);
    for (const [group, durable] of [['live', false], ['left', false], ['durable', true]] as const) {
      const joined = client.join(group, { durable });
      const { msg_id, content } = await line.next();
      expect(content).toMatchObject({ action: 'groups.join', data: { group, durable } });
      line.send({ msg_type: 'response', content: { reply_to: msg_id, data: { group, durable, members: 1 } } });
      await joined;
    }
    const left = client.leave('left');
    const { msg_id, content } = await line.next();
    expect(content).toMatchObject({ action: 'groups.leave', data: { group: 'left' } });
    line.send({ msg_type: 'response', content: { reply_to: msg_id, data: null } });
    await left;
    line.cut();
    const next = await hub.welcome();
    const again = await next.next();
    expect(again.content).toMatchObject({ action: 'groups.join', data: { group: 'live' } });
    next.error({ reply_to: again.msg_id, code: 'CC_LIMIT_REACHED' });
    await until(() => problems.length === 1, 'the refusal');
    await next.expectSilence();
    expect(problems).toEqual(['CC_LIMIT_REACHED']);
    next.cut();
    await untilState(client, 'reconnecting');
    await client.leave('live');
    expect(await codeOf(client.leave('durable'))).toBe('CC_NOT_CONNECTED');
    await (await hub.welcome()).expectSilence();
  });
});

describe('a watch', () => {
  test('is told how things are and what changes, also after a reconnect, until it ends', async () => {
    const hub = await openHub();
    const alice = await online({ url: hub.url, clientId: 'alice' });
    const bob = newClient({ url: hub.url, clientId: 'bob' });
    const events: PresenceEvent[] = [];
    const unwatch = await alice.watch({ clientIds: ['bob'], groups: ['robots'] }, (event) => events.push(event));
    expect(events).toEqual([{ kind: 'snapshot', clients: [{ clientId: 'bob', status: 'offline', lastSeen: 0 }], groups: [{ group: 'robots', members: [] }] }]);
    await bob.login();
    await bob.join('robots');
    await bob.logout();
    await until(() => events.length === 5, 'four changes');
    const change = { kind: 'change', clientId: 'bob', at: expect.any(Number) };
    expect(events[1]).toEqual({ ...change, change: 'joined', why: undefined, group: undefined });
    expect(events[2]).toMatchObject({ ...change, change: 'joined', group: 'robots' });
    expect(events.slice(3)).toEqual(
      expect.arrayContaining([
        { ...change, change: 'left', why: 'logout', group: undefined },
        { ...change, change: 'left', why: 'logout', group: 'robots' },
      ]),
    );
    hub.registry.find('alice')?.connection.close(1012, 'drop');
    await until(() => events.length === 6, 'the snapshot after the reconnect');
    expect(events[5]).toMatchObject({ kind: 'snapshot', clients: [{ clientId: 'bob', status: 'offline' }] });
    await unwatch();
    await unwatch();
    await bob.login();
    await alice.listClients();
    expect(events).toHaveLength(6);
  });

  test('shares what it watches with others, and a handler that fails stops none of them', async () => {
    const hub = await openHub();
    const alice = await online({ url: hub.url, clientId: 'alice' });
    const problems: string[] = [];
    alice.onError(({ message }) => problems.push(message));
    const heard: string[] = [];
    const unwatch = await alice.watch({ clientIds: ['bob', 'carol'] }, ({ kind }) => {
      heard.push(`first ${kind}`);
      throw new Error('boom');
    });
    await alice.watch({ clientIds: ['bob'] }, ({ kind }) => heard.push(`second ${kind}`));
    await unwatch();
    await online({ url: hub.url, clientId: 'carol' });
    await online({ url: hub.url, clientId: 'bob' });
    await until(() => heard.length === 3, 'bob');
    expect(heard).toEqual(['first snapshot', 'second snapshot', 'second change']);
    expect(problems).toEqual(['A handler of watch failed: boom']);
    expect(await codeOf(alice.watch({ clientIds: ['all'] }, () => undefined))).toBe('CC_INVALID_CLIENT_ID');
  });
});

test('the will of a client is sent when it disappears, not when it logs out', async () => {
  const hub = await openHub();
  const bob = await online({ url: hub.url, clientId: 'bob' });
  const inbox = inboxOf(bob);
  const options = { url: hub.url, clientId: 'alice', will: { toClientId: 'bob', msgType: 'dict', content: { gone: true } }, reconnect: false } as const;
  await (await online(options)).logout();
  await online(options);
  hub.registry.find('alice')?.connection.close(4000, 'operator');
  await until(() => inbox.length === 1, 'the will');
  expect(inbox[0]).toMatchObject({ fromClientId: 'alice', msgType: 'dict', content: { gone: true } });
});
