import { describe, expect, test } from '@jest/globals';
import { CommMsgType, MessageListener, type Message } from '../../src/sdk/index.node.js';
import { PythonServer } from './support/python-server.js';
import { codeOf, contents, inboxOf, online, openHub, until } from './support/clients.js';

describe('messages', () => {
  test('refuse at once what cannot be sent, with a code', async () => {
    const hub = await openHub({ maxMessageBytes: 5_000 });
    const alice = await online({ url: hub.url, clientId: 'alice' });
    const refused = [
      alice.sendMessage('{not json', 'json'),
      alice.sendMessage({ x: Number.NaN }, 'dict'),
      alice.sendMessage(42, 'bytes'),
      alice.sendMessage('x', 'text', ''),
      alice.sendMessage('x', 'heartbeat'),
      alice.sendMessage('x', 'nonsense' as 'text'),
      alice.sendMessage('x'.repeat(5_001), 'text'),
      alice.sendMessage('x', 'text', 'all', { signal: AbortSignal.abort() }),
    ];
    expect(await Promise.all(refused.map(codeOf))).toEqual([
      'CC_INVALID_CONTENT',
      'CC_INVALID_CONTENT',
      'CC_INVALID_CONTENT',
      'CC_INVALID_CLIENT_ID',
      'CC_TYPE_NOT_ALLOWED',
      'CC_UNKNOWN_TYPE',
      'CC_TOO_LARGE',
      'CC_ABORTED',
    ]);
  });

  test('that the hub refuses fail when they are durable, and are reported with their id when they are live', async () => {
    const hub = await openHub();
    const alice = await online({ url: hub.url, clientId: 'alice' });
    const problems: unknown[] = [];
    alice.onError((error, problem) => problems.push([(error as { code?: string }).code, problem.kind === 'refused' && problem.msgId]));
    expect(await codeOf(alice.sendMessage('x', 'text', 'nobody'))).toBe('CC_UNKNOWN_CLIENT');
    const { msgId } = await alice.sendMessage('x', 'text', 'nobody', { delivery: 'live' });
    await until(() => problems.length > 0, 'the error');
    expect(problems).toEqual([['CC_UNKNOWN_CLIENT', msgId]]);
  });

  test('are logged, not thrown, when nobody handles their errors', async () => {
    const server = await PythonServer.start();
    const logged: string[] = [];
    const logger = { warn: (text: string) => logged.push(`warn ${text}`), error: (text: string) => logged.push(`error ${text}`) };
    const alice = await online({ url: server.url, clientId: 'alice', logger });
    alice.onMessage('text', function onText() {
      throw new Error('boom');
    });
    server.inject('alice', { from_client_id: 'p', msg_id: 'm1', content: 'x' });
    server.inject('alice', 'nonsense');
    await until(() => logged.length === 2, 'two lines');
    expect(logged[0]).toBe('error CrossComm: Listener onText failed: boom');
    expect(logged[1]).toMatch(/^warn CrossComm: a frame was dropped\. CC_INVALID_FRAME/);
  });

  test('pause the reading of a socket whose listeners are slow, and lose nothing', async () => {
    const server = await PythonServer.start();
    const bob = await online({ url: server.url, clientId: 'bob', inboundMaxMessages: 10, pingIntervalMs: 10, heartbeatTimeoutMs: 30 });
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const heard: unknown[] = [];
    bob.onMessage({}, async (message) => {
      await gate;
      heard.push(message.content);
    });
    const text = 'x'.repeat(200_000);
    for (let i = 0; i < 100; i++) server.inject('bob', { from_client_id: 'p', content: `${i}${text}` });
    const [socket] = server.sockets;
    // nobody reads: what the system's buffers do not take stays with the server
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(socket!.bufferedAmount).toBeGreaterThan(1_000_000);
    expect(bob.status.state).toBe('online');
    release();
    await until(() => heard.length === 100, 'all messages');
    expect(heard.map((content) => Number.parseInt(String(content), 10))).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });
});

describe('listeners', () => {
  test('get the messages that pass their filter, in the order of registration, each an object of its own', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const log: string[] = [];
    const messages: Message[] = [];
    alice.onMessage({ msgType: ['text', 'json'], fromClientId: 'p' }, (message) => void log.push(`p ${String(message.content)}`));
    alice.onMessage(CommMsgType.JSON, (message) => void log.push(`json ${String(message.content)}`));
    for (let i = 0; i < 2; i++) alice.onMessage({}, (message) => void messages.push(message));
    const stop = alice.onMessage([CommMsgType.TEXT], () => void log.push('stopped'));
    stop();
    stop();
    server.inject('alice', { from_client_id: 'p', content: '1' });
    server.inject('alice', { from_client_id: 'q', content: '2' });
    server.inject('alice', { from_client_id: 'p', msg_type: 'json', content: '3' });
    await until(() => messages.length === 6, 'all');
    expect(log).toEqual(['p 1', 'p 3', 'json 3']);
    expect(messages[0]).toEqual(messages[1]);
    expect(messages[0]).not.toBe(messages[1]);
  });

  test('of one sender run one after another, of different senders side by side', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const log: string[] = [];
    const releases: (() => void)[] = [];
    alice.onMessage({ fromClientId: 'slow' }, async (message) => {
      log.push(`begin ${String(message.content)}`);
      await new Promise<void>((resolve) => releases.push(resolve));
      log.push(`end ${String(message.content)}`);
    });
    alice.onMessage({}, (message) => void log.push(`then ${String(message.content)}`));
    for (const content of ['s1', 's2']) server.inject('alice', { from_client_id: 'slow', content });
    server.inject('alice', { from_client_id: 'fast', content: 'f1' });
    await until(() => log.length === 2, 'both senders');
    expect(log).toEqual(['begin s1', 'then f1']);
    releases[0]?.();
    await until(() => releases.length === 2, 'the second');
    releases[1]?.();
    await until(() => log.length === 7, 'the end');
    expect(log.slice(2)).toEqual(['end s1', 'then s1', 'begin s2', 'end s2', 'then s2']);
  });

  test('may ask for the list and answer while they run', async () => {
    const hub = await openHub();
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const inbox = inboxOf(alice);
    bob.onMessage('text', async (message) => {
      const { totalCount } = await bob.listClients({ timeoutMs: 1_000 });
      await bob.sendMessage({ totalCount }, 'dict', message.fromClientId);
    });
    await alice.sendMessage('how many?', 'text', 'bob');
    await until(() => inbox.length === 1, 'the answer');
    expect(contents(inbox)).toEqual([{ totalCount: 2 }]);
  });

  test('that fail are named and do not stop the others', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    class Robot {
      readonly name = 'r2';
      heard: string[] = [];
      @MessageListener(CommMsgType.TEXT)
      throws(): void {
        throw new Error('sync');
      }
      @MessageListener(CommMsgType.TEXT)
      async rejects(): Promise<void> {
        throw new TypeError('async');
      }
      @MessageListener({ msgType: CommMsgType.TEXT })
      @MessageListener({ fromClientId: 'p' })
      hears(message: Message): void {
        this.heard.push(`${this.name} ${String(message.content)}`);
      }
    }
    class Descendant extends Robot {
      override throws(): void {
        // no listener any more
      }
    }
    const [robot, descendant] = [new Robot(), new Descendant()];
    const problems: string[] = [];
    alice.onError((error) => problems.push(error.message));
    const stop = alice.registerListeners(robot);
    alice.registerListeners(descendant);
    server.inject('alice', { from_client_id: 'p', content: '1' });
    await until(() => descendant.heard.length === 1, 'the last listener');
    stop();
    server.inject('alice', { from_client_id: 'p', content: '2' });
    await until(() => descendant.heard.length === 2, 'the last listener again');
    expect(problems).toEqual([
      'Listener Robot.throws failed: sync',
      'Listener Robot.rejects failed: async',
      'Listener Descendant.rejects failed: async',
      'Listener Descendant.rejects failed: async',
    ]);
    expect([robot.heard, descendant.heard]).toEqual([['r2 1'], ['r2 1', 'r2 2']]);
  });

  test('are refused when there are none, or when a filter is wrong', async () => {
    const hub = await openHub();
    const alice = await online({ url: hub.url, clientId: 'alice' });
    class Deaf {
      get trap(): never {
        throw new Error('getters are not run');
      }
    }
    expect(() => alice.registerListeners(new Deaf())).toThrow(/Deaf has no @MessageListener/);
    expect(() => alice.onMessage({ msgType: 'nonsense' as 'text' }, () => undefined)).toThrow(expect.objectContaining({ code: 'CC_INVALID_LISTENER' }));
    expect(() => alice.onMessage('text', undefined as never)).toThrow(expect.objectContaining({ code: 'CC_INVALID_LISTENER' }));
  });

  test('that name a control type get what peers and the server send of it, catch-all listeners do not', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const inbox = inboxOf(alice);
    const logins: unknown[] = [];
    alice.onMessage(CommMsgType.LOGIN_RESPONSE, (message) => void logins.push(message.content));
    server.inject('alice', { msg_type: 'login_response', content: { status: 'success' } });
    server.inject('alice', { from_client_id: 'p', content: 'last' });
    await until(() => inbox.length === 1, 'the text');
    expect(logins).toEqual([{ status: 'success' }]);
  });
});

describe('the client list', () => {
  test('skips the late answer to a call that was given up', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const [socket] = server.sockets;
    socket!.pause();
    const late = codeOf(alice.listClients({ timeoutMs: 10 }));
    expect(await late).toBe('CC_TIMEOUT');
    const next = alice.listClients({ onlyShowOnline: true });
    const aborted = new AbortController();
    const queued = codeOf(alice.listClients({ signal: aborted.signal }));
    aborted.abort();
    socket!.resume();
    expect((await next).onlyShowOnline).toBe(true);
    expect(await queued).toBe('CC_ABORTED');
    expect((await alice.listClients()).onlyShowOnline).toBe(false);
  });

  test('works again after an answer was lost', async () => {
    const server = await PythonServer.start();
    const alice = await online({ url: server.url, clientId: 'alice' });
    const [socket] = server.sockets;
    const send = socket!.send.bind(socket!);
    socket!.send = (() => undefined) as typeof send;
    expect(await codeOf(alice.listClients({ timeoutMs: 20 }))).toBe('CC_TIMEOUT');
    socket!.send = send;
    expect(await codeOf(alice.listClients({ timeoutMs: 50 }))).toBe('CC_TIMEOUT');
    expect((await alice.listClients()).totalCount).toBe(1);
  });
});
