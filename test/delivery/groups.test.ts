import { describe, expect, test } from '@jest/globals';
import { GroupRegistry } from '../../src/delivery/index.js';
import { CrossCommError } from '../../src/protocol/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, temporaryDirectory, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { FEATURES, answerTo, ask, peer } from './peers.js';

const WITH_MAILBOX = { features: [...FEATURES, 'mailbox'] };

async function trio(options: Parameters<typeof openHub>[0] = {}): Promise<{ hub: TestHub; alice: RawClient; bob: RawClient; carol: RawClient }> {
  const hub = await openHub(options);
  return { hub, alice: await peer(hub, 'alice'), bob: await peer(hub, 'bob'), carol: await peer(hub, 'carol') };
}

function errorOf(code: string, more: Readonly<Record<string, unknown>> = {}): object {
  return { msg_type: 'error', from_client_id: 'server', content: { reply_to: 'ask', code, message: expect.stringMatching(new RegExp(`^${code}: `)), ...more } };
}

describe('A group', () => {
  test('is joined, listed and left', async () => {
    const { alice, bob } = await trio();
    expect(await answerTo(alice, 'groups.join', { group: 'team' })).toEqual({ group: 'team', durable: false, members: 1 });
    expect(await answerTo(bob, 'groups.join', { group: 'team', durable: false })).toEqual({ group: 'team', durable: false, members: 2 });
    expect(await answerTo(alice, 'groups.join', { group: 'team' })).toEqual({ group: 'team', durable: false, members: 2 });
    expect(await answerTo(alice, 'groups.join', { group: 'all' })).toEqual({ group: 'all', durable: false, members: 1 });
    expect(await answerTo(alice, 'groups.list')).toEqual({ groups: [{ group: 'team', durable: false }, { group: 'all', durable: false }] });
    expect(await answerTo(bob, 'groups.members', { group: 'team' })).toEqual({
      members: [
        { client_id: 'alice', status: 'online', durable: false },
        { client_id: 'bob', status: 'online', durable: false },
      ],
    });
    expect(await answerTo(alice, 'groups.leave', { group: 'team' })).toBeNull();
    expect(await answerTo(alice, 'groups.leave', { group: 'team' })).toBeNull();
    expect(await answerTo(bob, 'groups.members', { group: 'team' })).toEqual({ members: [{ client_id: 'bob', status: 'online', durable: false }] });
    expect(await answerTo(bob, 'groups.members', { group: 'nobody is in it' })).toEqual({ members: [] });
  });

  test('gets messages as the bytes that were sent; the sender gets none, whether a member or not, and others neither', async () => {
    const { hub, alice, bob, carol } = await trio();
    const dave = await peer(hub, 'dave');
    for (const client of [alice, bob, carol]) await ask(client, 'groups.join', { group: 'team' });
    for (const sender of [alice, dave]) {
      const sent = sender.send({ to_client_id: 'group:team', content: 'hi' });
      for (const client of [alice, bob, carol]) if (client !== sender) expect(await client.nextText()).toBe(sent);
      for (const client of [alice, bob, carol, dave]) await client.expectNothingElse();
    }
  });

  test('may be written to by old clients, and keeps ext from its old members', async () => {
    const { hub, alice, bob } = await trio();
    const [old, member] = [await RawClient.old(hub.url, 'old'), await RawClient.old(hub.url, 'member')];
    for (const client of [alice, bob, member]) await hub.service.joinGroup('team', client.id);
    const sent = old.send({ to_client_id: 'group:team', content: 'from an old one' });
    for (const client of [alice, bob, member]) expect(await client.nextText()).toBe(sent);
    const extended = alice.send({ to_client_id: 'group:team', content: 'x', ext: { trace: 1 } });
    expect(await bob.nextText()).toBe(extended);
    expect(await member.next()).not.toHaveProperty('ext');
    await old.expectNothingElse();
  });

  test('keeps the order of each sender, whoever reads', async () => {
    const { hub, alice, bob, carol } = await trio();
    for (const client of [bob, carol]) await ask(client, 'groups.join', { group: 'team' });
    for (let n = 0; n < 2_000; n++) alice.send({ to_client_id: ['group:team', 'bob', 'all'][n % 3] as string, content: n });
    const seen: unknown[] = [];
    while (seen.length < 2_000) seen.push((await bob.next()).content);
    expect(seen).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
    await until(() => carol.unread.length >= 1_333, 'carol has her part');
    expect(hub.service.groupMembers('team')).toHaveLength(2);
  });

  test('without members is CC_UNKNOWN_GROUP to an announced sender and silence to an old one', async () => {
    const { hub, alice } = await trio();
    const old = await RawClient.old(hub.url, 'old');
    alice.send({ msg_id: 'm1', to_client_id: 'group:team' });
    expect(await alice.next()).toMatchObject({
      msg_type: 'error',
      content: { reply_to: 'm1', code: 'CC_UNKNOWN_GROUP', message: expect.any(String), data: { to_client_id: 'group:team' } },
    });
    old.send({ to_client_id: 'group:team' });
    await old.expectNothingElse();
  });

  test('of which only the sender is a member, or nobody is online, takes a message without a word', async () => {
    const { alice } = await trio();
    await ask(alice, 'groups.join', { group: 'team' });
    alice.send({ to_client_id: 'group:team' });
    await alice.expectNothingElse();
  });

  test('with a member that takes no message of this size reports it, the others get it', async () => {
    const { hub, alice, bob } = await trio();
    const small = await peer(hub, 'small', { limits: { max_message_bytes: 1_024 } });
    for (const client of [bob, small]) await ask(client, 'groups.join', { group: 'team' });
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'group:team', content: 'x'.repeat(2_000) });
    expect(await bob.nextText()).toBe(sent);
    expect(await alice.next()).toMatchObject({ content: { reply_to: 'm1', code: 'CC_RECEIVER_LIMIT' } });
    await small.expectNothingElse();
  });

  test.each<[string, (client: RawClient, hub: TestHub) => unknown]>([
    ['a disconnect', (client) => client.socket.terminate()],
    ['a logout', (client) => client.send({ msg_type: 'logout', content: {} })],
    ['a takeover', (client, hub) => peer(hub, client.id)],
  ])('loses a live member at %s', async (_, leave) => {
    const { hub, alice, bob } = await trio();
    for (const client of [alice, bob]) await ask(client, 'groups.join', { group: 'team' });
    await leave(bob, hub);
    await until(() => hub.service.groupMembers('team').length === 1, 'the member is gone');
    expect(await answerTo(alice, 'groups.members', { group: 'team' })).toEqual({ members: [{ client_id: 'alice', status: 'online', durable: false }] });
  });

  test('keeps a durable member that is away, until it leaves', async () => {
    const { hub, alice } = await trio();
    const erin = await peer(hub, 'erin', WITH_MAILBOX);
    expect(await answerTo(erin, 'groups.join', { group: 'team', durable: true })).toEqual({ group: 'team', durable: true, members: 1 });
    await erin.close();
    await until(() => hub.registry.find('erin') === undefined, 'erin is away');
    expect(await answerTo(alice, 'groups.members', { group: 'team' })).toEqual({ members: [{ client_id: 'erin', status: 'offline', durable: true }] });
    alice.send({ to_client_id: 'group:team', content: 'live' });
    await alice.expectNothingElse();
    const again = await peer(hub, 'erin', WITH_MAILBOX);
    expect(await answerTo(again, 'groups.join', { group: 'team' })).toEqual({ group: 'team', durable: true, members: 1 });
    expect(await answerTo(again, 'groups.list')).toEqual({ groups: [{ group: 'team', durable: true }] });
    expect(await answerTo(again, 'groups.leave', { group: 'team' })).toBeNull();
    expect(hub.service.groupMembers('team')).toEqual([]);
  });

  test('keeps a durable member over a restart, with the messages that came meanwhile; live members get them live', async () => {
    const dataDir = await temporaryDirectory();
    const first = await openHub({ dataDir });
    const erin = await peer(first, 'erin', WITH_MAILBOX);
    await answerTo(erin, 'groups.join', { group: 'team', durable: true });
    await answerTo(erin, 'groups.join', { group: 'left again', durable: true });
    await answerTo(erin, 'groups.leave', { group: 'left again' });
    await first.close();
    const second = await openHub({ dataDir });
    expect(second.service.groupMembers('team')).toEqual([{ clientId: 'erin', status: 'offline', isDurable: true }]);
    expect(second.service.groupMembers('left again')).toEqual([]);
    const [alice, bob] = [await peer(second, 'alice', { features: [...FEATURES, 'acks'] }), await peer(second, 'bob')];
    await answerTo(bob, 'groups.join', { group: 'team' });
    const sent = alice.send({ msg_id: 'm1', to_client_id: 'group:team', content: 'meanwhile' });
    expect(await alice.next()).toMatchObject({ msg_type: 'ack', content: { receipt: 'stored', msg_ids: ['m1'] } });
    expect(await bob.nextText()).toBe(sent);
    const again = await peer(second, 'erin', WITH_MAILBOX);
    expect(await again.next()).toMatchObject({ msg_id: 'm1', to_client_id: 'group:team', content: 'meanwhile', ext: { seq: expect.any(Number) } });
  });

  test('answers a durable join when it is stored, and takes it back when it cannot be', async () => {
    const { hub } = await trio();
    const erin = await peer(hub, 'erin', WITH_MAILBOX);
    const groups = hub.app.get(GroupRegistry);
    const facts = new Map<string, string | undefined>();
    let store: () => void = () => undefined;
    groups.restore(new Map(), {
      set: (key, value) => void facts.set(key, value),
      flush: () => new Promise((resolve) => (store = resolve)),
    });
    erin.send({ msg_type: 'request', msg_id: 'r1', content: { action: 'groups.join', data: { group: 'team', durable: true } } });
    await erin.expectNothingElse();
    expect([...facts]).toEqual([['member:team\0erin', 'durable']]);
    store();
    expect(await erin.next()).toMatchObject({ content: { reply_to: 'r1', data: { durable: true } } });
    groups.restore(new Map(), { set: (key, value) => void facts.set(key, value), flush: () => Promise.reject(new CrossCommError('CC_STORE_FULL')) });
    expect(await ask(erin, 'groups.join', { group: 'other', durable: true })).toMatchObject(errorOf('CC_STORE_FULL'));
    expect([...facts]).toEqual([
      ['member:team\0erin', 'durable'],
      ['member:other\0erin', undefined],
    ]);
    expect(hub.service.groupMembers('other')).toEqual([]);
  });

  test('is not joined durably without a mailbox, nor where there is no store', async () => {
    const { alice } = await trio();
    expect(await ask(alice, 'groups.join', { group: 'team', durable: true })).toMatchObject(errorOf('CC_UNSUPPORTED'));
    const hub = await openHub({ delivery: { store: 'none' } });
    const erin = await peer(hub, 'erin', WITH_MAILBOX);
    expect(await ask(erin, 'groups.join', { group: 'team', durable: true })).toMatchObject(errorOf('CC_UNSUPPORTED'));
  });

  test.each([null, {}, { group: '' }, { group: 7 }, { group: 'x'.repeat(257) }, { group: 'a\0b' }])('is refused with CC_INVALID_CLIENT_ID for the name in %j', async (data) => {
    const { alice } = await trio();
    for (const action of ['groups.join', 'groups.leave', 'groups.members']) expect(await ask(alice, action, data)).toMatchObject(errorOf('CC_INVALID_CLIENT_ID'));
  });

  test('is refused with CC_INVALID_CONTENT when durable is neither true nor false', async () => {
    const { alice } = await trio();
    expect(await ask(alice, 'groups.join', { group: 'team', durable: 1 })).toMatchObject(errorOf('CC_INVALID_CONTENT'));
  });

  test('is refused with CC_LIMIT_REACHED beyond the limits, and taken when there is room again', async () => {
    const { alice, bob } = await trio({ delivery: { maxGroups: 3, maxGroupsPerClient: 2 } });
    for (const group of ['a', 'b']) await answerTo(alice, 'groups.join', { group });
    expect(await ask(alice, 'groups.join', { group: 'c' })).toMatchObject(errorOf('CC_LIMIT_REACHED', { data: { limit: 'maxGroupsPerClient', value: 2 } }));
    await answerTo(bob, 'groups.join', { group: 'c' });
    expect(await ask(bob, 'groups.join', { group: 'd' })).toMatchObject(errorOf('CC_LIMIT_REACHED', { data: { limit: 'maxGroups', value: 3 } }));
    await answerTo(alice, 'groups.leave', { group: 'b' });
    expect(await answerTo(bob, 'groups.join', { group: 'd' })).toMatchObject({ members: 1 });
  });
});

describe('CrossCommService', () => {
  test('makes clients members, sends to groups and tells who is in them', async () => {
    const { hub, alice, bob } = await trio();
    const { service } = hub;
    await service.joinGroup('team', 'alice');
    await service.joinGroup('team', 'bob');
    expect(service.groupMembers('team')).toEqual([
      { clientId: 'alice', status: 'online', isDurable: false },
      { clientId: 'bob', status: 'online', isDurable: false },
    ]);
    expect(await service.sendMessage('hi', 'text', 'group:team')).toMatchObject({ delivered: 2 });
    for (const client of [alice, bob]) expect(await client.next()).toMatchObject({ from_client_id: 'server', to_client_id: 'group:team', content: 'hi' });
    await service.leaveGroup('team', 'alice');
    await service.leaveGroup('team', 'alice');
    expect(service.groupMembers('team')).toHaveLength(1);
  });

  test('refuses who is not online, bad names, groups without members, and a durable membership without a mailbox', async () => {
    const { hub } = await trio();
    const { service } = hub;
    await expect(service.joinGroup('team', 'ghost')).rejects.toMatchObject({ code: 'CC_UNKNOWN_CLIENT' });
    await expect(service.joinGroup('', 'alice')).rejects.toMatchObject({ code: 'CC_INVALID_CLIENT_ID' });
    await expect(service.joinGroup('team', 'alice', { durable: true })).rejects.toMatchObject({ code: 'CC_UNSUPPORTED' });
    await expect(service.sendMessage('hi', 'text', 'group:nobody')).rejects.toMatchObject({ code: 'CC_UNKNOWN_GROUP' });
    await expect(service.sendMessage('hi', 'text', 'group:')).rejects.toMatchObject({ code: 'CC_INVALID_CLIENT_ID' });
  });
});
