import { describe, expect, test } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openHub, pause, temporaryDirectory, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { SECRET, ec, es256, hs256, inSeconds, jwk, pem, rs256, rsa, sealed, unsigned } from '../support/jwt.js';
import { loginOutcome } from '../support/login-outcome.js';

const refused = (message: string) => ({ code: 'CC_AUTH_FAILED', closed: 4401, message: expect.stringContaining(message) });

describe('A JWT', () => {
  test('of each algorithm lets in the client id of its sub, and nobody else', async () => {
    for (const [jwt, token] of [
      [{ secret: SECRET }, hs256({ sub: 'alice' })],
      [{ publicKey: pem(rsa.publicKey) }, rs256({ sub: 'alice' })],
      [{ publicKey: pem(ec.publicKey) }, es256({ sub: 'alice' })],
    ] as const) {
      const hub = await openHub({ auth: { jwt } });
      expect(await loginOutcome(hub.url, 'alice', token)).toBe('success');
      expect(await loginOutcome(hub.url, 'bob', token)).toEqual(refused('another client id'));
      expect(await loginOutcome(hub.url, 'alice')).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401 });
      expect(hub.service.refusalCounts.auth_failed).toBe(2);
    }
  });

  test('comes in the login, as Basic password of its id, or as bearer of the upgrade', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const token = hs256({ sub: 'alice' });
    const basic = await RawClient.connect(hub.url.replace('ws://', `ws://alice:${token}@`));
    expect((await basic.login('alice')).content).toEqual({ status: 'success' });
    const bearer = await RawClient.connect(hub.url, { headers: { Authorization: `Bearer ${token}` } });
    expect((await bearer.login('alice')).content).toEqual({ status: 'success' });
  });

  test('that is no good as bearer ends the upgrade with 401', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    for (const token of ['x', hs256({ sub: 'alice', exp: inSeconds(-60) })])
      await expect(RawClient.connect(hub.url, { headers: { Authorization: `Bearer ${token}` } })).rejects.toThrow('401');
    expect(hub.service.refusalCounts.upgrade_auth).toBe(2);
  });

  test('lists further ids and beginnings in cross_comm.client_ids, and may have its id in another claim', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET, clientIdClaim: 'name' } } });
    const token = hs256({ sub: 'x', name: 'alice', cross_comm: { client_ids: ['robot-*', 'arm'] } });
    for (const id of ['alice', 'robot-7', 'arm']) expect(await loginOutcome(hub.url, id, token)).toBe('success');
    for (const id of ['x', 'arm-1', 'robot']) expect(await loginOutcome(hub.url, id, token)).toEqual(refused('another client id'));
  });

  const signed = hs256({ sub: 'alice' });
  const [head = '', body = '', tail = ''] = signed.split('.');
  test.each<[string, string, string]>([
    ['alg none without a signature', `${unsigned({ alg: 'none' }, { sub: 'alice', exp: inSeconds(60) })}.`, 'algorithm'],
    ['alg NONE', `${unsigned({ alg: 'NONE' }, { sub: 'alice', exp: inSeconds(60) })}.`, 'algorithm'],
    ['no alg', `${unsigned({}, { sub: 'alice', exp: inSeconds(60) })}.${tail}`, 'algorithm'],
    ['an algorithm that is not known', hs256({ sub: 'alice' }, { header: { alg: 'HS512' } }), 'algorithm'],
    ['another algorithm than its key', rs256({ sub: 'alice' }), 'no key'],
    ['another secret', hs256({ sub: 'alice' }, { secret: SECRET.replace('0', '1') }), 'signature'],
    ['a truncated signature', `${head}.${body}.${tail.slice(0, 20)}`, 'signature'],
    ['no signature', `${head}.${body}.`, 'signature'],
    ['claims that were changed', `${head}.${unsigned({}, { sub: 'alice', exp: inSeconds(600) }).split('.')[1]}.${tail}`, 'signature'],
    ['a second spelling of its signature', `${head}.${body}.${tail}=`, 'no JWT'],
    ['a part too many', `${signed}.x`, 'no JWT'],
    ['claims that are a list', sealed(unsigned({ alg: 'HS256' }, [])), 'no JWT'],
    ['critical extensions', hs256({ sub: 'alice' }, { header: { crit: ['b64'], b64: false } }), 'critical'],
    ['an end that is over', hs256({ sub: 'alice', exp: inSeconds(-6) }), 'expired'],
    ['no end', hs256({ sub: 'alice', exp: undefined }), 'no end'],
    ['an end that is no number', hs256({ sub: 'alice', exp: 'tomorrow' }), 'no number'],
    ['a beginning to come', hs256({ sub: 'alice', nbf: inSeconds(20) }), 'not valid yet'],
    ['an issue in the future', hs256({ sub: 'alice', iat: inSeconds(20) }), 'future'],
    ['an end that is too large for a number', sealed(`${unsigned({ alg: 'HS256' }, {}).split('.')[0]}.${Buffer.from('{"sub":"alice","exp":1e999}').toString('base64url')}`), 'no number'],
    ['an end that is null', hs256({ sub: 'alice', exp: null }), 'no number'],
    ['no sub', hs256({}), 'another client id'],
    ['a sub that is no string', hs256({ sub: ['alice'] }), 'another client id'],
    ['permissions that cannot be read', hs256({ sub: 'alice', cross_comm: { permissions: { sent: [] } } }), 'there is no "sent"'],
    ['permissions that are null', hs256({ sub: 'alice', cross_comm: { permissions: null } }), 'not an object'],
  ])('with %s is refused', async (_what, token, message) => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const outcome = await loginOutcome(hub.url, 'alice', token);
    expect(outcome).toMatchObject({ code: 'CC_AUTH_FAILED', closed: 4401, message: expect.stringMatching(message) });
    expect(hub.registry.onlineCount).toBe(0);
  });

  test('signed with the public key as if it were a shared secret is refused', async () => {
    for (const { publicKey } of [rsa, ec]) {
      const hub = await openHub({ auth: { jwt: { publicKey: pem(publicKey) } } });
      expect(await loginOutcome(hub.url, 'alice', hs256({ sub: 'alice' }, { secret: pem(publicKey) }))).toEqual(refused('no key'));
    }
  });

  test('of ES256 with a signature in DER is refused', async () => {
    const hub = await openHub({ auth: { jwt: { publicKey: pem(ec.publicKey) } } });
    expect(await loginOutcome(hub.url, 'alice', es256({ sub: 'alice' }, {}, 'der'))).toEqual(refused('signature'));
  });

  test('of another issuer or for another audience is refused, where they are given', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET, issuer: 'https://login.example', audience: 'hub' } } });
    const good = { sub: 'alice', iss: 'https://login.example', aud: 'hub' };
    expect(await loginOutcome(hub.url, 'alice', hs256(good))).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', hs256({ ...good, aud: ['other', 'hub'] }))).toBe('success');
    for (const iss of ['https://evil.example', undefined]) expect(await loginOutcome(hub.url, 'alice', hs256({ ...good, iss }))).toEqual(refused('issuer'));
    for (const aud of ['hub2', ['other'], undefined]) expect(await loginOutcome(hub.url, 'alice', hs256({ ...good, aud }))).toEqual(refused('audience'));
  });

  test('without an end within reach of a timer stays logged in', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const client = await RawClient.connect(hub.url);
    await client.login('alice', { cross_comm: { protocol: 2, token: hs256({ sub: 'alice', exp: 1e300 }) } });
    await pause(50);
    await client.expectNothingElse();
  });

  test('within the clock tolerance passes', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET, clockToleranceSeconds: 30 } } });
    expect(await loginOutcome(hub.url, 'alice', hs256({ sub: 'alice', exp: inSeconds(-10), nbf: inSeconds(10) }))).toBe('success');
  });

  test('that is longer than a login may be is cut with 1009, as bearer beyond 8,192 characters refused', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const oversized = hs256({ sub: 'alice', pad: 'x'.repeat(9_000) });
    const client = await RawClient.connect(hub.url);
    client.id = 'alice';
    client.send({ msg_type: 'login', content: { cross_comm: { protocol: 2, token: oversized } } });
    expect((await client.closed()).code).toBe(1009);
    expect(hub.service.refusalCounts.oversize).toBe(1);
    await expect(RawClient.connect(hub.url, { headers: { Authorization: `Bearer ${oversized}` } })).rejects.toThrow('401');
  });

  test('ends its login when it ends: closed with 4001, offline at once', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET, clockToleranceSeconds: 0 } } });
    const client = await RawClient.connect(hub.url);
    await client.login('alice', { cross_comm: { protocol: 2, token: hs256({ sub: 'alice', exp: Date.now() / 1000 + 0.4 }) } });
    expect((await client.closed()).code).toBe(4001);
    expect(hub.registry.onlineCount).toBe(0);
  });
});

describe('A key set', () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = [jwk(rsa.publicKey, { kid: 'r1' }), jwk(other.publicKey, { kid: 'r2' }), jwk(ec.publicKey, { kid: 'e1' }), jwk(ec.publicKey, { kid: 'enc', use: 'enc' })];

  test('gives the key that kid names, of its own type only', async () => {
    const jwksFile = join(await temporaryDirectory(), 'jwks.json');
    await writeFile(jwksFile, JSON.stringify({ keys }));
    const hub = await openHub({ auth: { jwt: { jwksFile } } });
    expect(await loginOutcome(hub.url, 'alice', rs256({ sub: 'alice' }, { kid: 'r1' }))).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', rs256({ sub: 'alice' }, { kid: 'r2' }, other.privateKey))).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', es256({ sub: 'alice' }, { kid: 'e1' }))).toBe('success');
    // the only one of its type
    expect(await loginOutcome(hub.url, 'alice', es256({ sub: 'alice' }))).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', rs256({ sub: 'alice' }, { kid: 'r2' }))).toEqual(refused('signature'));
    for (const header of [{ kid: 'unknown' }, {}, { kid: 'e1' }, { kid: 7 }]) expect(await loginOutcome(hub.url, 'alice', rs256({ sub: 'alice' }, header))).toEqual(refused('no key'));
    expect(await loginOutcome(hub.url, 'alice', es256({ sub: 'alice' }, { kid: 'enc' }))).toEqual(refused('no key'));
  });

  test.each<[string, object, RegExp]>([
    ['a private key', jwk(ec.privateKey, { kid: 'p' }), /"p" is a private key/],
    ['an RSA key of 1,024 bits', jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey, {}), /at least 2048 bits/],
    ['a short secret', { kty: 'oct', k: Buffer.from('short-secret').toString('base64url') }, /shorter than 32 bytes/],
    ['only keys of other kinds', jwk(generateKeyPairSync('ed25519').publicKey, {}), /no key for HS256/],
    ['only keys for other algorithms', jwk(rsa.publicKey, { alg: 'PS256' }), /no key for HS256/],
  ])('with %s ends the start, without quoting it', async (_what, key, problem) => {
    const jwksFile = join(await temporaryDirectory(), 'jwks.json');
    await writeFile(jwksFile, JSON.stringify({ keys: [key] }));
    const error = await openHub({ auth: { jwt: { jwksFile } } }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CC_INVALID_OPTION', message: expect.stringMatching(problem) });
    expect(String(error)).not.toMatch(/short-secret|c2hvcnQ|"d"/);
  });

  test('is read again when it changes; a broken one leaves the keys before in use', async () => {
    const jwksFile = join(await temporaryDirectory(), 'jwks.json');
    const replace = async (text: string): Promise<void> => {
      await writeFile(`${jwksFile}.new`, text);
      await rename(`${jwksFile}.new`, jwksFile);
    };
    await replace(JSON.stringify({ keys: [keys[0]] }));
    const hub = await openHub({ auth: { jwt: { jwksFile } } });
    const [before, after] = [rs256({ sub: 'alice' }, { kid: 'r1' }), rs256({ sub: 'alice' }, { kid: 'r2' }, other.privateKey)];
    expect(await loginOutcome(hub.url, 'alice', after)).toEqual(refused('no key'));
    await replace('{"keys": [');
    await pause(700);
    expect(await loginOutcome(hub.url, 'alice', before)).toBe('success');
    await replace(JSON.stringify({ keys: [keys[1]] }));
    let outcome: unknown;
    for (let n = 0; n < 20 && outcome !== 'success'; n++) {
      await pause(100);
      outcome = await loginOutcome(hub.url, 'alice', after);
    }
    expect(outcome).toBe('success');
    expect(await loginOutcome(hub.url, 'alice', before)).toEqual(refused('no key'));
  });
});

describe('Options of JWT', () => {
  test('take a secret or a public key from a file, and may accept tokens without an end', async () => {
    const folder = await temporaryDirectory();
    const [secretFile, publicKeyFile] = [join(folder, 'secret'), join(folder, 'key.pem')];
    await writeFile(secretFile, `${SECRET}\n`);
    await writeFile(publicKeyFile, pem(ec.publicKey));
    for (const [jwt, token] of [[{ secretFile }, hs256], [{ publicKeyFile }, es256]] as const) {
      const [strict, lax] = [await openHub({ auth: { jwt } }), await openHub({ auth: { jwt: { ...jwt, requireExpiry: false } } })];
      expect(await loginOutcome(strict.url, 'alice', token({ sub: 'alice' }))).toBe('success');
      expect(await loginOutcome(strict.url, 'alice', token({ sub: 'alice', exp: undefined }))).toEqual(refused('no end'));
      expect(await loginOutcome(lax.url, 'alice', token({ sub: 'alice', exp: undefined }))).toBe('success');
      expect(await loginOutcome(lax.url, 'alice', token({ sub: 'alice', exp: inSeconds(-60) }))).toEqual(refused('expired'));
    }
  });

  test.each<[object, RegExp]>([
    [{}, /exactly one of secret/],
    [{ secret: SECRET, publicKey: pem(rsa.publicKey) }, /exactly one of secret/],
    [{ secret: 'short-secret' }, /shorter than 32 bytes/],
    [{ publicKey: 'no key' }, /no public key/],
    [{ publicKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) }, /private key/],
    [{ publicKey: pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) }, /at least 2048 bits/],
    [{ publicKey: pem(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey) }, /P-256/],
    [{ jwksFile: '/nowhere' }, /ENOENT/],
    [{ secret: SECRET, algorithms: ['none'] }, /algorithms/],
    [{ secret: SECRET, algorithms: ['RS256'] }, /no key for the algorithms/],
    [{ secret: SECRET, secrets: 1 }, /no option "secrets"/],
    [{ secret: SECRET, clockToleranceSeconds: -1 }, /clockToleranceSeconds/],
  ])('that are wrong end the start (%#), without quoting a key', async (jwt, problem) => {
    const error = await openHub({ auth: { jwt } }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'CC_INVALID_OPTION', message: expect.stringMatching(problem) });
    expect(String(error)).not.toContain('short-secret');
  });
});

describe('auth.refresh', () => {
  const ask = (client: RawClient, token: unknown): Promise<{ msg_type: string; content: Record<string, unknown> }> => {
    client.send({ msg_type: 'request', msg_id: 'r', content: { action: 'auth.refresh', data: { token } } });
    return client.next() as never;
  };

  test('gives the login a later end and other permissions without a new connection', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET, clockToleranceSeconds: 0 } } });
    const client = await RawClient.connect(hub.url);
    await client.login('alice', { cross_comm: { protocol: 2, token: hs256({ sub: 'alice', exp: Date.now() / 1000 + 0.8, cross_comm: { permissions: { send: [] } } }) } });
    client.send({ msg_id: 'm1', to_client_id: 'alice', content: 'x' });
    expect((await client.next()).content).toMatchObject({ reply_to: 'm1', code: 'CC_NOT_ALLOWED' });
    const exp = inSeconds(30);
    expect((await ask(client, hs256({ sub: 'alice', exp, cross_comm: { permissions: { send: ['alice'] } } }))).content).toEqual({ reply_to: 'r', data: { expires_at: exp, expires_in: expect.any(Number) } });
    await pause(900);
    client.send({ to_client_id: 'alice', content: 'still here' });
    expect((await client.next()).content).toBe('still here');
  });

  test('that fails changes nothing: the login goes on until its end', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET, clockToleranceSeconds: 0 } } });
    const client = await RawClient.connect(hub.url);
    await client.login('alice', { cross_comm: { protocol: 2, token: hs256({ sub: 'alice', exp: Date.now() / 1000 + 1.2 }) } });
    expect(await ask(client, hs256({ sub: 'bob' }))).toMatchObject({ msg_type: 'error', content: { reply_to: 'r', code: 'CC_AUTH_FAILED' } });
    expect((await ask(client, hs256({ sub: 'alice', exp: inSeconds(-60) }))).content).toMatchObject({ code: 'CC_AUTH_FAILED' });
    for (const token of [7, '', undefined]) expect((await ask(client, token)).content).toMatchObject({ code: 'CC_INVALID_CONTENT' });
    client.send({ to_client_id: 'alice', content: 'still here' });
    expect((await client.next()).content).toBe('still here');
    expect((await client.closed()).code).toBe(4001);
  });

  test('twenty times does not pile up anything on the connection', async () => {
    const hub = await openHub({ auth: { jwt: { secret: SECRET } } });
    const client = await RawClient.connect(hub.url);
    await client.login('alice', { cross_comm: { protocol: 2, token: hs256({ sub: 'alice' }) } });
    const { webSocket } = hub.registry.find('alice')!.connection as unknown as { webSocket: { listenerCount(name: string): number } };
    const before = webSocket.listenerCount('close');
    for (let n = 0; n < 20; n++) expect((await ask(client, hs256({ sub: 'alice' }))).msg_type).toBe('response');
    expect(webSocket.listenerCount('close')).toBe(before);
    await until(() => hub.registry.onlineCount === 1, 'alice online');
  });
});
