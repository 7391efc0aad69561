import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { assert, array, property, string } from 'fast-check';
import { Authorizer, PermissionsAuthorizer, type AccessRule, type AuthorizedClient } from '../../src/security/index.js';
import type { Permissions } from '../../src/index.js';
import { SECRET, hs256 } from '../support/jwt.js';
import { withToken } from '../support/login-outcome.js';
import { openHub, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import type { TestHub } from '../../src/testing/index.js';

const client = (clientId: string, permissions?: Permissions): AuthorizedClient => ({ clientId, permissions });

async function announced(hub: TestHub, id: string, permissions?: Permissions): Promise<RawClient> {
  const raw = await RawClient.connect(hub.url);
  await raw.login(id, withToken(hs256({ sub: id, cross_comm: { permissions } })));
  return raw;
}

describe('Permissions', () => {
  test('of a token refuse what they do not cover with CC_NOT_ALLOWED; nothing of it is delivered or listened to', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const [alice, bob] = [await announced(hub, 'alice', { send: ['robot-*', 'carol'] }), await announced(hub, 'bob')];
    const robot = await announced(hub, 'robot-1');
    for (const to_client_id of ['bob', 'all', 'server', 'robot', 'group:x', 'nobody']) {
      alice.send({ msg_id: `to ${to_client_id}`, to_client_id, content: 'secret content' });
      expect((await alice.next()).content).toMatchObject({ reply_to: `to ${to_client_id}`, code: 'CC_NOT_ALLOWED', data: { to_client_id } });
    }
    alice.send({ to_client_id: 'robot-1', content: 'go' });
    expect((await robot.next()).content).toBe('go');
    await bob.expectNothingElse();
    expect(hub.service.refusalCounts.not_allowed).toBe(6);
  });

  test('are silent towards old clients', async () => {
    const hub = await openHub({ auth: { rules: [{ clientId: 'old', send: [] }] } });
    const [old, bob] = [await RawClient.old(hub.url, 'old'), await RawClient.old(hub.url, 'bob')];
    old.send({ to_client_id: 'bob', content: 'x' });
    await old.expectNothingElse();
    await bob.expectNothingElse();
    expect(hub.service.refusalCounts.not_allowed).toBe(1);
  });

  test('without list: an announced client is refused, an old one sees itself', async () => {
    const hub = await openHub({ auth: { rules: [{ clientId: 'sensor-*', list: false }] } });
    const [old, fresh] = [await RawClient.old(hub.url, 'sensor-1'), await RawClient.announced(hub.url, 'sensor-2')];
    expect(await old.list(true)).toEqual(['sensor-1']);
    fresh.send({ msg_type: 'list_clients', msg_id: 'l', content: '{}' });
    expect((await fresh.next()).content).toMatchObject({ reply_to: 'l', code: 'CC_NOT_ALLOWED' });
  });

  test('of requests hold for the actions of the application, not for those of the hub', () => {
    const authorizer = new PermissionsAuthorizer();
    const sensor = client('sensor', { request: ['bob'] });
    expect(authorizer.mayRequest(sensor, 'bob', 'anything')).toBe(true);
    expect(authorizer.mayRequest(sensor, 'carol', 'anything')).toBe(false);
    expect(authorizer.mayRequest(sensor, 'server', 'orders.create')).toBe(false);
    for (const action of ['ping', 'auth.refresh', 'files.sign', 'groups.join', 'presence.watch']) expect(authorizer.mayRequest(sensor, 'server', action)).toBe(true);
    expect(authorizer.mayRequest(sensor, 'server', 'pinger')).toBe(false);
  });
});

describe('Permissions of groups, presence and requests', () => {
  const features = ['errors', 'ext', 'requests', 'calls', 'events'];
  const login = async (hub: TestHub, id: string, more: object = {}): Promise<RawClient> => {
    const raw = await RawClient.connect(hub.url);
    await raw.login(id, { cross_comm: { protocol: 2, features, ...more } });
    return raw;
  };
  const ask = async (raw: RawClient, action: string, data: unknown, to_client_id = 'server'): Promise<unknown> => {
    raw.send({ msg_type: 'request', msg_id: action, to_client_id, content: { action, data } });
    const { msg_type, content } = await raw.next();
    return msg_type === 'error' ? (content as { code: string }).code : msg_type;
  };

  test('are asked for each of them', async () => {
    const rules = [{ clientId: 'sensor', send: ['group:sensors'], join: ['sensors'], request: ['collector'], watch: ['collector', 'group:sensors'] }];
    const hub = await openHub({ auth: { rules } });
    const [sensor, collector, other] = [await login(hub, 'sensor'), await login(hub, 'collector'), await login(hub, 'other')];
    expect(await ask(other, 'groups.join', { group: 'admins' })).toBe('response');
    expect(await ask(sensor, 'groups.join', { group: 'admins' })).toBe('CC_NOT_ALLOWED');
    expect(await ask(sensor, 'groups.members', { group: 'admins' })).toBe('CC_NOT_ALLOWED');
    expect(await ask(sensor, 'groups.join', { group: 'sensors' })).toBe('response');
    expect(await ask(sensor, 'groups.members', { group: 'sensors' })).toBe('response');
    expect(await ask(sensor, 'presence.watch', { client_ids: ['collector'], groups: ['sensors'] })).toBe('response');
    expect(await ask(sensor, 'presence.watch', { client_ids: ['collector', 'other'] })).toBe('CC_NOT_ALLOWED');
    expect(await ask(sensor, 'presence.watch', { groups: ['admins'] })).toBe('CC_NOT_ALLOWED');
    expect(await ask(sensor, 'anything', {}, 'other')).toBe('CC_NOT_ALLOWED');
    expect(await ask(sensor, 'orders.create', {})).toBe('CC_NOT_ALLOWED');
    sensor.send({ msg_type: 'request', to_client_id: 'collector', content: { action: 'anything', data: 1 } });
    expect((await collector.next()).content).toMatchObject({ action: 'anything' });
    expect(hub.service.refusalCounts.not_allowed).toBe(6);
    await other.expectNothingElse();
  });

  test('hold for a last will too', async () => {
    const hub = await openHub({ auth: { rules: [{ clientId: 'sensor', send: ['collector'] }] } });
    const [collector, other] = [await login(hub, 'collector'), await login(hub, 'other')];
    const will = (to_client_id: string): object => ({ will: { to_client_id, msg_type: 'text', content: `gone, ${to_client_id}` } });
    const forbidden = await login(hub, 'sensor', will('other'));
    forbidden.socket.terminate();
    await until(() => hub.service.refusalCounts.not_allowed === 1, 'the refusal of the will');
    const allowed = await login(hub, 'sensor', will('collector'));
    allowed.socket.terminate();
    expect((await collector.next()).content).toBe('gone, collector');
    await other.expectNothingElse();
  });

  test('refuse a durable message before it is stored', async () => {
    const hub = await openHub({ auth: { rules: [{ clientId: 'sensor', send: ['collector'] }] } });
    const sensor = await login(hub, 'sensor', { features: [...features, 'acks'] });
    sensor.send({ msg_id: 'd', to_client_id: 'other', content: 'x' });
    expect((await sensor.next()).content).toMatchObject({ reply_to: 'd', code: 'CC_NOT_ALLOWED' });
  });
});

describe('Rules', () => {
  const rules: AccessRule[] = [
    { clientId: 'sensor-7', send: ['all'] },
    { clientId: 'sensor-*', send: ['collector', 'group:sensors'], join: ['sensors'], watch: [], list: false },
  ];
  const authorizer = new PermissionsAuthorizer(rules);

  test('the first that matches counts, and ids without a rule are free', () => {
    expect(authorizer.maySend(client('sensor-7'), 'all')).toBe(true);
    expect(authorizer.maySend(client('sensor-7'), 'collector')).toBe(false);
    expect(authorizer.maySend(client('sensor-8'), 'collector')).toBe(true);
    expect(authorizer.maySend(client('sensor-8'), 'all')).toBe(false);
    expect(authorizer.maySend(client('other'), 'all')).toBe(true);
    expect(authorizer.mayJoin(client('sensor-8'), 'sensors')).toBe(true);
    expect(authorizer.mayJoin(client('sensor-8'), 'admins')).toBe(false);
    expect(authorizer.mayWatch(client('sensor-8'), 'collector')).toBe(false);
    expect(authorizer.mayList(client('sensor-8'))).toBe(false);
    expect(authorizer.mayList(client('sensor-7'))).toBe(true);
  });

  test('and the permissions of the login must both cover it', () => {
    expect(authorizer.maySend(client('sensor-8', { send: ['collector', 'all'] }), 'collector')).toBe(true);
    expect(authorizer.maySend(client('sensor-8', { send: ['collector', 'all'] }), 'all')).toBe(false);
    expect(authorizer.maySend(client('sensor-8', { send: ['all'] }), 'collector')).toBe(false);
  });

  test('a pattern covers exactly what begins so', () => {
    assert(
      property(array(string({ maxLength: 4 }), { maxLength: 5 }), string({ maxLength: 6 }), (patterns, name) => {
        const expected = patterns.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
        expect(new PermissionsAuthorizer().maySend(client('x', { send: patterns }), name)).toBe(expected);
      }),
    );
  });

  test.each<[object]>([[{ send: ['x'] }], [{ clientId: 'x', sned: [] }], [{ clientId: 'x', send: 'all' }], [{ clientId: 'x', send: [''] }], [{ clientId: 'x', list: 'no' }]])(
    'that cannot be read end the start: %j',
    async (rule) => {
      await expect(openHub({ auth: { rules: [rule as AccessRule] } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    },
  );
});

describe('An own authorizer', () => {
  @Injectable()
  class OnlyText extends Authorizer {
    override maySend(_client: AuthorizedClient, _to: string, msgType: string): boolean {
      if (msgType === 'dict') throw new Error('on purpose');
      return msgType === 'text';
    }
    override mayJoin = (): boolean => false;
    override mayRequest = (): boolean => false;
    override mayWatch = (): boolean => false;
    override mayList = (): boolean => true;
  }

  test('is asked about every message and request; what it throws refuses', async () => {
    const hub = await openHub({ auth: { authorizer: OnlyText } });
    expect(hub.app.get(Authorizer)).toBeInstanceOf(OnlyText);
    const [alice, bob] = [await RawClient.announced(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    alice.send({ to_client_id: 'bob', content: 'yes' });
    expect((await bob.next()).content).toBe('yes');
    alice.send({ msg_id: 'j', to_client_id: 'bob', msg_type: 'json', content: '{}' });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'j', code: 'CC_NOT_ALLOWED' });
    alice.send({ to_client_id: 'bob', msg_type: 'dict', content: {} });
    expect((await alice.next()).content).toMatchObject({ code: 'CC_INTERNAL' });
    alice.send({ msg_type: 'request', msg_id: 'r', content: { action: 'files.new_key', data: {} } });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'r', code: 'CC_NOT_ALLOWED' });
    await bob.expectNothingElse();
  });

  test('and rules together are refused at start, as is what is none', async () => {
    await expect(openHub({ auth: { authorizer: OnlyText, rules: [{ clientId: 'x' }] } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    await expect(openHub({ auth: { authorizer: {} as Authorizer } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
  });
});
