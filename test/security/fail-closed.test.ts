import { describe, expect, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Authorizer, type AuthDecision, type AuthorizedClient } from '../../src/security/index.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { answerTo, ask, peer, request } from '../delivery/peers.js';
import { onCleanUp } from '../support/clean-up.js';
import { SECRET, hs256 } from '../support/jwt.js';
import { loginOutcome, withToken } from '../support/login-outcome.js';
import { openHub, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

/** An authorizer whose every answer is that of a function. */
class Answering extends Authorizer {
  constructor(private readonly answer: () => unknown) {
    super();
  }
  override maySend = (): boolean => this.answer() as boolean;
  override mayJoin = this.maySend;
  override mayRequest = this.maySend;
  override mayWatch = this.maySend;
  override mayList = this.maySend;
}

const UNDECIDED = 'CC_INTERNAL: The authorizer could not decide. The hub failed inside. Report it with the log lines of that moment.';

describe('An authorizer', () => {
  test.each<[string, () => unknown]>([
    ['that throws', () => { throw new Error('password-4711 of the database'); }],
    ['that answers later, which comes too late', () => Promise.resolve(true)],
    ['that rejects later', () => Promise.reject(new Error('password-4711 of the database'))],
    ['that answers neither true nor false', () => 'yes'],
    ['that answers nothing', () => undefined],
  ])('%s refuses everything; clients are not told why, the log is', async (_what, answer) => {
    const logger = RecordingLogger.install();
    onCleanUp(() => logger.restore());
    const hub = await openHub({ log: true, auth: { authorizer: new Answering(answer) } });
    Logger.overrideLogger(logger);
    const [alice, bob, old] = [await peer(hub, 'alice'), await peer(hub, 'bob'), await RawClient.old(hub.url, 'old')];
    for (const to of ['bob', 'all', 'server', 'group:g']) {
      alice.send({ msg_id: 'm', to_client_id: to, content: 'x' });
      expect((await alice.next()).content).toEqual({ reply_to: 'm', code: 'CC_INTERNAL', message: UNDECIDED });
    }
    request(alice, 'bob', 'r');
    expect((await alice.next()).content).toEqual({ reply_to: 'r', code: 'CC_INTERNAL', message: UNDECIDED });
    expect((await ask(alice, 'groups.join', { group: 'g' })).content).toMatchObject({ code: 'CC_INTERNAL', message: UNDECIDED });
    alice.send({ msg_type: 'list_clients', msg_id: 'l', content: '{}' });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'l', code: 'CC_INTERNAL', message: UNDECIDED });
    expect(await old.list(true)).toEqual(['old']);
    expect(hub.service.groupMembers('g')).toEqual([]);
    expect(bob.unread).toEqual([]);
    expect(hub.service.refusalCounts).toMatchObject({ undecided: 8, not_allowed: 0, bad_frame: 0 });
    expect(logger.warnings.filter((line) => line.startsWith('The authorizer failed to decide: '))).toHaveLength(1);
    expect(logger.errors).toEqual([]);
  });
});

describe('Permissions that cannot be read', () => {
  test.each<[string, unknown]>([
    ['a misspelt name', { sned: [] }],
    ['a text in place of a list', { send: 'alice' }],
    ['null', null],
  ])('of a decision of the application (%s) let nobody in', async (_what, permissions) => {
    const hub = await openHub({ auth: { authenticator: () => ({ allowed: true, permissions }) as AuthDecision } });
    expect(await loginOutcome(hub.url, 'alice')).toMatchObject({ code: 'CC_INTERNAL', closed: 4003 });
    expect(hub.registry.onlineCount).toBe(0);
  });

  test.each<[string, unknown]>([
    ['a list', [{ permissions: { send: [] } }]],
    ['a text', '{"permissions":{"send":[]}}'],
    ['null', null],
    ['a misspelt name', { permission: { send: [] } }],
  ])('because the claim cross_comm is %s, let nobody in', async (_what, cross_comm) => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    expect(await loginOutcome(hub.url, 'alice', hs256({ sub: 'alice', cross_comm }))).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401, message: expect.stringContaining('cross_comm') });
  });
});

describe('Who may not log in', () => {
  test('does not learn whether an id is online', async () => {
    const hub = await openHub({ duplicateLogin: 'reject', auth: { jwt: { secret: SECRET } } });
    const alice = await RawClient.connect(hub.url);
    await alice.login('alice', withToken(hs256({ sub: 'alice' })));
    const [online, offline] = [await loginOutcome(hub.url, 'alice', 'wrong'), await loginOutcome(hub.url, 'bob', 'wrong')];
    expect(online).toEqual(offline);
    expect(online).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401 });
    expect(await loginOutcome(hub.url, 'alice', hs256({ sub: 'alice' }))).toMatchObject({ code: 'CC_ALREADY_ONLINE' });
  });

  test('is told nothing of a revocation that throws', async () => {
    const hub = await openHub();
    hub.service.revoke(() => { throw new Error('password-4711'); });
    expect(await loginOutcome(hub.url, 'alice')).toMatchObject({ code: 'CC_INTERNAL', closed: 4003, message: expect.not.stringContaining('4711') });
  });
});

describe('A right that was taken back', () => {
  test('before the client disappeared: its last will is not sent', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const login = async (id: string, more: object = {}, permissions?: object): Promise<RawClient> => {
      const client = await RawClient.connect(hub.url);
      await client.login(id, { cross_comm: { protocol: 2, features: ['errors', 'requests'], token: hs256({ sub: id, cross_comm: { permissions } }), ...more } });
      return client;
    };
    const bob = await login('bob');
    const will = { will: { to_client_id: 'bob', msg_type: 'text', content: 'gone' } };
    const alice = await login('alice', will, { send: ['bob'] });
    await answerTo(alice, 'auth.refresh', { token: hs256({ sub: 'alice', cross_comm: { permissions: { send: [] } } }) });
    alice.socket.terminate();
    await until(() => hub.registry.find('alice') === undefined, 'alice is away');
    await bob.expectNothingElse();
    expect(hub.service.refusalCounts.not_allowed).toBe(1);
    const again = await login('alice', will, { send: ['bob'] });
    again.socket.terminate();
    expect((await bob.next()).content).toBe('gone');
  });

  test('by an authorizer of the application holds for the next message, and names the client in its last will', async () => {
    const asked: string[] = [];
    let isAllowed = true;
    class Changing extends Answering {
      override maySend = ({ clientId }: AuthorizedClient = { clientId: '', permissions: undefined }): boolean => {
        asked.push(clientId);
        return isAllowed;
      };
    }
    const hub = await openHub({ auth: { authorizer: new Changing(() => true) } });
    const [alice, bob] = [await peer(hub, 'alice', { will: { to_client_id: 'bob', msg_type: 'text', content: 'gone' } }), await peer(hub, 'bob')];
    alice.send({ to_client_id: 'bob', content: 'one' });
    expect((await bob.next()).content).toBe('one');
    isAllowed = false;
    alice.send({ msg_id: 'two', to_client_id: 'bob', content: 'two' });
    expect((await alice.next()).content).toMatchObject({ reply_to: 'two', code: 'CC_NOT_ALLOWED' });
    alice.socket.terminate();
    await until(() => hub.registry.find('alice') === undefined, 'alice is away');
    await bob.expectNothingElse();
    expect(new Set(asked)).toEqual(new Set(['alice']));
  });
});
