import { describe, expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { CloseCode } from '../../src/protocol/index.js';
import type { ClientStatus } from '../../src/sdk/index.node.js';
import { onCleanUp } from '../support/clean-up.js';
import { PythonServer } from './support/python-server.js';
import { codeOf, contents, inboxOf, newClient, online, openHub, until, untilState } from './support/clients.js';

describe('the connection', () => {
  test('speaks protocol 2 with the hub and takes its heartbeat interval when that is shorter', async () => {
    const hub = await openHub({ heartbeatInterval: 0.05, heartbeatTimeout: 0.3 });
    const alice = await online({ url: hub.url, clientId: 'alice' });
    expect(alice.protocolVersion).toBe(2);
    expect(alice.session).toMatch(/^[0-9a-f-]{36}$/);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(alice.status.state).toBe('online');
    expect((await alice.listClients({ onlyShowOnline: true })).clients.map((client) => client.clientId)).toEqual(['alice']);
  });

  test('logs in once when asked twice, and again after a logout', async () => {
    const hub = await openHub();
    const alice = newClient({ url: hub.url, clientId: 'alice' });
    const states: string[] = [];
    alice.onStatus((status) => states.push(status.state));
    await Promise.all([alice.login(), alice.login()]);
    await alice.login();
    await alice.logout();
    await alice.login();
    expect(states).toEqual(['connecting', 'online', 'closed', 'connecting', 'online']);
  });

  test('fails a login nobody answers at the address, and goes on trying when told so', async () => {
    const python = await PythonServer.start();
    const { port } = python;
    await python.stop();
    const alice = newClient({ ip: '127.0.0.1', port, clientId: 'alice' });
    expect(await codeOf(alice.login())).toBe('CC_CONNECT_FAILED');
    expect(alice.status).toMatchObject({ state: 'closed', reason: { code: 'CC_CONNECT_FAILED' } });
    const patient = alice.login({ keepTrying: true });
    await untilState(alice, 'reconnecting');
    const server = await PythonServer.start(port);
    await patient;
    expect(server.isOnline('alice')).toBe(true);
  });

  test('fails a login whose socket does not open, within connectTimeoutMs or the time and signal of the call', async () => {
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    onCleanUp(() => new Promise((resolve) => mute.close(resolve)));
    const { port } = mute.address() as AddressInfo;
    mute.on('connection', (socket) => onCleanUp(() => socket.destroy()));
    const alice = newClient({ ip: '127.0.0.1', port, connectTimeoutMs: 30 });
    expect(await codeOf(alice.login())).toBe('CC_CONNECT_FAILED');
    const bob = newClient({ ip: '127.0.0.1', port });
    expect(await codeOf(bob.login({ timeoutMs: 20 }))).toBe('CC_TIMEOUT');
    const abort = new AbortController();
    const aborted = codeOf(bob.login({ signal: abort.signal }));
    await untilState(bob, 'connecting');
    abort.abort();
    expect(await aborted).toBe('CC_ABORTED');
    expect(await codeOf(bob.login({ signal: abort.signal }))).toBe('CC_ABORTED');
    expect(bob.status.state).toBe('closed');
  });

  test('ends the login with the reason when the hub refuses it, and does not try again', async () => {
    const hub = await openHub({ duplicateLogin: 'reject' });
    await online({ url: hub.url, clientId: 'alice' });
    const second = newClient({ url: hub.url, clientId: 'alice' });
    expect(await codeOf(second.login())).toBe('CC_ALREADY_ONLINE');
    expect(second.status).toMatchObject({ state: 'closed', reason: { code: 'CC_ALREADY_ONLINE' } });
  });

  test('stops when a newer login takes the id over', async () => {
    const hub = await openHub();
    const first = await online({ url: hub.url, clientId: 'alice' });
    const second = await online({ url: hub.url, clientId: 'alice' });
    await untilState(first, 'closed');
    expect(first.status).toMatchObject({ reason: { code: 'CC_REPLACED' } });
    expect(await codeOf(first.sendMessage('x', 'text'))).toBe('CC_REPLACED');
    expect(second.status.state).toBe('online');
  });

  test.each([
    [CloseCode.DISCONNECTED, 'closed', 'CC_DISCONNECTED'],
    [CloseCode.LOGIN_REFUSED, 'closed', 'CC_LOGIN_REFUSED'],
    [CloseCode.RESTART, 'reconnecting', 'CC_SHUTTING_DOWN'],
    [CloseCode.HEARTBEAT_TIMEOUT, 'reconnecting', 'CC_HEARTBEAT_TIMEOUT'],
    [1001, 'reconnecting', 'CC_NOT_CONNECTED'],
  ])('takes a close with %i as %s, %s', async (code, state, reason) => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const statuses: ClientStatus[] = [];
    alice.onStatus((status) => statuses.push(status));
    for (const socket of server.sockets) socket.close(code);
    await until(() => statuses.length > 0, 'a status');
    expect(statuses[0]).toMatchObject({ state, reason: { code: reason } });
  });

  test('notices a hub that stops answering and connects anew', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice', pingIntervalMs: 20, heartbeatTimeoutMs: 60 });
    const statuses: ClientStatus[] = [];
    alice.onStatus((status) => statuses.push(status));
    for (const socket of server.sockets) socket.pause();
    await until(() => statuses.some((status) => status.state === 'online'), 'a new connection');
    expect(statuses[0]).toMatchObject({ state: 'reconnecting', attempt: 1, reason: { code: 'CC_HEARTBEAT_TIMEOUT' } });
  });

  test('stays with a quiet hub that answers probes, with pings and without', async () => {
    const hub = await openHub();
    const python = await PythonServer.start();
    const { WebSocket } = await import('ws');
    const settings = { pingIntervalMs: 10, heartbeatTimeoutMs: 30, heartbeatIntervalMs: 60_000 };
    const webSocket = (url: string): never => new WebSocket(url) as never;
    const clients = await Promise.all([
      online({ url: hub.url, clientId: 'pings', ...settings }),
      online({ url: hub.url, clientId: 'requests', webSocket, ...settings }),
      online({ url: python.url, clientId: 'echoes', webSocket, ...settings }),
    ]);
    const heard = clients.map(inboxOf);
    const problems: unknown[] = [];
    for (const client of clients) client.onError((error) => problems.push(error));
    for (const client of clients) client.onStatus((status) => problems.push(status));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([problems, heard.flat()]).toEqual([[], []]);
    expect(python.of('text').every((frame) => frame.to_client_id === 'echoes')).toBe(true);
  });

  test('asks the url function before each attempt and gives up after maxAttempts', async () => {
    const server = await PythonServer.start();
    let asked = 0;
    const url = async (): Promise<string> => {
      asked++;
      return server.url;
    };
    const alice = await online({ url, clientId: 'alice', reconnect: { minDelayMs: 1, maxDelayMs: 2, maxAttempts: 3 } });
    await server.stop();
    await untilState(alice, 'closed');
    expect(asked).toBe(4);
    expect(alice.status).toMatchObject({ reason: { code: 'CC_CONNECT_FAILED' } });
  });

  test('does not connect again when reconnect is off', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice', reconnect: false });
    await server.stop();
    await untilState(alice, 'closed');
    expect(alice.status).toMatchObject({ reason: { code: 'CC_NOT_CONNECTED' } });
  });

  test('ends a logout although the server answers no close', async () => {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await new Promise((resolve) => wss.once('listening', resolve));
    onCleanUp(() => new Promise((resolve) => wss.close(resolve)));
    wss.on('connection', (socket) => onCleanUp(() => socket.terminate()));
    const alice = await online({ ip: '127.0.0.1', port: (wss.address() as AddressInfo).port, loginTimeoutMs: 10 });
    for (const socket of wss.clients) socket.pause();
    const beginMs = performance.now();
    await alice.logout();
    expect(performance.now() - beginMs).toBeLessThan(2_000);
    expect(alice.status).toEqual({ state: 'closed', reason: undefined });
  });

  test('leaves at once when it logs out while it reconnects', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice', reconnect: { minDelayMs: 60_000 }, random: () => 0.9 });
    await server.stop();
    await untilState(alice, 'reconnecting');
    expect(alice.status).toMatchObject({ attempt: 1, nextDelayMs: 18_000 });
    const waiting = codeOf(alice.sendMessage('x', 'text'));
    await alice.logout();
    expect([await waiting, alice.status]).toEqual(['CC_CLOSED', { state: 'closed', reason: undefined }]);
    expect(await codeOf(alice.sendMessage('x', 'text'))).toBe('CC_CLOSED');
  });

  test('survives status handlers that throw, and tells them apart', async () => {
    const hub = await openHub();
    const alice = newClient({ url: hub.url, clientId: 'alice' });
    const kinds: string[] = [];
    alice.onError((_, problem) => kinds.push(problem.kind));
    const stop = alice.onStatus(() => {
      throw new Error('handler');
    });
    await alice.login();
    stop();
    await alice.logout();
    expect(kinds).toEqual(['status', 'status']);
  });

  test.each([
    [{ port: 0 }, 'CC_INVALID_OPTION'],
    [{ queueMaxMessages: 0 }, 'CC_INVALID_OPTION'],
    [{ heartbeatIntervalMs: Number.POSITIVE_INFINITY }, 'CC_INVALID_OPTION'],
    [{ maxMessageBytes: 1_000 }, 'CC_INVALID_OPTION'],
    [{ reconnect: { minDelayMs: Number.NaN } }, 'CC_INVALID_OPTION'],
    [{ reconnect: { maxDelayMs: -1 } }, 'CC_INVALID_OPTION'],
    [{ clientId: 'all' }, 'CC_INVALID_CLIENT_ID'],
    [{ clientId: '' }, 'CC_INVALID_CLIENT_ID'],
  ])('refuses the options %j', (options, code) => {
    expect(() => newClient(options)).toThrow(expect.objectContaining({ code }));
  });

  test('ends a login to what is no WebSocket address', async () => {
    const alice = newClient({ url: 'nonsense' });
    expect(await codeOf(alice.login({ keepTrying: true }))).toBe('CC_INVALID_OPTION');
  });

  test('makes itself an id of the MAC address and eight random digits', () => {
    const ids = [newClient({}).clientId, newClient({}).clientId];
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{12}_[0-9a-f]{8}$/);
    expect(ids[0]).not.toBe(ids[1]);
    expect(ids[0]?.slice(0, 12)).toBe(ids[1]?.slice(0, 12));
  });
});

describe('while the hub is away', () => {
  test('messages wait and arrive in order at the same port', async () => {
    const hub = await openHub();
    const { port } = hub;
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const inbox = inboxOf(bob);
    await hub.close();
    await untilState(alice, 'reconnecting');
    await untilState(bob, 'reconnecting');
    const python = await PythonServer.start(port);
    await untilState(bob, 'online');
    await untilState(alice, 'online');
    await python.stop();
    await untilState(alice, 'reconnecting');
    const waiting = Array.from({ length: 200 }, (_, index) => alice.sendMessage(`m${index}`, 'text', 'bob'));
    expect(alice.bufferedBytes).toBeGreaterThan(200 * 100);
    // bob has to be there first: nobody keeps mail for him
    const bobFirst = PythonServer.start(port);
    const again = await bobFirst;
    await Promise.all(waiting);
    await until(() => again.of('text').length === 200, 'all messages');
    expect(again.of('text').map((frame) => frame.content)).toEqual(Array.from({ length: 200 }, (_, index) => `m${index}`));
    expect(contents(inbox).every((content) => String(content).startsWith('m'))).toBe(true);
    expect(alice.bufferedBytes).toBe(0);
  });

  test('the queue is bounded, and its messages can be aborted or time out without disturbing the others', async () => {
    const server = await PythonServer.start();
    const { port } = server;
    const alice = await online({ url: server.url, clientId: 'alice', queueMaxMessages: 4 });
    await server.stop();
    await untilState(alice, 'reconnecting');
    const abort = new AbortController();
    const sends = [
      alice.sendMessage('1', 'text'),
      alice.sendMessage('2', 'text', 'all', { signal: abort.signal }),
      alice.sendMessage('3', 'text', 'all', { timeoutMs: 10 }),
      alice.sendMessage('4', 'text'),
      alice.sendMessage('5', 'text'),
    ];
    const codes = Promise.all(sends.map(codeOf));
    abort.abort();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const again = await PythonServer.start(port);
    expect(await codes).toEqual(['resolved', 'CC_ABORTED', 'CC_TIMEOUT', 'resolved', 'CC_QUEUE_FULL']);
    await until(() => again.of('text').length === 2, 'the rest');
    expect(again.of('text').map((frame) => frame.content)).toEqual(['1', '4']);
  });

  test('a message the new server would not take fails alone', async () => {
    const hub = await openHub({ maxMessageBytes: 2_000_000 });
    const { port } = hub;
    const alice = await online({ url: hub.url, clientId: 'alice' });
    await hub.close();
    await untilState(alice, 'reconnecting');
    const codes = Promise.all([codeOf(alice.sendMessage('x'.repeat(1_500_000), 'text')), codeOf(alice.sendMessage('small', 'text'))]);
    const python = await PythonServer.start(port);
    expect(await codes).toEqual(['CC_TOO_LARGE', 'resolved']);
    await until(() => python.of('text').length === 1, 'the small one');
  });

  test('a list or a message before login is refused, and a list whose connection is lost fails', async () => {
    const server = await PythonServer.start();
    const alice = newClient({ url: server.url, clientId: 'alice' });
    expect(await codeOf(alice.listClients())).toBe('CC_NOT_CONNECTED');
    expect(await codeOf(alice.sendMessage('x', 'text'))).toBe('CC_NOT_CONNECTED');
    await alice.login();
    for (const socket of server.sockets) socket.pause();
    const lost = codeOf(alice.listClients());
    const waiting = codeOf(alice.listClients());
    for (const socket of server.sockets) socket.terminate();
    expect([await lost, await waiting]).toEqual(['CC_NOT_CONNECTED', 'CC_NOT_CONNECTED']);
  });
});
