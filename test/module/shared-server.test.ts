import { afterEach, describe, expect, test } from '@jest/globals';
import { Controller, Get, Injectable, Module, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { createRequire } from 'node:module';
import { connect, type AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { WebSocket, WebSocketServer } from 'ws';
import { CrossCommGateway, CrossCommModule, CrossCommService, MessageListener, type CrossCommOptions, type Message } from '../../src/index.js';
import { RawClient, refusedUpgrade } from './raw-client.js';
import { waitUntil } from './wait-until.js';

const OPTIONS: CrossCommOptions = { persistPresence: false, storage: { driver: 'none' }, shutdownTimeoutMs: 500 };

@Controller()
class RestController {
  constructor(private readonly service: CrossCommService) {}

  @Get('online')
  online(): string[] {
    return this.service.getOnlineClients();
  }
}

@WebSocketGateway({ path: '/events' })
class EventsGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): { event: string; data: unknown } {
    return { event: 'echo', data };
  }
}

/** The application's own gateway at the path that a shared hub has by default. */
@WebSocketGateway({ path: '/' })
class RootGateway extends EventsGateway {}

@Injectable()
class Heard {
  readonly contents: unknown[] = [];

  @MessageListener()
  onMessage(message: Message): void {
    this.contents.push(message.content);
  }
}

/** Sends to a Nest gateway and awaits its answer. */
async function echoAt(url: string): Promise<unknown> {
  const webSocket = new WebSocket(url);
  await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject));
  webSocket.send(JSON.stringify({ event: 'echo', data: 'ping' }));
  const answer = await new Promise<Buffer>((resolve) => webSocket.once('message', resolve));
  webSocket.terminate();
  return JSON.parse(answer.toString());
}

describe('On the HTTP server of an application, the hub', () => {
  const apps: INestApplication[] = [];
  const clients: RawClient[] = [];

  async function start(metadata: ModuleMetadata, prepare: (app: INestApplication) => void = () => undefined): Promise<{ app: INestApplication; address: string }> {
    @Module(metadata)
    class AppModule {}
    const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
    apps.push(app);
    prepare(app);
    await app.listen(0, '127.0.0.1');
    return { app, address: `127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}` };
  }

  async function login(url: string, clientId: string): Promise<RawClient> {
    const client = await RawClient.login(url, clientId);
    clients.push(client);
    return client;
  }

  async function expectRelay(url: string): Promise<void> {
    const [alice, bob] = [await login(url, 'alice'), await login(url, 'bob')];
    alice.send({ toClientId: 'bob', content: 'through the hub' });
    expect((await bob.next(({ msgType }) => msgType === 'text')).content).toBe('through the hub');
    expect(bob.webSocket.readyState).toBe(WebSocket.OPEN);
  }

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await Promise.all(apps.splice(0).map((app) => app.close()));
  });

  test('answers at "/", beside REST controllers', async () => {
    const { address } = await start({ imports: [CrossCommModule.forRoot(OPTIONS)], controllers: [RestController] });
    await expectRelay(`ws://${address}`);
    const response = await fetch(`http://${address}/online`);
    expect(await response.json()).toEqual(['alice', 'bob']);
    expect((await fetch(`http://${address}/`)).status).toBe(404);
  });

  test('knows the address it is reached at', async () => {
    const { app, address } = await start({ imports: [CrossCommModule.forRoot(OPTIONS)] });
    expect(app.get(CrossCommGateway).address).toEqual({ host: '127.0.0.1', port: Number(address.split(':')[1]), isTls: false });
  });

  test('answers at its path only, with or without a query, and refuses others with 404', async () => {
    const { address } = await start({ imports: [CrossCommModule.forRoot({ ...OPTIONS, path: '/hub' })] });
    await expectRelay(`ws://${address}/hub?token=1`);
    expect(await refusedUpgrade(`ws://${address}/`)).toBe(404);
    expect(await refusedUpgrade(`ws://${address}/hub/more`)).toBe(404);
  });

  test('leaves the server to itself on a port of its own', async () => {
    const { app, address } = await start({ imports: [CrossCommModule.forRoot({ ...OPTIONS, port: 0, host: '127.0.0.1' })], controllers: [RestController] });
    const port = app.get(CrossCommGateway).address?.port;
    expect(address).not.toContain(`:${port}`);
    await expectRelay(`ws://127.0.0.1:${port}/any/path`);
    expect(await (await fetch(`http://${address}/online`)).json()).toEqual(['alice', 'bob']);
    expect((await fetch(`http://127.0.0.1:${port}/online`)).status).toBe(426);
    expect(app.getHttpServer().listenerCount('upgrade')).toBe(0);
  });

  test.each<['before' | 'after']>([['before'], ['after']])('leaves upgrades of another handler alone, added %s it', async (when) => {
    const others = new WebSocketServer({ noServer: true });
    others.on('connection', (webSocket) => webSocket.send('other'));
    const add = (app: INestApplication): void => {
      app.getHttpServer().on('upgrade', (request: { url: string }, socket: never, head: never) => {
        if (request.url === '/other') others.handleUpgrade(request as never, socket, head, (webSocket) => others.emit('connection', webSocket, request));
      });
    };
    const { app, address } = await start({ imports: [CrossCommModule.forRoot(OPTIONS)] }, when === 'before' ? add : undefined);
    if (when === 'after') add(app);
    const webSocket = new WebSocket(`ws://${address}/other`);
    const text = await new Promise<Buffer>((resolve, reject) => webSocket.once('message', resolve).once('error', reject));
    expect(text.toString()).toBe('other');
    webSocket.terminate();
    await expectRelay(`ws://${address}`);
  });

  test('works beside WsAdapter and a gateway of the application, in both directions', async () => {
    const { app, address } = await start({ imports: [CrossCommModule.forRoot(OPTIONS)], providers: [EventsGateway, Heard] }, (created) =>
      created.useWebSocketAdapter(new WsAdapter(created)),
    );
    expect(await echoAt(`ws://${address}/events`)).toEqual({ event: 'echo', data: 'ping' });
    await expectRelay(`ws://${address}`);
    expect(await echoAt(`ws://${address}/events`)).toEqual({ event: 'echo', data: 'ping' });
    await waitUntil(() => app.get(Heard).contents.length > 0);
    expect(app.get(Heard).contents).toEqual(['through the hub']);
    const [alice, bob] = clients as [RawClient, RawClient];
    bob.send({ toClientId: 'alice', content: 'still here' });
    expect((await alice.next(({ msgType }) => msgType === 'text')).content).toBe('still here');
    // what neither knows ends as WsAdapter ends it
    expect(await refusedUpgrade(`ws://${address}/unknown`)).toMatch(/ECONNRESET|socket hang up/);
  });

  test('with another path works beside a gateway of the application at "/"', async () => {
    const { address } = await start({ imports: [CrossCommModule.forRoot({ ...OPTIONS, path: '/hub' })], providers: [RootGateway] }, (created) =>
      created.useWebSocketAdapter(new WsAdapter(created)),
    );
    await expectRelay(`ws://${address}/hub`);
    expect(await echoAt(`ws://${address}/`)).toEqual({ event: 'echo', data: 'ping' });
  });

  test('shares a process with another hub, each with clients and listeners of its own', async () => {
    const first = await start({ imports: [CrossCommModule.forRoot(OPTIONS)], providers: [Heard] });
    const second = await start({ imports: [CrossCommModule.forRoot({ ...OPTIONS, path: '/second' })], providers: [Heard] });
    const alice = await login(`ws://${first.address}`, 'alice');
    const sameAlice = await login(`ws://${second.address}/second`, 'alice');
    alice.send({ content: 'one' });
    sameAlice.send({ content: 'two' });
    await waitUntil(() => first.app.get(Heard).contents.length + second.app.get(Heard).contents.length === 2);
    expect(first.app.get(Heard).contents).toEqual(['one']);
    expect(second.app.get(Heard).contents).toEqual(['two']);
    expect(alice.webSocket.readyState).toBe(WebSocket.OPEN);
  });

  test('shares one server with another hub, until both are gone', async () => {
    const { app, address } = await start({ imports: [CrossCommModule.forRoot(OPTIONS), CrossCommModule.forRoot({ ...OPTIONS, path: '/second' })] });
    await expectRelay(`ws://${address}`);
    const sameAlice = await login(`ws://${address}/second`, 'alice');
    expect(clients[0]?.webSocket.readyState).toBe(WebSocket.OPEN);
    expect(await refusedUpgrade(`ws://${address}/third`)).toBe(404);
    const [first, second] = app.get(CrossCommGateway, { each: true, strict: false }) as [CrossCommGateway, CrossCommGateway];
    await first.shutdown();
    expect((await clients[0]?.ended)?.code).toBe(1012);
    expect(await refusedUpgrade(`ws://${address}/`)).toBe(404);
    await sameAlice.settled();
    await second.shutdown();
    // without any upgrade listener Node answers such a request as a plain one
    expect(await refusedUpgrade(`ws://${address}/second`)).toBe(404);
  });

  test('does not stop plain requests that carry an unfinished upgrade', async () => {
    const { address } = await start({ imports: [CrossCommModule.forRoot(OPTIONS)], controllers: [RestController] });
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400/);
    socket.destroy();
    expect((await fetch(`http://${address}/online`)).status).toBe(200);
  });
});

describe('The ws package', () => {
  test('of the hub is 8.23 or newer, although @nestjs/platform-ws may bring an older one', () => {
    const require = createRequire(new URL('../../src/gateway/cross-comm.gateway.js', import.meta.url));
    const { version } = JSON.parse(readFileSync(require.resolve('ws/package.json'), 'utf8')) as { version: string };
    const [major, minor] = version.split('.').map(Number) as [number, number];
    expect(major * 1000 + minor).toBeGreaterThanOrEqual(8023);
  });
});
