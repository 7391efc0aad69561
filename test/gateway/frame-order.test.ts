import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import * as ws from 'ws';
import { WebSocketConnection } from '../../src/gateway/web-socket.connection.js';
import { MessageListener } from '../../src/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, pause, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket, clientFrame } from '../support/raw-socket.js';
import { wireFrame, type WireFrame } from '../support/wire.js';

/** `ws` exports its parser; its types do not say so. */
const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean; maxPayload: number }) => Writable };

const [TEXT, CLOSE, PING] = [1, 8, 9];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** All frames that a hub wrote, read strictly: a bit out of place in between is an error. */
async function framesOf(chunks: readonly Buffer[]): Promise<[kind: string, value: string | number][]> {
  const receiver = new Receiver({ isServer: false, maxPayload: 0 });
  const frames: [string, string | number][] = [];
  receiver.on('message', (data: Buffer) => frames.push(['text', data.toString('utf8')]));
  receiver.on('pong', (data: Buffer) => frames.push(['pong', data.toString('utf8')]));
  receiver.on('conclude', (code: number) => frames.push(['close', code]));
  const failed = new Promise<never>((_, reject) => receiver.on('error', reject));
  await Promise.race([new Promise<void>((resolve) => receiver.write(Buffer.concat(chunks), () => resolve())), failed]);
  return frames;
}

/** A client that writes bytes of its own choice and keeps all that comes back after its login. */
async function byteClient(hub: TestHub, id: string): Promise<{ socket: RawSocket; received: Buffer[] }> {
  const socket = await RawSocket.upgrade(hub.port);
  socket.sendText(JSON.stringify(wireFrame({ from_client_id: id, msg_type: 'login', content: {} })));
  expect((await socket.frame()).opcode).toBe(TEXT);
  const received: Buffer[] = [];
  socket.socket.on('data', (chunk: Buffer) => received.push(chunk));
  return { socket, received };
}

const toSelf = (id: string, content: unknown): Buffer => clientFrame(TEXT, Buffer.from(JSON.stringify(wireFrame({ from_client_id: id, to_client_id: id, content }))));
const contents = (frames: readonly (readonly [string, string | number])[]): unknown[] =>
  frames.filter(([kind]) => kind === 'text').map(([, text]) => (JSON.parse(text as string) as WireFrame).content);

/** Looks when its listener is called. */
@Injectable()
class Watching {
  readonly seen: object[] = [];
  look = (): { readonly bytesWritten: number; readonly held: number } => ({ bytesWritten: 0, held: 0 });

  @MessageListener()
  onMessage(): void {
    this.seen.push(this.look());
  }
}

describe('Frames of `ws` between ours', () => {
  test('leave all of them whole: pongs while messages of the same turn are held back', async () => {
    const hub = await openHub();
    const { socket, received } = await byteClient(hub, 'echo');
    const sizes = [0, 1, 60, 200, 3_000, 40_000, 70_000];
    const bodies = numbers(70).map((n) => `${n} ${'x'.repeat(sizes[n % sizes.length] as number)}`);
    // in one write, so that many frames are one turn
    socket.write(Buffer.concat(bodies.flatMap((body, n) => [toSelf('echo', body), clientFrame(PING, Buffer.from(`ping ${n}`))])));
    await until(() => received.some((chunk) => chunk.includes('ping 69')), 'the last pong');
    socket.write(toSelf('echo', 'end'));
    await until(() => Buffer.concat(received).includes('"end"'), 'the last message');
    const frames = await framesOf(received);
    expect(contents(frames)).toEqual([...bodies, 'end']);
    expect(frames.filter(([kind]) => kind === 'pong').map(([, text]) => text)).toEqual(numbers(70).map((n) => `ping ${n}`));
    expect(frames).toHaveLength(141);
  });

  test.each([
    ['its own close', clientFrame(CLOSE, Buffer.from([0x0f, 0xa5])), 4005],
    ['its own close without a code', clientFrame(CLOSE, Buffer.alloc(0)), 1005],
    ['a frame against the protocol', Buffer.from([0xf1, 0x80, 0, 0, 0, 0]), 1002],
    ['invalid UTF-8', clientFrame(TEXT, Buffer.from([0xff])), 1007],
  ])('come after what was held back for a client that ends by %s', async (_what, ending, code) => {
    const hub = await openHub();
    const { socket, received } = await byteClient(hub, 'echo');
    socket.write(Buffer.concat([...numbers(40).map((n) => toSelf('echo', n)), ending]));
    await socket.ended(2_000);
    const frames = await framesOf(received);
    expect(contents(frames)).toEqual(numbers(40));
    expect(frames.at(-1)).toEqual(['close', code]);
    expect(frames).toHaveLength(41);
  });

  test('pass between the large messages of a stream, in both directions', async () => {
    const hub = await openHub({ maxBufferedBytes: 64 * 1024 * 1024 });
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const pongs: string[] = [];
    for (const client of [alice, bob]) client.socket.on('pong', (data) => pongs.push(`${client.id} ${data.toString()}`));
    const sent: string[] = [];
    for (const n of numbers(30)) {
      sent.push(alice.send({ to_client_id: 'bob', content: `${n} ${'x'.repeat(n % 3 === 0 ? 10 : 700_000)}` }));
      alice.socket.ping(String(n));
      bob.socket.ping(String(n));
      if (n % 5 === 0) await new Promise(setImmediate);
    }
    for (const [n, text] of sent.entries()) expect([n, (await bob.nextText()) === text]).toEqual([n, true]);
    await until(() => pongs.length === 60, 'all pongs');
    for (const id of ['alice', 'bob']) expect(pongs.filter((pong) => pong.startsWith(id))).toEqual(numbers(30).map((n) => `${id} ${n}`));
    for (const client of [alice, bob]) await client.expectNothingElse();
  });

  test('pass between the fragments of a message that a client sends', async () => {
    const hub = await openHub();
    const { socket, received } = await byteClient(hub, 'echo');
    const whole = Buffer.from(JSON.stringify(wireFrame({ from_client_id: 'echo', to_client_id: 'echo', content: 'x'.repeat(90_000) })));
    const parts = [clientFrame(TEXT, whole.subarray(0, 50), false), clientFrame(0, whole.subarray(50, 40_000), false), clientFrame(0, whole.subarray(40_000))];
    socket.write(Buffer.concat([toSelf('echo', 'before'), ...parts.flatMap((part) => [clientFrame(PING, Buffer.from('?')), part]), toSelf('echo', 'after')]));
    await until(() => Buffer.concat(received).includes('"after"'), 'the last message');
    const frames = await framesOf(received);
    expect(contents(frames)).toEqual(['before', 'x'.repeat(90_000), 'after']);
    expect(frames.filter(([kind]) => kind === 'pong')).toHaveLength(3);
  });
});

describe('A close frame', () => {
  test.each([
    ['a lone message', 1, 10, false],
    ['a burst', 60, 10, false],
    ['large messages', 8, 300_000, false],
    ['a burst, compressed', 60, 10, true],
    ['large messages, compressed', 8, 300_000, true],
  ])('never overtakes %s that the hub sent before', async (_what, count, bytes, compression) => {
    const hub = await openHub({ compression, closeTimeoutMs: 4_000 });
    const client = await RawClient.connect(hub.url, { perMessageDeflate: compression });
    await client.login('alice');
    const bodies = numbers(count).map((n) => `${n} ${'x'.repeat(bytes)}`);
    const sending = bodies.map((body) => hub.service.sendMessage(body, 'text', 'alice'));
    hub.service.disconnectClient('alice');
    await Promise.all(sending);
    expect((await client.closed()).code).toBe(4000);
    expect(client.unread.map((text) => (JSON.parse(text) as WireFrame).content)).toEqual(bodies);
  });
});

describe('A message that comes alone', () => {
  test('is with the operating system before the hub turns to anything else, its listeners included', async () => {
    const hub = await openHub({ providers: [Watching] });
    const watching = hub.app.get(Watching);
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const connection = hub.registry.find('bob')?.connection as WebSocketConnection;
    expect(connection).toBeInstanceOf(WebSocketConnection);
    watching.look = () => ({ bytesWritten: (connection.socket as Socket).bytesWritten, held: connection.bufferedBytes });
    await pause(20);
    const before = watching.look();
    const sent = alice.send({ to_client_id: 'bob', content: 'now' });
    expect(await bob.nextText()).toBe(sent);
    expect(watching.seen).toEqual([{ bytesWritten: before.bytesWritten + 4 + sent.length, held: 0 }]);
  });

  test('waits for no timer: 200 exchanges one after the other', async () => {
    const hub = await openHub();
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const took: number[] = [];
    for (const n of numbers(200)) {
      const startMs = performance.now();
      alice.send({ to_client_id: 'bob', content: n });
      expect((await bob.next()).content).toBe(n);
      bob.send({ to_client_id: 'alice', content: n });
      expect((await alice.next()).content).toBe(n);
      took.push(performance.now() - startMs);
    }
    took.sort((a, b) => a - b);
    // two ways each; the median, because the machine that tests may pause
    expect(took[100]).toBeLessThan(5);
  });
});
