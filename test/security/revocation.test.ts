import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashToken } from '../../src/security/index.js';
import { SECRET, hs256 } from '../support/jwt.js';
import { loginOutcome, withToken } from '../support/login-outcome.js';
import { openHub, temporaryDirectory } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

async function loggedIn(url: string, id: string, token?: string): Promise<RawClient> {
  const client = await RawClient.connect(url);
  expect((await client.login(id, withToken(token))).content).toMatchObject({ status: 'success' });
  return client;
}

const REVOKED = { code: 'CC_AUTH_FAILED', closed: 4401, message: expect.stringContaining('revoked') };

describe('Revoking', () => {
  test('a client id ends its socket at once with 4401, and refuses it until it is lifted', async () => {
    const hub = await openHub();
    const [alice, bob] = [await loggedIn(hub.url, 'alice'), await loggedIn(hub.url, 'bob')];
    expect(hub.service.revoke('alice')).toBe(1);
    // offline with the call, not when the socket is gone
    expect(hub.service.getOnlineClients()).toEqual(['bob']);
    expect(await alice.closed()).toEqual({ code: 4401, reason: 'the login was revoked' });
    expect(await loginOutcome(hub.url, 'alice')).toEqual(REVOKED);
    expect(hub.service.refusalCounts.revoked).toBe(2);
    expect(hub.service.unrevoke('alice')).toBe(true);
    expect(hub.service.unrevoke('alice')).toBe(false);
    expect(await loginOutcome(hub.url, 'alice')).toBe('success');
    await bob.expectNothingElse();
  });

  test('a pattern, and whatever a function says', async () => {
    const hub = await openHub();
    const clients = [await loggedIn(hub.url, 'robot-1'), await loggedIn(hub.url, 'robot-2'), await loggedIn(hub.url, 'alice')];
    expect(hub.service.revoke('robot-*')).toBe(2);
    const isShort = ({ clientId }: { readonly clientId: string }): boolean => clientId.length < 6;
    expect(hub.service.revoke(isShort)).toBe(1);
    for (const client of clients) expect((await client.closed()).code).toBe(4401);
    expect(await loginOutcome(hub.url, 'bob')).toEqual(REVOKED);
    expect(hub.service.unrevoke(isShort)).toBe(true);
    expect(await loginOutcome(hub.url, 'bob')).toBe('success');
    expect(await loginOutcome(hub.url, 'robot-3')).toEqual(REVOKED);
  });

  test('a JWT by its jti leaves other tokens of the same client good', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const [stolen, fresh] = [hs256({ sub: 'alice', jti: 'one' }), hs256({ sub: 'alice', jti: 'two' })];
    const alice = await loggedIn(hub.url, 'alice', stolen);
    expect(hub.service.revoke({ credential: 'jwt:one' })).toBe(1);
    expect((await alice.closed()).code).toBe(4401);
    expect(await loginOutcome(hub.url, 'alice', stolen)).toEqual(REVOKED);
    expect(await loginOutcome(hub.url, 'alice', fresh)).toBe('success');
  });

  test('a client that is revoked while its login is decided does not come in', async () => {
    const decide: (() => void)[] = [];
    const hub = await openHub({ auth: { authenticator: () => new Promise((resolve) => decide.push(() => resolve({ allowed: true }))) } });
    const outcome = loginOutcome(hub.url, 'alice');
    while (decide.length === 0) await new Promise(setImmediate);
    hub.service.revoke('alice');
    decide[0]?.();
    expect(await outcome).toEqual(REVOKED);
  });

  test('by a file ends sockets within a second of its change, and a broken file changes nothing', async () => {
    const file = join(await temporaryDirectory(), 'revoked.json');
    await writeFile(file, '{"client_ids": ["mallory"]}');
    const hub = await openHub({ auth: { jwt: { secret: SECRET }, revocationsFile: file } });
    expect(await loginOutcome(hub.url, 'mallory', hs256({ sub: 'mallory' }))).toEqual(REVOKED);
    const [alice, bob] = [await loggedIn(hub.url, 'alice', hs256({ sub: 'alice', jti: 'a' })), await loggedIn(hub.url, 'bob', hs256({ sub: 'bob', jti: 'b' }))];
    await writeFile(file, '{"client_ids": "bob"}');
    await writeFile(file, '{"credentials": ["jwt:a"]}');
    expect((await alice.closed(2_500)).code).toBe(4401);
    await bob.expectNothingElse();
    expect(await loginOutcome(hub.url, 'mallory', hs256({ sub: 'mallory' }))).toBe('success');
    await expect(openHub({ auth: { revocationsFile: join(file, 'nowhere') } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
  });
});

describe('A token taken out of the token file', () => {
  test('ends the logins by it within a second, and no others', async () => {
    const file = join(await temporaryDirectory(), 'tokens.json');
    const [old, fresh] = [hashToken('old'), hashToken('new')];
    await writeFile(file, JSON.stringify({ alice: [old, fresh], 'robot-*': old, bob: old }));
    const hub = await openHub({ auth: { tokensFile: file } });
    const [byOld, robot, bob] = [await loggedIn(hub.url, 'alice', 'old'), await loggedIn(hub.url, 'robot-1', 'old'), await loggedIn(hub.url, 'bob', 'old')];
    await writeFile(file, JSON.stringify({ alice: fresh, bob: old }));
    expect((await byOld.closed(2_500)).code).toBe(4401);
    expect((await robot.closed(2_500)).code).toBe(4401);
    await bob.expectNothingElse();
    expect(await loginOutcome(hub.url, 'alice', 'old')).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401 });
    expect(await loginOutcome(hub.url, 'alice', 'new')).toBe('success');
  });
});
