import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsePythonJson, roleOf } from '../../src/protocol/index.js';
import { PythonServer, type Wire } from './support/python-server.js';
import { codeOf, contents, inboxOf, newClient, online, until } from './support/clients.js';

describe('towards the Python server the client', () => {
  test('logs in first, heartbeats at once and sends exactly the seven keys', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    await alice.sendMessage('hello', 'text', 'bob');
    await alice.logout();
    await until(() => server.received.length === 4, 'four frames');
    expect(server.received.map((frame) => frame.msg_type)).toEqual(['login', 'heartbeat', 'text', 'logout']);
    for (const frame of server.received)
      expect(Object.keys(frame)).toEqual(['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key']);
    expect(server.received.every((frame) => /^alice_\d{13}_[0-9a-f]{8}$/.test(frame.msg_id))).toBe(true);
    expect(server.received.every((frame) => Math.abs(frame.timestamp - Date.now() / 1000) < 5)).toBe(true);
    expect(server.dropped).toEqual([]);
    expect(server.isOnline('alice')).toBe(false);
  });

  test('speaks protocol 1 and has no session', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    expect(alice.status).toEqual({ state: 'online', protocolVersion: 1, session: '' });
    expect([alice.protocolVersion, alice.session]).toEqual([1, undefined]);
  });

  test('takes a server that does not answer the login for an old one', async () => {
    const server = await PythonServer.start();
    server.answersLogin = false;
    const alice = await online({ url: server.url, clientId: 'alice', loginTimeoutMs: 30 });
    expect(alice.protocolVersion).toBe(1);
    expect(server.isOnline('alice')).toBe(true);
  });

  test('exchanges every inline type, broadcast and direct, and does not hear itself', async () => {
    const server = await PythonServer.start();
    const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((clientId) => online({ url: server.url, clientId })));
    const [heardByAlice, heardByBob, heardByCarol] = [inboxOf(alice!), inboxOf(bob!), inboxOf(carol!)];
    await alice!.sendMessage('你好 😀', 'text');
    await alice!.sendMessage({ k: [1, 2.5] }, 'json');
    await alice!.sendMessage({ k: ['值', null] }, 'dict', 'bob');
    await alice!.sendMessage(Uint8Array.of(0, 255, 32), 'bytes', 'bob');
    await alice!.sendMessage([1, 'two'], 'dict', 'alice');
    await until(() => heardByBob.length === 4 && heardByCarol.length === 2, 'the messages');
    expect(contents(heardByBob)).toEqual(['你好 😀', '{"k":[1,2.5]}', { k: ['值', null] }, Uint8Array.of(0, 255, 32)]);
    expect(contents(heardByCarol)).toEqual(['你好 😀', '{"k":[1,2.5]}']);
    expect(heardByAlice).toEqual([]);
  });

  test('lists the clients, several calls at once, one on the wire at a time', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const lists = await Promise.all([alice.listClients(), alice.listClients({ onlyShowOnline: true }), alice.listClients()]);
    expect(lists.map((list) => list.onlyShowOnline)).toEqual([false, true, false]);
    expect(lists[0]?.totalCount).toBe(1);
    expect(lists[0]?.clients[0]).toEqual({
      clientId: 'alice',
      status: 'online',
      lastHeartbeat: expect.any(Number),
      loginTime: expect.any(Number),
    });
    expect(server.of('list_clients').map((frame) => frame.content)).toEqual([
      '{"only_show_online":false}',
      '{"only_show_online":true}',
      '{"only_show_online":false}',
    ]);
  });

  test('keeps answers, errors and lists it did not ask for from doing anything', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const inbox = inboxOf(alice);
    const problems: unknown[] = [];
    alice.onError((error) => problems.push(error));
    server.inject('alice', { msg_type: 'login_response', content: { status: 'error', code: 'CC_LOGIN_REFUSED' } });
    server.inject('alice', { msg_type: 'list_clients_response', content: '{"clients": [], "total_count": 0}' });
    server.inject('alice', { from_client_id: 'mallory', msg_type: 'list_clients_response', content: '{"clients": []}' });
    server.inject('alice', { from_client_id: 'mallory', msg_type: 'heartbeat', content: {} });
    await alice.sendMessage('an echo that comes behind them', 'text', 'alice');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await alice.listClients()).clients.map((client) => client.clientId)).toEqual(['alice']);
    expect([alice.status.state, inbox, problems]).toEqual(['online', [], []]);
  });

  test('reads what only Python writes, and reports what nobody can read', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const inbox = inboxOf(alice);
    const problems: string[] = [];
    alice.onError((_, problem) => problems.push(problem.kind));
    server.inject('alice', '{"msg_id": "m", "from_client_id": "p", "to_client_id": "all", "msg_type": "dict", "content": {"x": NaN}, "timestamp": 1, "oss_key": null}');
    server.inject('alice', '{"msg_id": 1, "from_client_id": "p"');
    server.inject('alice', { from_client_id: 'p', content: 'after' });
    await until(() => inbox.length === 2, 'both messages');
    expect(contents(inbox)).toEqual([{ x: Number.NaN }, 'after']);
    expect(problems).toEqual(['frame']);
  });

  test('refuses what would kill a Python receiver once it is escaped', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const bob = await online({ url: server.url, clientId: 'bob' });
    const inbox = inboxOf(bob);
    expect(await codeOf(alice.sendMessage('值'.repeat(180_000), 'text', 'bob'))).toBe('CC_TOO_LARGE');
    expect(await codeOf(alice.sendMessage('x'.repeat(1_048_576), 'text', 'bob'))).toBe('CC_TOO_LARGE');
    expect(await codeOf(alice.sendMessage(Array.from({ length: 400_000 }, () => 1), 'dict', 'bob'))).toBe('CC_TOO_LARGE');
    await alice.sendMessage('值'.repeat(170_000), 'text', 'bob');
    await until(() => inbox.length === 1, 'the largest message');
    expect(alice.status.state).toBe('online');
  });

  test('says that there is no storage for files when there is none', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    expect(await codeOf(alice.sendMessage('package.json', 'file', 'bob'))).toBe('CC_UNSUPPORTED');
    expect(server.of('file')).toEqual([]);
  });

  test('logs in again when a reconnect has met its own half-open predecessor', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice', heartbeatIntervalMs: 50 });
    const [first] = server.sockets;
    // the server does not notice the end of the first socket before the second has logged in
    first!.pause();
    alice.onStatus(() => undefined);
    const logins = server.of('login').length;
    first!.terminate();
    await until(() => server.of('login').length > logins && alice.status.state === 'online', 'the reconnect');
    const again = server.of('login').length;
    await until(() => server.of('login').length > again, 'a second login on the same socket');
    expect(server.sockets.size).toBe(1);
    expect(server.isOnline('alice')).toBe(true);
  });

  test('never holds two sockets while it reconnects', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    // recorded, because a reconnect may be over between two looks at the status
    const states: string[] = [];
    alice.onStatus(({ state }) => states.push(state));
    for (let round = 1; round <= 3; round++) {
      const [socket] = server.sockets;
      socket!.close(1011);
      await until(() => states.length === 2 * round, 'the reconnect');
      expect(states.slice(-2)).toEqual(['reconnecting', 'online']);
      expect(server.sockets.size).toBe(1);
    }
  });

  test('hears what the recorded Python sender sent as the Python listener did', async () => {
    const server = await PythonServer.start();
    const bob = newClient({ url: server.url, clientId: 'bob' });
    const inbox = inboxOf(bob);
    await bob.login();
    const frames = recorded('02_broadcast_direct.jsonl').filter((line) => line['conn'] === 2 && line['dir'] === 's2c' && line['opcode'] === 'text');
    for (const { text } of frames) server.inject('bob', text as string);
    // the recorder could not print the last one, half a surrogate pair
    const heard = recorded('02_broadcast_direct.observed.jsonl').filter((line) => line['ev'] === 'listener' && line['me'] === 'bob' && line['msg_type'] !== 'login_response');
    await until(() => inbox.length >= heard.length, `${heard.length} messages`);
    await until(() => inbox.length === frames.length - 1, 'everything but the login_response');
    expect(heard.length).toBeGreaterThan(10);
    expect(inbox.slice(0, heard.length).map(({ msgType, fromClientId, toClientId, content, ossKey }) => ({ msgType, fromClientId, toClientId, content, ossKey }))).toEqual(
      heard.map((line) => ({
        msgType: line['msg_type'],
        fromClientId: line['frm'],
        toClientId: line['to'],
        content: line['py'] === 'bytes' ? pythonBytes(line['content'] as string) : line['content'],
        ossKey: line['oss_key'],
      })),
    );
    expect(contents(inbox.slice(heard.length))).toEqual(['\ud83d']);
  });

  test('writes what the recorded Python sender wrote', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const frames = recorded('02_broadcast_direct.jsonl')
      .filter((line) => line['conn'] === 1 && line['dir'] === 'c2s' && line['opcode'] === 'text')
      .map((line) => parsePythonJson(line['text'] as string, 50) as Wire)
      .filter((frame) => roleOf(frame.msg_type) === 'user' && isFiniteDeep(frame.content));
    for (const frame of frames) await alice.sendMessage(frame.content, frame.msg_type as 'text', frame.to_client_id);
    const written = (): Wire[] => server.received.filter((frame) => roleOf(frame.msg_type) === 'user');
    await until(() => written().length === frames.length, 'all frames');
    const stable = ({ from_client_id, to_client_id, msg_type, content, oss_key }: Wire): unknown => ({ from_client_id, to_client_id, msg_type, content, oss_key });
    expect(frames.length).toBeGreaterThan(10);
    expect(written().map(stable)).toEqual(frames.map(stable));
  });
});

function recorded(name: string): Record<string, unknown>[] {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return readFileSync(join(folder, 'test/sdk/frames', name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => parsePythonJson(line, 50) as Record<string, unknown>);
}

/** The bytes behind a Python `repr`, e.g. `b'\x00\xff binary'`. */
function pythonBytes(repr: string): Uint8Array {
  const text = repr.slice(2, -1).replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function isFiniteDeep(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isFiniteDeep);
}
