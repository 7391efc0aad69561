import { describe, expect, test } from '@jest/globals';
import { CrossCommError, RequestHandler, type CrossCommClient, type RequestContext } from '../../src/sdk/index.node.js';
import { codeOf, newClient, online, openHub, until } from './support/clients.js';
import { PythonServer } from './support/python-server.js';
import { ScriptedHub } from './support/scripted-hub.js';

async function pair(): Promise<{ readonly alice: CrossCommClient; readonly bob: CrossCommClient }> {
  const hub = await openHub();
  return { alice: await online({ url: hub.url, clientId: 'alice' }), bob: await online({ url: hub.url, clientId: 'bob' }) };
}

describe('a request', () => {
  test('is answered by the other client with what its handler returns or resolves with', async () => {
    const { alice, bob } = await pair();
    const contexts: RequestContext[] = [];
    bob.onRequest<{ a: number; b: number }>('add', ({ a, b }, context) => {
      contexts.push(context);
      return a + b;
    });
    bob.onRequest('later', async () => new Promise((resolve) => setTimeout(() => resolve([null]), 10)));
    bob.onRequest('nothing', () => undefined);
    expect(await alice.request<number>('bob', 'add', { a: 1, b: 2 })).toBe(3);
    expect(await alice.request('bob', 'later')).toEqual([null]);
    expect(await alice.request('bob', 'nothing')).toBeNull();
    expect(contexts).toEqual([{ fromClientId: 'alice', action: 'add', signal: expect.any(AbortSignal) }]);
    expect(await alice.request('server', 'ping')).toBeNull();
  });

  test('fails with what the handler threw when that is an error with a code, and else with no more than that it failed', async () => {
    const { alice, bob } = await pair();
    const problems: unknown[] = [];
    bob.onError(({ message }, { kind }) => problems.push([kind, message]));
    bob.onRequest('full', () => {
      throw new CrossCommError('CC_LIMIT_REACHED', { detail: 'No room.', data: { rooms: 0 }, retryAfter: 3 });
    });
    bob.onRequest('secret', () => Promise.reject(new Error('password 1234')));
    bob.onRequest('odd', () => ({ value: 1n }));
    expect(await alice.request('bob', 'full').catch((error: unknown) => error)).toMatchObject({ code: 'CC_LIMIT_REACHED', detail: 'No room.', data: { rooms: 0 }, retryAfterMs: 3_000 });
    expect(await alice.request('bob', 'secret').catch((error: unknown) => String(error))).toMatch(/^CrossCommError: CC_HANDLER_FAILED: The handler of the request failed\./);
    expect(await codeOf(alice.request('bob', 'odd'))).toBe('CC_HANDLER_FAILED');
    expect(problems).toEqual([
      ['request', 'The handler of "secret" failed: password 1234'],
      ['request', expect.stringContaining('The handler of "odd" failed: CC_INVALID_CONTENT')],
    ]);
  });

  test('fails with a code when there is no handler, no such client, or nothing that can be sent', async () => {
    const { alice } = await pair();
    const codes = [
      alice.request('bob', 'unknown'),
      alice.request('nobody', 'add'),
      alice.request('bob', ''),
      alice.request('all', 'add'),
      alice.request('bob', 'add', { value: Number.NaN }),
      alice.request('bob', 'add', 'x'.repeat(1_100_000)),
      alice.request('bob', 'add', null, { signal: AbortSignal.abort() }),
      alice.request('server', 'unknown'),
    ].map(codeOf);
    expect(await Promise.all(codes)).toEqual([
      'CC_NO_HANDLER',
      'CC_UNKNOWN_CLIENT',
      'CC_INVALID_CONTENT',
      'CC_INVALID_CLIENT_ID',
      'CC_INVALID_CONTENT',
      'CC_TOO_LARGE',
      'CC_ABORTED',
      'CC_UNKNOWN_ACTION',
    ]);
    const before = newClient({});
    expect(await codeOf(before.request('bob', 'add'))).toBe('CC_NOT_CONNECTED');
    const python = await PythonServer.start();
    expect(await codeOf((await online({ url: python.url })).request('bob', 'add'))).toBe('CC_UNSUPPORTED');
  });

  test('that is given up, or whose asker leaves, fires the signal of the handler', async () => {
    const { alice, bob } = await pair();
    const signals: AbortSignal[] = [];
    bob.onRequest('wait', (_data, { signal }) => {
      signals.push(signal);
      return new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    expect(await codeOf(alice.request('bob', 'wait', null, { timeoutMs: 30 }))).toBe('CC_TIMEOUT');
    await until(() => signals[0]?.aborted === true, 'the time-out at the handler');
    const abort = new AbortController();
    const aborted = codeOf(alice.request('bob', 'wait', null, { signal: abort.signal }));
    await until(() => signals.length === 2, 'the request');
    abort.abort();
    expect(await aborted).toBe('CC_ABORTED');
    await until(() => signals[1]?.aborted === true, 'the abort at the handler');
    const lost = codeOf(alice.request('bob', 'wait'));
    await until(() => signals.length === 3, 'the request');
    await alice.logout();
    expect(await lost).toBe('CC_NOT_CONNECTED');
    await until(() => signals[2]?.aborted === true, 'the end of the asker at the handler');
  });

  test('to a client that leaves before it has answered fails', async () => {
    const { alice, bob } = await pair();
    bob.onRequest('leave', () => bob.logout().then(() => 'too late'));
    expect(await codeOf(alice.request('bob', 'leave'))).toBe('CC_UNKNOWN_CLIENT');
  });
});

describe('@RequestHandler', () => {
  class Calculator {
    readonly base = 10;
    @RequestHandler('add')
    @RequestHandler('plus')
    add(value: number, { fromClientId }: RequestContext): string {
      return `${fromClientId} ${this.base + value}`;
    }
  }

  test('marks methods of objects given to registerListeners', async () => {
    const { alice, bob } = await pair();
    const stop = bob.registerListeners(new Calculator());
    expect([await alice.request('bob', 'add', 1), await alice.request('bob', 'plus', 2)]).toEqual(['alice 11', 'alice 12']);
    stop();
    expect(await codeOf(alice.request('bob', 'add', 1))).toBe('CC_NO_HANDLER');
  });

  test('and onRequest give an action one handler, and one that can be named and called', () => {
    const client = newClient({});
    client.onRequest('plus', () => 0);
    const refused = expect.objectContaining({ code: 'CC_INVALID_LISTENER' });
    expect(() => client.registerListeners(new Calculator())).toThrow(refused);
    const stop = client.onRequest('add', () => 0);
    expect(() => client.onRequest('add', () => 0)).toThrow(refused);
    stop();
    client.onRequest('add', () => 0);
    expect(() => client.onRequest('', () => 0)).toThrow(refused);
    expect(() => client.onRequest('x', undefined as never)).toThrow(refused);
  });
});

describe('the frames of requests', () => {
  test('are exactly these, both ways', async () => {
    const hub = await ScriptedHub.open();
    const client = newClient({ url: hub.url, clientId: 'alice' });
    const [line] = await Promise.all([hub.welcome(), client.login()]);
    const asked = client.request('bob', 'add', { a: 1 }, { timeoutMs: 2_000 });
    const request = await line.next();
    expect(request).toMatchObject({ msg_type: 'request', to_client_id: 'bob', content: { action: 'add', data: { a: 1 }, timeout_ms: 2_000 } });
    // neither somebody else nor the hub answers for bob
    for (const from_client_id of ['eve', 'server']) line.send({ msg_type: 'response', from_client_id, content: { reply_to: request.msg_id, data: 'forged' } });
    line.send({ msg_type: 'response', from_client_id: 'bob', content: { reply_to: request.msg_id, data: 2 } });
    expect(await asked).toBe(2);
    const given = codeOf(client.request('bob', 'wait', null, { timeoutMs: 20 }));
    const wait = await line.next();
    expect(await given).toBe('CC_TIMEOUT');
    expect(await line.next()).toMatchObject({ msg_type: 'cancel', to_client_id: 'bob', content: { reply_to: wait.msg_id } });

    client.onRequest('echo', (data) => data);
    line.send({ msg_id: 'r1', msg_type: 'request', from_client_id: 'bob', content: { action: 'echo', data: [1] } });
    expect(await line.next()).toMatchObject({ msg_type: 'response', to_client_id: 'bob', content: { reply_to: 'r1', data: [1] } });
    line.send({ msg_id: 'r2', msg_type: 'request', from_client_id: 'bob', content: { action: 'none' } });
    expect((await line.next()).content).toEqual({ reply_to: 'r2', error: { code: 'CC_NO_HANDLER', message: expect.stringContaining('"none"') } });
    client.onRequest('large', () => 'x'.repeat(1_100_000));
    line.send({ msg_id: 'r3', msg_type: 'request', from_client_id: 'bob', content: { action: 'large' } });
    expect((await line.next()).content).toEqual({ reply_to: 'r3', error: expect.objectContaining({ code: 'CC_TOO_LARGE' }) });
    client.onRequest('slow', (_data, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)));
    line.send({ msg_id: 'r4', msg_type: 'request', from_client_id: 'bob', content: { action: 'slow' } });
    line.send({ msg_type: 'cancel', from_client_id: 'eve', content: { reply_to: 'r4' } });
    line.send({ msg_type: 'cancel', from_client_id: 'bob', content: { reply_to: 'r4' } });
    await line.expectSilence();
  });

  test('more than the client works on at a time are refused', async () => {
    const hub = await ScriptedHub.open();
    const client = newClient({ url: hub.url, clientId: 'alice', inboundMaxMessages: 2 });
    const [line] = await Promise.all([hub.welcome(), client.login()]);
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    client.onRequest('slow', () => gate);
    for (const msg_id of ['1', '2', '3']) line.send({ msg_id, msg_type: 'request', from_client_id: 'bob', content: { action: 'slow' } });
    expect((await line.next()).content).toMatchObject({ reply_to: '3', error: { code: 'CC_LIMIT_REACHED' } });
    release();
    expect((await line.take(2)).map(({ content }) => content)).toEqual([
      { reply_to: '1', data: null },
      { reply_to: '2', data: null },
    ]);
  });
});
