import { describe, expect, test } from '@jest/globals';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket, clientFrame } from '../support/raw-socket.js';
import { frameTextWithContent, wireFrame } from '../support/wire.js';

const CONTENTS: readonly (readonly [what: string, text: string])[] = [
  ['an integer beyond 2^53', '{"n": 9007199254740993}'],
  ['an integer of 40 digits', '1234567890123456789012345678901234567890'],
  ['1.0', '1.0'],
  ['-0.0', '-0.0'],
  ['1e400', '{"v": 1e400}'],
  ['1E+2', '1E+2'],
  ['NaN and both infinities', '[NaN, Infinity, -Infinity]'],
  ['half a surrogate pair as an escape', '"\\ud83d"'],
  ['escapes that need not be', '"\\u0041\\/"'],
  ['keys that are not sorted', '{"b": 1, "a": 2, "10": 3, "9": 4}'],
  ['raw CJK and emoji', '"你好 😀"'],
  ['duplicate keys inside', '{"k": 1, "k": 2}'],
  ['a key __proto__', '{"__proto__": {"polluted": true}}'],
  ['white space', '{\t"a" :\n [ 1 ,  2 ]\r\n}'],
];

describe('Forwarded bytes', () => {
  test.each(CONTENTS)('%s arrives as it was spelt', async (_what, content) => {
    const { url } = await openHub();
    const [alice, bob, carol] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob'), await RawClient.announced(url, 'carol')];
    const text = frameTextWithContent('alice', 'all', content);
    alice.send(text);
    expect(await bob.nextText()).toBe(text);
    expect(await carol.nextText()).toBe(text);
  });

  test.each([
    ['a missing oss_key is left out', '{"msg_id":"1","from_client_id":"alice","to_client_id":"bob","msg_type":"text","content":"x","timestamp":1}'],
    ['key order is kept', '{"timestamp":1,"oss_key":null,"content":"x","msg_type":"text","to_client_id":"bob","from_client_id":"alice","msg_id":"1"}'],
    ['the Java spelling of time is kept', '{"msg_id":"1","from_client_id":"alice","to_client_id":"bob","msg_type":"text","content":"x","timestamp":1.795220759924E9,"oss_key":null}'],
    ['a duplicate key is kept', '{"msg_id":"1","from_client_id":"alice","to_client_id":"bob","msg_type":"text","content":"x","timestamp":1,"content":"y"}'],
    ['white space around the object is kept', ' \n{"msg_id":"1","from_client_id":"alice","to_client_id":"bob","msg_type":"text","content":"x","timestamp":1}\t '],
    ['a msg_id that is a number is kept', '{"msg_id":7,"from_client_id":"alice","to_client_id":"bob","msg_type":"text","content":"x","timestamp":null}'],
  ])('%s', async (_what, text) => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    alice.send(text);
    expect(await bob.nextText()).toBe(text);
  });

  test('a message of 600 kB of CJK does not grow and reaches an old receiver', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    const sent = alice.send({ to_client_id: 'bob', content: '界'.repeat(200_000) });
    const received = await bob.nextText();
    expect(received.length).toBe(sent.length);
    expect(received === sent).toBe(true);
  });

  test('a large message that only Python can read is forwarded too', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    const text = frameTextWithContent('alice', 'bob', `["${'\\u4f60'.repeat(160_000)}", NaN]`);
    alice.send(text);
    expect((await bob.nextText()) === text).toBe(true);
  });

  test('goes out as one unfragmented text frame, whatever came in', async () => {
    const { url, port } = await openHub();
    const receiver = await RawSocket.upgrade(port);
    receiver.sendText(JSON.stringify(wireFrame({ from_client_id: 'bob', msg_type: 'login', content: {} })));
    expect((await receiver.frame()).opcode).toBe(1);
    const alice = await RawClient.old(url, 'alice');
    const text = frameTextWithContent('alice', 'bob', '"in three"');
    alice.socket.send(text.slice(0, 20), { fin: false });
    alice.socket.send(text.slice(20, 50), { fin: false });
    alice.socket.send(text.slice(50), { fin: true });
    alice.socket.send(Buffer.from(text), { binary: true });
    for (const _ of ['fragments', 'binary']) expect(await receiver.frame()).toEqual({ opcode: 1, fin: true, payload: Buffer.from(text) });
  });

  test('pings are answered, also between two fragments', async () => {
    const { port } = await openHub();
    const client = await RawSocket.upgrade(port);
    const login = JSON.stringify(wireFrame({ from_client_id: 'bob', msg_type: 'login', content: {} }));
    client.write(clientFrame(1, Buffer.from(login.slice(0, 10)), false));
    client.write(clientFrame(9, Buffer.from('are you there')));
    expect(await client.frame()).toEqual({ opcode: 10, fin: true, payload: Buffer.from('are you there') });
    client.write(clientFrame(0, Buffer.from(login.slice(10))));
    expect((await client.frame()).payload.toString()).toContain('login_response');
  });
});

describe('Binary frames that hold JSON', () => {
  const text = frameTextWithContent('alice', 'bob', '"grün 你好 😀"');
  const utf16be = Buffer.from(text, 'utf16le').swap16();
  const utf32le = Buffer.concat(Array.from(text, (character) => le32(character.codePointAt(0) as number)));
  const utf32be = Buffer.from(utf32le).swap32();
  const encodings: readonly (readonly [string, Buffer])[] = [
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)])],
    ['UTF-16 little endian', Buffer.from(text, 'utf16le')],
    ['UTF-16 little endian with a byte order mark', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])],
    ['UTF-16 big endian', utf16be],
    ['UTF-16 big endian with a byte order mark', Buffer.concat([Buffer.from([0xfe, 0xff]), utf16be])],
    ['UTF-32 little endian', utf32le],
    ['UTF-32 little endian with a byte order mark', Buffer.concat([Buffer.from([0xff, 0xfe, 0, 0]), utf32le])],
    ['UTF-32 big endian', utf32be],
    ['UTF-32 big endian with a byte order mark', Buffer.concat([Buffer.from([0, 0, 0xfe, 0xff]), utf32be])],
  ];

  test.each(encodings)('%s is forwarded as text', async (_what, bytes) => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    alice.socket.send(bytes, { binary: true });
    expect(await bob.nextText()).toBe(text);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['junk', Buffer.from([0xff, 0xfe, 0xfd])],
    ['broken UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['broken UTF-32', Buffer.from([0x7b, 0, 0, 0, 1])],
    ['a code point beyond Unicode', Buffer.from([0x7b, 0, 0, 0, 0, 0, 0x11, 0])],
  ])('%s in a binary frame is refused with a code, and the connection lives', async (_what, bytes) => {
    const { url } = await openHub();
    const [announced, old] = [await RawClient.announced(url, 'alice'), await RawClient.old(url, 'bob')];
    announced.socket.send(bytes, { binary: true });
    expect((await announced.next()).content).toMatchObject({ reply_to: null, code: 'CC_INVALID_FRAME' });
    old.socket.send(bytes, { binary: true });
    await old.expectNothingElse();
  });

  test('invalid UTF-8 in a text frame closes with 1007 and takes the client offline at once', async () => {
    const hub = await openHub();
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    alice.socket.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false });
    expect((await alice.closed()).code).toBe(1007);
    expect(await bob.list(true)).toEqual(['bob']);
  });
});

function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
