import { describe, expect, test } from '@jest/globals';
import { ERROR_CODES, type ErrorCode } from '../../src/protocol/index.js';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { announcing, wireFrame } from '../support/wire.js';

const REFUSED_IDS: readonly (readonly [what: string, id: string])[] = [
  ['empty', ''],
  ['"all"', 'all'],
  ['"server"', 'server'],
  ['257 bytes', 'x'.repeat(257)],
  ['256 bytes in 86 characters', `${'界'.repeat(85)}é`.padEnd(87, '界')],
  ['a line feed', 'new\nline'],
  ['NUL', 'a\u0000'],
  ['DEL', 'a\u007f'],
  ['a C1 control character', 'a\u0085'],
  ['half a surrogate pair', 'a\ud83d'],
];

describe('Login', () => {
  test('answers a client that announces nothing with exactly {"status":"success"}', async () => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    const answer = await client.login('alice');
    expect(Object.keys(answer)).toEqual(['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key']);
    expect(answer).toMatchObject({ from_client_id: 'server', to_client_id: 'alice', msg_type: 'login_response', oss_key: null });
    expect(answer.content).toEqual({ status: 'success' });
    expect(Math.abs(answer.timestamp - Date.now() / 1000)).toBeLessThan(10);
    await client.expectNothingElse();
  });

  test.each([
    ['other keys in the content', { status: 'x', cross: 1 }],
    ['a string', 'hello'],
    ['null', null],
    ['an announcement of protocol 1', { cross_comm: { protocol: 1 } }],
  ])('takes %s for a client that announces nothing', async (_what, content) => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    expect((await client.login('alice', content)).content).toEqual({ status: 'success' });
  });

  test('answers an announcement with session, features, limits and heartbeat times', async () => {
    const { url } = await openHub({ heartbeatInterval: 7, heartbeatTimeout: 21, maxMessageBytes: 2_000_000, maxNestingDepth: 50 });
    const client = await RawClient.connect(url);
    const { content } = await client.login('alice', announcing());
    expect(content).toEqual({
      status: 'success',
      cross_comm: {
        protocol: 2,
        session: expect.stringMatching(/^[0-9a-f-]{36}$/),
        features: ['errors', 'ext', 'requests', 'acks', 'mailbox', 'calls', 'events'],
        limits: { max_message_bytes: 2_000_000, max_nesting_depth: 50, max_unacked: 1_024, max_unacked_bytes: 4_194_304, duplicate_window: 86_400 },
        heartbeat_interval: 7,
        heartbeat_timeout: 21,
      },
    });
  });

  test('gives each login a session of its own and never speaks a higher protocol than its own', async () => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    const welcomes = [];
    for (const protocol of [2, 3]) {
      const { content } = await client.login('alice', { cross_comm: { protocol, features: ['unheard-of'], later: true } });
      welcomes.push((content as { cross_comm: { protocol: number; session: string } }).cross_comm);
    }
    expect(welcomes.map((welcome) => welcome.protocol)).toEqual([2, 2]);
    expect(welcomes[0]?.session).not.toBe(welcomes[1]?.session);
  });

  test.each(REFUSED_IDS)('refuses the id %s of an announced client with a coded answer and 4003', async (_what, id) => {
    const { url, service } = await openHub();
    const client = await RawClient.connect(url);
    const { msg_type, content } = await client.login(id, announcing());
    expect(msg_type).toBe('login_response');
    expect(content).toEqual({ status: 'error', code: 'CC_INVALID_CLIENT_ID', message: messageOf('CC_INVALID_CLIENT_ID') });
    expect(await client.closed()).toEqual({ code: 4003, reason: 'CC_INVALID_CLIENT_ID' });
    expect(service.listClients().totalCount).toBe(0);
  });

  test.each(REFUSED_IDS)('closes the connection of an old client with the id %s, without a frame', async (_what, id) => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    client.send(wireFrame({ from_client_id: id, msg_type: 'login', content: {} }));
    expect(await client.closed()).toEqual({ code: 4003, reason: 'CC_INVALID_CLIENT_ID' });
    expect(client.unread).toEqual([]);
  });

  test.each([
    ['256 bytes', 'x'.repeat(256)],
    ['85 CJK characters', '界'.repeat(85)],
    ['an emoji, a space and a colon', '😀 a: b'],
    ['what looks like a number', '123'],
    ['what looks like an object member', '__proto__'],
  ])('accepts an id of %s and delivers to it', async (_what, id) => {
    const { url } = await openHub();
    const client = await RawClient.old(url, id);
    const sent = client.send({ to_client_id: id, content: 'echo' });
    expect(await client.nextText()).toBe(sent);
    expect(await client.list(true)).toEqual([id]);
  });

  test.each([
    ['protocol is text', { cross_comm: { protocol: '2' } }],
    ['cross_comm is text', { cross_comm: 'yes' }],
    ['cross_comm is null', { cross_comm: null }],
    ['features is no list', { cross_comm: { protocol: 2, features: 'errors' } }],
    ['features holds a number', { cross_comm: { protocol: 2, features: [1] } }],
    ['the limit is too small', { cross_comm: { protocol: 2, limits: { max_message_bytes: 5 } } }],
    ['the limit is no number', { cross_comm: { protocol: 2, limits: { max_message_bytes: '1e9' } } }],
  ])('refuses a malformed announcement with a coded answer and 4003: %s', async (_what, content) => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    const answer = await client.login('alice', content);
    expect(answer.content).toEqual({ status: 'error', code: 'CC_INVALID_ENVELOPE', message: messageOf('CC_INVALID_ENVELOPE') });
    expect((await client.closed()).code).toBe(4003);
  });

  test('takes a login whose own id is not a string for no login', async () => {
    const { url } = await openHub({ loginTimeoutMs: 200 });
    const client = await RawClient.connect(url);
    client.send(JSON.stringify({ ...wireFrame({ from_client_id: 'x', msg_type: 'login' }), from_client_id: 5 }));
    expect((await client.closed()).code).toBe(4001);
    expect(client.unread).toEqual([]);
  });

  test('a refused login takes the identity that the socket had before offline', async () => {
    const { url, service } = await openHub();
    const client = await RawClient.announced(url, 'alice');
    await client.login('all', announcing());
    expect((await client.closed()).code).toBe(4003);
    expect(service.getOnlineClients()).toEqual([]);
  });

  test('may be repeated on one socket any number of times', async () => {
    const { url, service } = await openHub();
    const client = await RawClient.connect(url);
    for (let i = 0; i < 60; i++) {
      expect((await client.login('alice')).content).toEqual({ status: 'success' });
      client.send({ msg_type: 'logout', content: {} });
    }
    await client.login('alice');
    expect(service.getOnlineClients()).toEqual(['alice']);
  });
});

function messageOf(code: ErrorCode): unknown {
  return expect.stringMatching(new RegExp(`^${code}: .*${ERROR_CODES[code].text.replaceAll(/[.()]/g, '\\$&')}$`));
}
