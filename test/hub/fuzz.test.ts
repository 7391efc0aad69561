import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { openHub, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket, clientFrame } from '../support/raw-socket.js';
import { announcing, wireFrame, type WireFrame } from '../support/wire.js';

const FUZZER = 'fuzzer';
const types = ['text', 'dict', 'bytes', 'file', 'heartbeat', 'list_clients', 'request', 'response', 'error', 'login_response', 'video'];

/** Frames that are nearly right: odd values behind right keys. Never a login or logout, which would end the fuzzing. */
const nearlyRight = fc
  .record(
    {
      msg_id: fc.oneof(fc.string(), fc.jsonValue()),
      from_client_id: fc.oneof(fc.constant(FUZZER), fc.jsonValue()),
      to_client_id: fc.oneof(fc.constantFrom('bob', 'all', 'server', FUZZER, 'ghost'), fc.jsonValue()),
      msg_type: fc.constantFrom(...types),
      content: fc.oneof(fc.jsonValue(), fc.json(), fc.record({ action: fc.constantFrom('files.head', 'files.sign', 'x'), data: fc.jsonValue(), only_show_online: fc.jsonValue() })),
      timestamp: fc.oneof(fc.double(), fc.jsonValue()),
      oss_key: fc.jsonValue(),
      ext: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
      __proto__: fc.jsonValue(),
    },
    { requiredKeys: ['msg_type'] },
  )
  .map((frame) => JSON.stringify(frame));

/** The same, cut and spoilt. */
const spoilt = fc.tuple(nearlyRight, fc.nat(), fc.constantFrom('', 'NaN', '"', '}', '\u0000', '\\u12', '[[[[')).map(([text, at, insert]) => {
  const index = at % (text.length + 1);
  return text.slice(0, index) + insert + text.slice(index + 1);
});

describe('The hub under nonsense', () => {
  test.each([
    ['an announced client', announcing()],
    ['an old client', {}],
  ])('of %s goes on serving others, and every answer is a frame of the protocol', async (_what, login) => {
    const hub = await openHub();
    const [bob, carol] = [await RawClient.old(hub.url, 'bob'), await RawClient.old(hub.url, 'carol')];
    const fuzzer = await RawClient.connect(hub.url);
    await fuzzer.login(FUZZER, login);
    const frames = fc.sample(fc.oneof(nearlyRight, spoilt, fc.string({ unit: 'binary' }).map((text) => Buffer.from(text).toString())), 1_000);
    for (const [n, frame] of frames.entries()) fuzzer.socket.send(n % 7 === 0 ? Buffer.from(frame, 'utf16le') : frame, { binary: n % 7 === 0 });
    fuzzer.send({ to_client_id: FUZZER, content: 'the end' });
    for (;;) {
      const text = await fuzzer.nextText();
      const frame = readFrame(text);
      if (frame?.content === 'the end') break;
      if (frame?.from_client_id === 'server') expect(['error', 'response', 'list_clients_response']).toContain(frame.msg_type);
    }
    expect(fuzzer.socket.readyState).toBe(fuzzer.socket.OPEN);
    // old receivers saw nothing that would make them drop a message
    for (const text of bob.unread) expect(unknownKeys(text)).toEqual([]);
    const sent = carol.send({ to_client_id: 'bob', content: 'unharmed' });
    for (let text = ''; text !== sent; ) text = await bob.nextText();
    expect(hub.service.getOnlineClients()).toEqual(['bob', 'carol', FUZZER]);
  });

  test('of bytes that are no WebSocket frames ends those sockets and nothing else', async () => {
    const hub = await openHub({ closeTimeoutMs: 50 });
    const bob = await RawClient.announced(hub.url, 'bob');
    for (const bytes of fc.sample(fc.uint8Array({ minLength: 20, maxLength: 200 }), 40)) {
      const socket = await RawSocket.upgrade(hub.port);
      // unmasked, reserved bits, unknown opcodes, oversized control frames: whatever chance brings
      socket.write(Buffer.concat([Buffer.from([0xff, 0x00]), Buffer.from(bytes)]));
      await socket.ended(2_000);
    }
    const masked = await RawSocket.upgrade(hub.port);
    masked.write(clientFrame(1, Buffer.from(JSON.stringify(wireFrame({ from_client_id: 'late', msg_type: 'login', content: {} })))));
    expect((await masked.frame()).opcode).toBe(1);
    await untilConnections(hub, 2);
    await bob.expectNothingElse();
  });
});

function readFrame(text: string): WireFrame | undefined {
  try {
    return JSON.parse(text) as WireFrame;
  } catch {
    // forwarded to the sender itself with a bare NaN in it
    return undefined;
  }
}

function unknownKeys(text: string): string[] {
  const known = new Set(['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key']);
  return Object.keys(readFrame(text) ?? {}).filter((key) => !known.has(key));
}
