import { quoted } from '../../src/protocol/index.js';
import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { MessageListener } from '../../src/index.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { onCleanUp } from '../support/clean-up.js';
import { SECRET, hs256, inSeconds } from '../support/jwt.js';
import { loginOutcome } from '../support/login-outcome.js';
import { openHub, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

/** Escape sequences of terminals, line ends, changes of direction. */
const DANGEROUS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

@Injectable()
class Failing {
  @MessageListener()
  onMessage(): void {
    throw new Error('a listener failed');
  }
}

/** Everything that was logged, debug lines too. */
class EveryLine extends RecordingLogger {
  override debug(...parts: unknown[]): void {
    this.lines.push(parts.map(String).join(' '));
  }
}

describe('The log of the hub', () => {
  test('holds no token, no content and no signed URL, and every foreign text escaped', async () => {
    const logger = new EveryLine();
    const { Logger } = await import('@nestjs/common');
    Logger.overrideLogger(logger);
    onCleanUp(() => logger.restore());
    const hub = await openHub({
      log: true,
      providers: [Failing],
      messagesPerSecond: 20,
      storage: { driver: 'embedded' },
      auth: { jwt: { secret: SECRET }, rules: [{ clientId: 'bidi*', send: [] }], authenticator: ({ token }) => { if (token === 'throw-token-4711') throw new Error(`cannot check ${token}`); return { allowed: token === 'plain-token-4711', reason: 'no\u001b[31m' }; } },
    });
    const jwts = [hs256({ sub: 'alice' }), hs256({ sub: 'alice', exp: inSeconds(-60) }), hs256({ sub: 'alice' }, { secret: 'x'.repeat(32) })];
    for (const token of [...jwts, 'plain-token-4711', 'wrong-token-4711', 'throw-token-4711']) await loginOutcome(hub.url, 'alice', token);
    await RawClient.connect(hub.url.replace('ws://', 'ws://alice:basic-secret-4711@')).then((client) => client.login('alice', { cross_comm: { protocol: 2 } }));
    await RawClient.connect(hub.url, { headers: { Authorization: 'Bearer bearer-secret-4711' } }).catch(() => undefined);
    await RawClient.connect(hub.url, { headers: { Origin: 'https://evil\u009b31m.example' } }).catch(() => undefined);
    for (const id of ['evil\u001b]0;owned\u0007', 'line\nbreak', 'c1\u009b31m', 'group:\u001b[2J\u202e', 'x'.repeat(5_000)]) await loginOutcome(hub.url, id, 'plain-token-4711').catch(() => undefined);
    const bidi = await RawClient.connect(hub.url);
    const id = 'bidi\u202egnp.exe\u2028';
    await bidi.login(id, { cross_comm: { protocol: 2, token: 'plain-token-4711' } });
    const bob = await RawClient.connect(hub.url);
    await bob.login('bob', { cross_comm: { protocol: 2, token: 'plain-token-4711' } });
    for (let n = 0; n < 60; n++) bob.send({ to_client_id: 'all', content: 'content-4711 \u001b[2J' });
    bob.send('{"content-4711": not JSON');
    bidi.send({ to_client_id: 'bob\u001b[2J', content: 'content-4711' });
    bidi.send({ msg_type: 'request', msg_id: 'u', content: { action: 'files.new_key', data: { msg_type: 'file', name: 'name-4711.txt' } } });
    const { key } = await answer(bidi, 'u');
    bidi.send({ msg_type: 'request', msg_id: 's', content: { action: 'files.sign', data: { requests: [{ method: 'PUT', key }] } } });
    const { urls } = (await answer(bidi, 's')) as { urls: string[] };
    const url = new URL(urls[0] as string, hub.httpUrl);
    await fetch(url, { method: 'PUT', body: 'content-4711' });
    url.searchParams.set('Signature', 'broken-4711');
    await fetch(url, { method: 'PUT', body: 'content-4711' });
    bidi.send({ msg_type: 'request', msg_id: 'n', content: { action: 'no-such\u001b[2J', data: 'content-4711' } });
    hub.service.revoke(id);
    await bidi.closed();
    await until(() => logger.errors.length > 0 && hub.service.refusalCounts.not_allowed > 0 && hub.service.refusalCounts.message_rate > 0, 'the refusals');
    await hub.close();
    const lines = [...logger.lines, ...logger.warnings, ...logger.errors];
    expect(lines.length).toBeGreaterThan(8);
    const all = lines.join('\n');
    for (const secret of ['4711', 'Signature', ...jwts, ...jwts.map((jwt) => jwt.split('.')[2] as string)]) expect(all).not.toContain(secret);
    for (const line of lines) expect(line).not.toMatch(DANGEROUS);
    // what happened can be told all the same
    expect(all).toContain('bidi\\u202egnp.exe');
    expect(all).toContain('evil\\u009b31m.example');
  });

  test('quotes short and without control characters', () => {
    expect(quoted('a"b')).toBe('"a\\"b"');
    expect(quoted('\u001b\u009b\u202e\u2028\ufeff')).toBe('"\\u001b\\u009b\\u202e\\u2028\\ufeff"');
    expect(quoted('x'.repeat(300))).toHaveLength(259);
    expect(quoted(undefined)).toBe('undefined');
  });
});

async function answer(client: RawClient, id: string): Promise<Record<string, unknown>> {
  for (;;) {
    const { msg_type, content } = await client.next();
    const { reply_to, data } = content as { reply_to?: string; data: Record<string, unknown> };
    if (msg_type === 'response' && reply_to === id) return data;
  }
}
