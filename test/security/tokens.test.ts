import { describe, expect, test } from '@jest/globals';
import { scryptSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TokenAuthenticator, hashToken, type AuthRequest } from '../../src/security/index.js';
import type { WebSocketConnection } from '../../src/gateway/web-socket.connection.js';
import { CrossCommClient } from '../../src/sdk/index.node.js';
import { openHub, temporaryDirectory } from '../support/open-hub.js';
import { onCleanUp } from '../support/clean-up.js';
import { RawClient } from '../support/raw-client.js';

const announcing = (token?: unknown) => ({ cross_comm: { protocol: 2, ...(token === undefined ? {} : { token }) } });
const tokens = { alice: hashToken('secret-a'), 'robot-*': [hashToken('secret-r'), hashToken('older-r')], 'robot-7': hashToken('secret-7') };

function scryptText(token: string): string {
  const salt = Buffer.from('0123456789abcdef');
  return `scrypt:1024:8:${salt.toString('hex')}:${scryptSync(token, salt, 32, { N: 1024, r: 8, p: 1 }).toString('hex')}`;
}

/** What became of a login: `success`, or the error's code and the close code. */
async function outcome(url: string, id: string, token?: unknown): Promise<unknown> {
  const client = await RawClient.connect(url);
  const { content } = await client.login(id, announcing(token));
  const { status, code } = content as { status: string; code?: string };
  return status === 'success' ? status : [code, (await client.closed()).code];
}

describe('Tokens', () => {
  test('the token of the id lets in; another, none, an empty one or that of another id does not', async () => {
    const hub = await openHub({ auth: { tokens } });
    expect(await outcome(hub.url, 'alice', 'secret-a')).toBe('success');
    for (const wrong of ['secret-r', 'secret-b', '', 'secret-a ', undefined]) expect(await outcome(hub.url, 'alice', wrong)).toEqual(['CC_AUTH_FAILED', 4401]);
    expect(await outcome(hub.url, 'nobody', 'secret-a')).toEqual(['CC_AUTH_FAILED', 4401]);
    expect(hub.service.refusalCounts.auth_failed).toBe(6);
    // the failures touched nobody's session
    expect(hub.service.getOnlineClients()).toEqual(['alice']);
  });

  test('a pattern is for ids that begin so, with any of its tokens; the exact id counts before it', async () => {
    const hub = await openHub({ auth: { tokens } });
    expect(await outcome(hub.url, 'robot-1', 'secret-r')).toBe('success');
    expect(await outcome(hub.url, 'robot-2', 'older-r')).toBe('success');
    expect(await outcome(hub.url, 'robot', 'secret-r')).toEqual(['CC_AUTH_FAILED', 4401]);
    expect(await outcome(hub.url, 'robot-7', 'secret-r')).toEqual(['CC_AUTH_FAILED', 4401]);
    expect(await outcome(hub.url, 'robot-7', 'secret-7')).toBe('success');
  });

  test('scrypt hashes work, and frames right behind the login wait for them in order', async () => {
    const hub = await openHub({ auth: { tokens: { alice: scryptText('s'), bob: hashToken('b') } } });
    const bob = await RawClient.connect(hub.url);
    await bob.login('bob', announcing('b'));
    const alice = await RawClient.connect(hub.url);
    alice.id = 'alice';
    alice.send({ msg_type: 'login', content: announcing('s') });
    const large = 'x'.repeat(20_000);
    for (let n = 0; n < 20; n++) alice.send({ to_client_id: 'bob', content: `${n} ${large}` });
    for (let n = 0; n < 20; n++) expect(((await bob.next()).content as string).split(' ')[0]).toBe(String(n));
    expect(await outcome(hub.url, 'alice', 'no')).toEqual(['CC_AUTH_FAILED', 4401]);
  });

  test('an old client gives its token as HTTP Basic, whose user must be the id that logs in', async () => {
    const hub = await openHub({ auth: { tokens } });
    const at = (credentials: string) => hub.url.replace('ws://', `ws://${credentials}@`);
    const alice = await RawClient.connect(at('alice:secret-a'));
    expect((await alice.login('alice')).content).toEqual({ status: 'success' });
    for (const [credentials, id] of [['alice:secret-b', 'alice'], ['robot-1:secret-a', 'alice'], ['alice:secret-a', 'robot-1']] as const) {
      const client = await RawClient.connect(at(credentials));
      client.id = id;
      client.send({ msg_type: 'login', content: {} });
      expect(await client.closed()).toEqual({ code: 4401, reason: 'CC_AUTH_FAILED' });
      expect(client.unread).toEqual([]);
    }
  });

  test('a login with another id on the same connection needs the token of that id', async () => {
    const hub = await openHub({ auth: { tokens } });
    const client = await RawClient.connect(hub.url);
    await client.login('alice', announcing('secret-a'));
    expect((await client.login('robot-1', announcing('secret-a'))).content).toMatchObject({ code: 'CC_AUTH_FAILED' });
    expect((await client.closed()).code).toBe(4401);
    expect(hub.service.getOnlineClients()).toEqual([]);
  });

  test('a token that is no string is an unreadable login', async () => {
    const hub = await openHub({ auth: { tokens } });
    expect(await outcome(hub.url, 'alice', 7)).toEqual(['CC_INVALID_ENVELOPE', 4003]);
  });

  test('a failed login costs its address ten', async () => {
    const hub = await openHub({ auth: { tokens }, loginsPerSecond: 0.5, loginBurst: 12 });
    expect(await outcome(hub.url, 'alice', 'wrong')).toEqual(['CC_AUTH_FAILED', 4401]);
    expect(await outcome(hub.url, 'alice', 'secret-a')).toBe('success');
    expect(await outcome(hub.url, 'alice', 'secret-a')).toEqual(['CC_RATE_LIMITED', 4029]);
  });

  test('without options everyone may log in, whatever token he sends', async () => {
    const hub = await openHub();
    expect(await outcome(hub.url, 'alice', 'whatever')).toBe('success');
  });
});

describe('Token tables', () => {
  test('are read from a JSON file', async () => {
    const file = join(await temporaryDirectory(), 'tokens.json');
    await writeFile(file, JSON.stringify(tokens));
    const hub = await openHub({ auth: { tokensFile: file } });
    expect(await outcome(hub.url, 'alice', 'secret-a')).toBe('success');
    expect(await outcome(hub.url, 'alice', 'x')).toEqual(['CC_AUTH_FAILED', 4401]);
  });

  test('that cannot be used end the start, without quoting what may be a token', async () => {
    const file = join(await temporaryDirectory(), 'tokens.json');
    for (const text of ['{"alice": "plain-secret"}', '{"alice": plain-secret', '["plain-secret"]', '{}', '{"a": "scrypt:1000:8:0011223344556677:00112233445566778899aabbccddeeff"}']) {
      await writeFile(file, text);
      const error = await openHub({ auth: { tokensFile: file } }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'CC_INVALID_OPTION', message: expect.not.stringContaining('plain-secret') });
    }
    await expect(openHub({ auth: { tokensFile: join(file, 'nowhere') } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    await expect(openHub({ auth: { tokensFile: file, tokens } })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
    await expect(openHub({ auth: { token: 'x' } as object })).rejects.toMatchObject({ code: 'CC_INVALID_OPTION' });
  });

  test('an id that is a property of every object has no token', () => {
    const authenticator = new TokenAuthenticator(tokens);
    const request = (clientId: string): AuthRequest => ({ clientId, token: 'x', basic: undefined, remoteAddress: '', headers: {}, tlsPeer: undefined });
    for (const id of ['__proto__', 'constructor', 'toString']) expect(authenticator.authenticate(request(id))).toEqual({ allowed: false });
  });
});

describe('The SDK', () => {
  test('logs in with a token, asks a function at each login, and ends with the typed error when it is refused', async () => {
    const hub = await openHub({ auth: { tokens } });
    let asked = 0;
    const options = { url: hub.url, clientId: 'alice', reconnect: { minDelayMs: 10, maxDelayMs: 20 } };
    const alice = new CrossCommClient({ ...options, token: () => (++asked < 3 ? 'secret-a' : 'wrong') });
    onCleanUp(() => alice.logout());
    await alice.login();
    const cut = (): void => (hub.registry.find('alice')!.connection as WebSocketConnection).terminate();
    const closed = new Promise<unknown>((resolve) => {
      let cuts = 0;
      alice.onStatus((status) => {
        if (status.state === 'closed') resolve(status.reason);
        if (status.state === 'online' && cuts++ < 2) cut();
      });
    });
    cut();
    expect(await closed).toMatchObject({ code: 'CC_AUTH_FAILED', retryable: false });
    expect(asked).toBe(3);
    const wrong = new CrossCommClient({ ...options, token: 'nope' });
    const error: unknown = await wrong.login().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CC_AUTH_FAILED' });
    expect(String(error)).not.toContain('nope');
  });

  test('takes id:secret@host as the Python client does', async () => {
    const hub = await openHub({ auth: { tokens } });
    const alice = new CrossCommClient({ ip: 'alice:secret-a@127.0.0.1', port: hub.port, clientId: 'alice' });
    onCleanUp(() => alice.logout());
    await alice.login();
    expect(alice.status).toMatchObject({ state: 'online' });
  });
});
