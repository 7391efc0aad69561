import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { RequestHandler } from '../../src/index.js';
import { Authorizer, type AccessRule } from '../../src/security/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { answerTo, ask, peer, request } from './peers.js';

@Injectable()
class Handlers {
  @RequestHandler('add')
  add(): number {
    return 3;
  }
}

async function restricted(rule: Omit<AccessRule, 'clientId'>): Promise<{ hub: TestHub; alice: RawClient; bob: RawClient }> {
  const hub = await openHub({ auth: { rules: [{ clientId: 'alice', ...rule }] }, providers: [Handlers] });
  return { hub, alice: await peer(hub, 'alice'), bob: await peer(hub, 'bob') };
}

const refused = (data: object, replyTo = 'ask'): object => ({ msg_type: 'error', content: { reply_to: replyTo, code: 'CC_NOT_ALLOWED', data } });

describe('Without the right', () => {
  test('to ask it, a client or the application gets no request', async () => {
    const { hub, alice, bob } = await restricted({ request: ['carol'] });
    request(alice, 'bob', 'r1');
    expect(await alice.next()).toMatchObject(refused({ to_client_id: 'bob' }, 'r1'));
    expect(await ask(alice, 'add')).toMatchObject(refused({ to_client_id: 'server' }));
    expect(await answerTo(alice, 'ping')).toBeNull();
    expect(await answerTo(bob, 'add')).toBe(3);
    await bob.expectNothingElse();
    const carol = await peer(hub, 'carol');
    request(alice, 'carol', 'r2');
    expect(await carol.next()).toMatchObject({ msg_id: 'r2' });
    expect(hub.service.refusalCounts.not_allowed).toBe(2);
  });

  test('to join it, a group gets no member', async () => {
    const { hub, alice } = await restricted({ join: ['team-*'] });
    expect(await ask(alice, 'groups.join', { group: 'admins' })).toMatchObject(refused({ group: 'admins' }));
    expect(hub.service.groupMembers('admins')).toEqual([]);
    expect(await answerTo(alice, 'groups.join', { group: 'team-1' })).toMatchObject({ members: 1 });
  });

  test('to watch one of them, none of clients and groups is watched, and who is in a group is not told', async () => {
    const { hub, alice } = await restricted({ watch: ['bob', 'group:team'] });
    expect(await ask(alice, 'presence.watch', { client_ids: ['bob', 'carol'] })).toMatchObject(refused({ target: 'carol' }));
    expect(await ask(alice, 'presence.watch', { client_ids: ['bob'], groups: ['admins'] })).toMatchObject(refused({ target: 'group:admins' }));
    hub.service.disconnectClient('bob');
    await alice.expectNothingElse();
    expect(await ask(alice, 'groups.members', { group: 'admins' })).toMatchObject(refused({ target: 'group:admins' }));
    expect(await answerTo(alice, 'groups.members', { group: 'team' })).toEqual({ members: [] });
    await answerTo(alice, 'presence.watch', { client_ids: ['bob'], groups: ['team'] });
    await peer(hub, 'bob');
    expect(await alice.next()).toMatchObject({ msg_type: 'event' });
  });

  test('to send it, a last will is not sent', async () => {
    const { hub, bob } = await restricted({ send: ['bob'] });
    const leaveWith = async (to: string): Promise<void> => {
      const alice = await peer(hub, 'alice', { will: { to_client_id: to, msg_type: 'text', content: to } });
      await alice.close();
      await until(() => hub.registry.find('alice') === undefined, 'alice is away');
    };
    await leaveWith('all');
    await bob.expectNothingElse();
    await leaveWith('bob');
    expect(await bob.next()).toMatchObject({ from_client_id: 'alice', content: 'bob' });
  });

  test('because the authorizer fails, a last will is not sent, and the hub goes on', async () => {
    class Failing extends Authorizer {
      override maySend = (): boolean => {
        throw new Error('on purpose');
      };
      override mayJoin = (): boolean => true;
      override mayRequest = (): boolean => true;
      override mayWatch = (): boolean => true;
      override mayList = (): boolean => true;
    }
    const hub = await openHub({ auth: { authorizer: new Failing() } });
    const bob = await peer(hub, 'bob');
    const alice = await peer(hub, 'alice', { will: { to_client_id: 'bob', msg_type: 'text', content: 'gone' } });
    await alice.close();
    await until(() => hub.registry.find('alice') === undefined, 'alice is away');
    await bob.expectNothingElse();
  });
});
