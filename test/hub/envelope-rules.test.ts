import { describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../src/protocol/index.js';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { frameTextWithContent, wireFrame } from '../support/wire.js';

const WHOLE = { msg_id: 'm1', from_client_id: 'alice', to_client_id: 'bob', msg_type: 'text', content: 'x', timestamp: 1, oss_key: null };

function without(key: keyof typeof WHOLE): string {
  const { [key]: _left, ...rest } = WHOLE;
  return JSON.stringify(rest);
}

function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

const BAD: readonly (readonly [what: string, text: string, code: ErrorCode, replyTo: string | null])[] = [
  ['text that is no JSON', '{nope', 'CC_INVALID_FRAME', null],
  ['an empty frame', '', 'CC_INVALID_FRAME', null],
  ['a number', '5', 'CC_INVALID_FRAME', null],
  ['an array', '[1]', 'CC_INVALID_FRAME', null],
  ['a string', '"x"', 'CC_INVALID_FRAME', null],
  ['null', 'null', 'CC_INVALID_FRAME', null],
  ['a byte order mark in a text frame', `\ufeff${JSON.stringify(WHOLE)}`, 'CC_INVALID_FRAME', null],
  ['two objects', `${JSON.stringify(WHOLE)}{}`, 'CC_INVALID_FRAME', null],
  ['an envelope without msg_id', without('msg_id'), 'CC_INVALID_ENVELOPE', null],
  ['an envelope without from_client_id', without('from_client_id'), 'CC_INVALID_ENVELOPE', 'm1'],
  ['an envelope without to_client_id', without('to_client_id'), 'CC_INVALID_ENVELOPE', 'm1'],
  ['an envelope without msg_type', without('msg_type'), 'CC_INVALID_ENVELOPE', 'm1'],
  ['an envelope without content', without('content'), 'CC_INVALID_ENVELOPE', 'm1'],
  ['an envelope without timestamp', without('timestamp'), 'CC_INVALID_ENVELOPE', 'm1'],
  ['from_client_id null', JSON.stringify({ ...WHOLE, from_client_id: null }), 'CC_INVALID_ENVELOPE', 'm1'],
  ['a list of receivers', JSON.stringify({ ...WHOLE, to_client_id: ['bob'] }), 'CC_INVALID_ENVELOPE', 'm1'],
  ['to_client_id null', JSON.stringify({ ...WHOLE, to_client_id: null }), 'CC_INVALID_ENVELOPE', 'm1'],
  ['the type video', JSON.stringify({ ...WHOLE, msg_type: 'video' }), 'CC_UNKNOWN_TYPE', 'm1'],
  ['an upper-case type', JSON.stringify({ ...WHOLE, msg_type: 'TEXT' }), 'CC_UNKNOWN_TYPE', 'm1'],
  ['the type null', JSON.stringify({ ...WHOLE, msg_type: null }), 'CC_UNKNOWN_TYPE', 'm1'],
  ['a number as type', JSON.stringify({ ...WHOLE, msg_type: 3 }), 'CC_UNKNOWN_TYPE', 'm1'],
  ['the type constructor', JSON.stringify({ ...WHOLE, msg_type: 'constructor' }), 'CC_UNKNOWN_TYPE', 'm1'],
  ['an eighth key', JSON.stringify({ ...WHOLE, trace_id: 't1' }), 'CC_UNKNOWN_KEY', 'm1'],
  ['an eighth key that is null', JSON.stringify({ ...WHOLE, Content: null }), 'CC_UNKNOWN_KEY', 'm1'],
  ['the key __proto__', `${JSON.stringify(WHOLE).slice(0, -1)},"__proto__":{}}`, 'CC_UNKNOWN_KEY', 'm1'],
  ['ext that is text', JSON.stringify({ ...WHOLE, ext: 'x' }), 'CC_INVALID_ENVELOPE', 'm1'],
  ['ext that is null', JSON.stringify({ ...WHOLE, ext: null }), 'CC_INVALID_ENVELOPE', 'm1'],
  ['ext that is a list', JSON.stringify({ ...WHOLE, ext: [] }), 'CC_INVALID_ENVELOPE', 'm1'],
  ['content nested 129 deep', frameTextWithContent('alice', 'bob', nested(129)), 'CC_TOO_DEEP', expect.stringMatching(/^m-/) as never],
  ['content nested 129 deep around NaN', frameTextWithContent('alice', 'bob', `${'['.repeat(129)}NaN${']'.repeat(129)}`), 'CC_TOO_DEEP', null],
  ['content nested 2,000 deep', frameTextWithContent('alice', 'bob', nested(2_000)), 'CC_TOO_DEEP', expect.stringMatching(/^m-/) as never],
  ['content nested 250,000 deep', frameTextWithContent('alice', 'bob', nested(250_000)), 'CC_TOO_DEEP', expect.stringMatching(/^m-/) as never],
  ['ext nested 129 deep', JSON.stringify({ ...WHOLE, ext: { a: JSON.parse(nested(128)) } }), 'CC_TOO_DEEP', 'm1'],
  ['a msg_id nested 200,000 deep', JSON.stringify(WHOLE).replace('"m1"', nested(200_000)), 'CC_TOO_DEEP', null],
  ['a msg_type nested 200,000 deep', JSON.stringify(WHOLE).replace('"text"', nested(200_000)), 'CC_TOO_DEEP', 'm1'],
  ['a timestamp nested 200,000 deep', JSON.stringify({ ...WHOLE, timestamp: [] }).replace('[]', nested(200_000)), 'CC_TOO_DEEP', 'm1'],
  ['a million opening brackets', '['.repeat(1_000_000), 'CC_TOO_DEEP', null],
];

describe('A frame that breaks the rules', () => {
  test.each(BAD)('%s: coded error to an announced sender, silence to an old one, nothing to the receiver', async (_what, text, code, replyTo) => {
    const { url } = await openHub();
    const bob = await RawClient.old(url, 'bob');
    const alice = await RawClient.announced(url, 'alice');
    alice.send(text);
    const error = await alice.next();
    expect(Object.keys(error)).toEqual(['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key']);
    expect(error).toMatchObject({ from_client_id: 'server', to_client_id: 'alice', msg_type: 'error', oss_key: null });
    expect(error.content).toMatchObject({ reply_to: replyTo, code, message: expect.stringMatching(new RegExp(`^${code}: .*\\.$`)) as never });
    await alice.expectNothingElse();

    await alice.login('alice');
    alice.send(text);
    await alice.expectNothingElse();
    await bob.expectNothingElse();
    const sent = alice.send({ to_client_id: 'bob', content: 'still here' });
    expect(await bob.nextText()).toBe(sent);
  });

  test('content nested 128 deep passes', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    const text = frameTextWithContent('alice', 'bob', nested(128));
    alice.send(text);
    expect(await bob.nextText()).toBe(text);
  });

  test('a list request with a deeply nested content string does no harm', async () => {
    const { url } = await openHub();
    const alice = await RawClient.old(url, 'alice');
    alice.send({ msg_type: 'list_clients', content: `{"only_show_online": ${nested(200_000)}}` });
    expect((await alice.next()).msg_type).toBe('list_clients_response');
    await alice.expectNothingElse();
  });

  test('timestamp and oss_key may be of any type, as at the Python server', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    for (const odd of [{ timestamp: '2025-01-01T00:00:00Z' }, { timestamp: null }, { oss_key: { k: 1 } }, { oss_key: 5 }, { msg_id: null }]) {
      const text = JSON.stringify({ ...WHOLE, ...odd });
      alice.send(text);
      expect(await bob.nextText()).toBe(text);
    }
  });
});

describe('The key ext', () => {
  test('reaches announced clients as it was spelt and is cut out for old ones, byte for byte', async () => {
    const { url } = await openHub();
    const [alice, old, modern] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'old'), await RawClient.announced(url, 'modern')];
    const head = '{"msg_id":"m1",  "from_client_id":"alice","to_client_id":"all","msg_type":"dict","content":{"ext":1.0,"n":9007199254740993}';
    const tail = ' "timestamp":1.50,\t"oss_key":null }';
    alice.send(`${head}, "ext": {"a": [1.0, "}"]},${tail}`);
    expect(await modern.nextText()).toBe(`${head}, "ext": {"a": [1.0, "}"]},${tail}`);
    expect(await old.nextText()).toBe(`${head}, ${tail}`);
  });

  test.each([
    ['at the end', ',"oss_key":null,"ext":{}}', ',"oss_key":null}'],
    ['twice', ',"ext":{"a":1},"ext":{}}', '}'],
    ['in escapes', ',"\\u0065xt":{"a":1},"oss_key":"k"}', ',"oss_key":"k"}'],
    ['with NaN inside', ',"ext":{"a":NaN}}', '}'],
  ])('is cut out %s', async (_what, given, left) => {
    const { url } = await openHub();
    const [alice, old] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'old')];
    const head = '{"msg_id":"m1","from_client_id":"alice","to_client_id":"old","msg_type":"text","content":"x","timestamp":1';
    alice.send(head + given);
    expect(await old.nextText()).toBe(head + left);
  });

  test('is an unknown key from a client that announced nothing', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.announced(url, 'bob')];
    alice.send(wireFrame({ from_client_id: 'alice', to_client_id: 'bob', ext: {} }));
    await alice.expectNothingElse();
    await bob.expectNothingElse();
  });
});
