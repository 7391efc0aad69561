import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { WebSocket, WebSocketServer } from 'ws';
import { hasMoreRead, setReceiveLimit } from '../../src/gateway/web-socket-inside.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub, untilConnections } from '../support/open-hub.js';
import { projectPath } from '../support/project-path.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket, clientFrame, clientFrameHeader } from '../support/raw-socket.js';
import { announcing, wireFrame } from '../support/wire.js';

describe('Before login', () => {
  test('only a login is accepted: everything else is neither forwarded nor answered', async () => {
    const { url } = await openHub();
    const bob = await RawClient.old(url, 'bob');
    const stranger = await RawClient.connect(url);
    stranger.id = 'anon';
    for (const msg_type of ['text', 'heartbeat', 'logout', 'list_clients', 'request', 'login_response', 'nonsense'])
      stranger.send({ msg_type, to_client_id: 'bob' });
    stranger.send('{nope');
    // its login is answered next: nothing was said before, and nothing was held against it
    expect((await stranger.login('anon')).msg_type).toBe('login_response');
    await bob.expectNothingElse();
  });

  test('frames right behind the login are handled in order, before its answer is read', async () => {
    const { url } = await openHub();
    const bob = await RawClient.old(url, 'bob');
    const alice = await RawClient.connect(url);
    alice.id = 'alice';
    alice.socket.send(JSON.stringify(wireFrame({ from_client_id: 'alice', msg_type: 'login', content: {} })));
    alice.send({ msg_type: 'heartbeat', content: {} });
    const sent = ['1', '2', '3'].map((content) => alice.send({ to_client_id: 'bob', content }));
    for (const text of sent) expect(await bob.nextText()).toBe(text);
    expect((await alice.next()).msg_type).toBe('login_response');
  });

  test('a large message in the same TCP segment as the login is under the limit of logged-in clients', async () => {
    const { port, url } = await openHub();
    const bob = await RawClient.old(url, 'bob');
    const socket = await RawSocket.upgrade(port);
    const login = JSON.stringify(wireFrame({ from_client_id: 'alice', msg_type: 'login', content: {} }));
    const message = JSON.stringify(wireFrame({ from_client_id: 'alice', to_client_id: 'bob', content: 'x'.repeat(500_000) }));
    socket.write(Buffer.concat([clientFrame(1, Buffer.from(login)), clientFrame(1, Buffer.from(message))]));
    expect(await bob.nextText()).toBe(message);
  });

  test('who does not log in within loginTimeoutMs is closed with 4001', async () => {
    const { url } = await openHub({ loginTimeoutMs: 150 });
    const startMs = performance.now();
    const silent = await RawClient.connect(url);
    expect((await silent.closed()).code).toBe(4001);
    expect(performance.now() - startMs).toBeLessThan(150 + 1_000);
  });

  test('frames that are no login do not extend the time', async () => {
    const { url } = await openHub({ loginTimeoutMs: 200 });
    const chatty = await RawClient.connect(url);
    chatty.id = 'chatty';
    const timer = setInterval(() => chatty.send({ msg_type: 'heartbeat' }), 50);
    onCleanUp(() => clearInterval(timer));
    expect((await chatty.closed(2_000)).code).toBe(4001);
  });

  test('a frame of more than 4,096 bytes is closed with 1009', async () => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    client.send(wireFrame({ from_client_id: 'alice', msg_type: 'login', content: { pad: 'x'.repeat(4_096) } }));
    expect((await client.closed()).code).toBe(1009);
  });

  test('small frames of more than 4,096 bytes together are closed with 1009', async () => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    for (let i = 0; i < 9; i++) client.send('x'.repeat(500));
    expect((await client.closed()).code).toBe(1009);
  });

  test('a login of exactly 4,096 bytes is accepted', async () => {
    const { url } = await openHub();
    const client = await RawClient.connect(url);
    const frame = wireFrame({ from_client_id: 'alice', msg_type: 'login', content: { pad: '' } });
    const pad = 'x'.repeat(4_096 - Buffer.byteLength(JSON.stringify(frame)));
    expect(Buffer.byteLength(client.send({ ...frame, content: { pad } }))).toBe(4_096);
    expect((await client.next()).msg_type).toBe('login_response');
  });

  test('a frame that declares a megabyte is cut at its head, before its bytes are taken', async () => {
    const hub = await openHub();
    const stranger = await RawSocket.upgrade(hub.port);
    stranger.write(clientFrameHeader(1, 1_000_000));
    // the payload never starts: the declared length alone ends it
    expect(await stranger.closeCode()).toBe(1009);
    await stranger.ended(2_000);
    await untilConnections(hub, 0);
  });

  test('a stranger who goes on sending after that is cut within closeTimeoutMs', async () => {
    const hub = await openHub({ closeTimeoutMs: 100 });
    const stranger = await RawSocket.upgrade(hub.port);
    stranger.write(clientFrameHeader(1, 1_000_000_000));
    const timer = setInterval(() => stranger.write(Buffer.alloc(65_536)), 2);
    onCleanUp(() => clearInterval(timer));
    expect(await stranger.closeCode()).toBe(1009);
    expect(await stranger.ended(2_000)).toBeLessThan(1_000);
    await untilConnections(hub, 0);
  });

  test('the limit before login holds for fragments together', async () => {
    const { port } = await openHub();
    const stranger = await RawSocket.upgrade(port);
    stranger.write(clientFrame(1, Buffer.alloc(3_000, 0x20), false));
    stranger.write(clientFrame(0, Buffer.alloc(3_000, 0x20), false));
    expect(await stranger.closeCode()).toBe(1009);
  });

  test('an announced client that logged out is told why it is not heard', async () => {
    const { url } = await openHub();
    const client = await RawClient.announced(url, 'alice');
    client.send({ msg_type: 'logout', content: {} });
    const sent = JSON.parse(client.send({ to_client_id: 'bob' })) as { msg_id: string };
    const { msg_type, content } = await client.next();
    expect(msg_type).toBe('error');
    expect(content).toMatchObject({ reply_to: sent.msg_id, code: 'CC_NOT_LOGGED_IN' });
    expect((await client.login('alice', announcing())).msg_type).toBe('login_response');
  });
});

describe('The receive limit of one socket', () => {
  test('can be set with the installed version of ws', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onCleanUp(() => server.close());
    await once(server, 'listening');
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve));
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    await once(client, 'open');
    onCleanUp(() => client.terminate());
    expect(setReceiveLimit(await accepted, 4_096)).toBe(true);
    expect(hasMoreRead(await accepted)).toBe(false);
  });

  test('ws tells whether another message was read together with one', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    onCleanUp(() => server.close());
    const told: (boolean | undefined)[] = [];
    const both = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        socket.on('message', () => {
          told.push(hasMoreRead(socket));
          if (told.length === 2) resolve();
        });
      });
    });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const client = await RawSocket.upgrade(port);
    client.write(Buffer.concat([clientFrame(1, Buffer.from('one')), clientFrame(1, Buffer.from('two'))]));
    await both;
    expect(told).toEqual([true, false]);
  });

  test('is not set, and said so, where ws has no such field', () => {
    expect(setReceiveLimit({} as WebSocket, 4_096)).toBe(false);
    expect(hasMoreRead({} as WebSocket)).toBeUndefined();
  });

  test('ws is at least 8.23, whose parts have no known hole', () => {
    const { version } = JSON.parse(readFileSync(projectPath('node_modules', 'ws', 'package.json'), 'utf8')) as { version: string };
    const [major, minor] = version.split('.').map(Number);
    expect((major ?? 0) * 1_000 + (minor ?? 0)).toBeGreaterThanOrEqual(8_023);
  });
});
