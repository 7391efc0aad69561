import { describe, expect, test } from '@jest/globals';
import { FEATURES } from '../../src/protocol/index.js';
import type { CrossCommClient, NodeClientOptions } from '../../src/sdk/index.node.js';
import { codeOf, newClient, until, untilState } from './support/clients.js';
import { ScriptedHub, type ScriptedConnection, type ScriptedWelcome } from './support/scripted-hub.js';

interface Dialogue {
  readonly client: CrossCommClient;
  readonly hub: ScriptedHub;
  readonly line: ScriptedConnection;
}

async function dialogue(options: NodeClientOptions = {}, welcome: ScriptedWelcome = {}): Promise<Dialogue> {
  const hub = await ScriptedHub.open();
  const client = newClient({ url: hub.url, clientId: 'alice', ...options });
  const [line] = await Promise.all([hub.welcome(welcome), client.login()]);
  return { client, hub, line };
}

const contentsOf = (frames: readonly { readonly content: unknown }[]): unknown[] => frames.map(({ content }) => content);

describe('a durable message', () => {
  test('travels with the seven keys and resolves with the receipt that the hub gives', async () => {
    const { client, line } = await dialogue();
    const sent = client.sendMessage('hello', 'text', 'bob');
    const text = await line.nextText();
    const frame = JSON.parse(text) as { msg_id: string; timestamp: number };
    expect(text).toBe(
      `{"msg_id":"${frame.msg_id}","from_client_id":"alice","to_client_id":"bob","msg_type":"text","content":"hello","timestamp":${frame.timestamp},"oss_key":null}`,
    );
    line.ack('stored', frame);
    expect(await sent).toEqual({ msgId: frame.msg_id, receipt: 'stored' });
    const toOld = client.sendMessage('hello', 'text', 'old');
    line.ack('live', await line.next());
    expect(await toOld).toMatchObject({ receipt: 'live' });
  });

  test('asks in ext for a receipt and for a time to live, and waits for what it asked for', async () => {
    const { client, line } = await dialogue();
    const processed = client.sendMessage('p', 'text', 'bob', { receipt: 'processed', ttlMs: 1_500 });
    const delivered = client.sendMessage('d', 'text', 'bob', { receipt: 'delivered' });
    const toOld = client.sendMessage('o', 'text', 'bob', { receipt: 'processed' });
    const toGroup = client.sendMessage('g', 'text', 'group:g', { receipt: 'processed' });
    const frames = await line.take(4);
    expect(frames.map(({ ext }) => ext)).toEqual([{ receipt: 'processed', ttl: 1.5 }, { receipt: 'delivered' }, { receipt: 'processed' }, undefined]);
    const [p, d, o, g] = frames;
    line.ack('stored', p!, d!, g!);
    expect(await toGroup).toMatchObject({ receipt: 'stored' });
    line.ack('live', o!);
    expect(await toOld).toMatchObject({ receipt: 'live' });
    line.ack('delivered', p!);
    line.ack('processed', d!);
    expect(await delivered).toMatchObject({ receipt: 'processed' });
    line.ack('processed', p!);
    expect(await processed).toMatchObject({ receipt: 'processed' });
  });

  test('rejects with the error of the hub, with the time after which to try again', async () => {
    const { client, line } = await dialogue();
    const problems: unknown[] = [];
    client.onError((error) => problems.push(error));
    const refused = client.sendMessage('x', 'text', 'bob').catch((error: unknown) => error);
    const { msg_id } = await line.next();
    line.error({ reply_to: msg_id, code: 'CC_MAILBOX_FULL', retry_after: 2.5, data: { limit: 'messages' } });
    expect(await refused).toMatchObject({ code: 'CC_MAILBOX_FULL', retryable: true, retryAfter: 2.5, retryAfterMs: 2_500, data: { limit: 'messages' } });
    const expired = codeOf(client.sendMessage('x', 'text', 'bob', { receipt: 'processed' }));
    const frame = await line.next();
    line.ack('stored', frame);
    line.error({ reply_to: frame.msg_id, code: 'CC_EXPIRED' });
    expect(await expired).toBe('CC_EXPIRED');
    expect(problems).toEqual([]);
  });

  test('is sent again after a reconnect with the same bytes, in order, before newer ones, until it is answered', async () => {
    const { client, hub, line } = await dialogue();
    const sent = ['1', '2', '3'].map((content) => client.sendMessage(content, 'text', 'bob', content === '2' ? { receipt: 'processed' } : {}));
    const texts = [await line.nextText(), await line.nextText(), await line.nextText()];
    const [first, second] = texts.map((text) => JSON.parse(text) as { msg_id: string });
    line.ack('stored', first!, second!);
    await sent[0];
    // a status handler runs before anything was sent on the new connection
    client.onStatus(({ state }) => {
      if (state === 'online') sent.push(client.sendMessage('5', 'text', 'bob'));
    });
    line.cut();
    await untilState(client, 'reconnecting');
    sent.push(client.sendMessage('4', 'text', 'bob'));
    const next = await hub.welcome();
    const ids = texts.slice(1).map((text) => (JSON.parse(text) as { msg_id: string }).msg_id);
    expect((await next.next()).content).toMatchObject({ action: 'delivery.resend', data: { msg_ids: ids } });
    expect([await next.nextText(), await next.nextText()]).toEqual(texts.slice(1));
    const newer = await next.take(2);
    expect(contentsOf(newer)).toEqual(['4', '5']);
    next.ack('processed', second!);
    next.ack('stored', JSON.parse(texts[2]!) as { msg_id: string }, ...newer);
    expect((await Promise.all(sent)).map(({ receipt }) => receipt)).toEqual(['stored', 'processed', 'stored', 'stored', 'stored']);
    expect(client.bufferedBytes).toBe(0);
  });

  test('that is aborted or times out after it was sent rejects, is not sent again, and its late ack is ignored', async () => {
    const { client, hub, line } = await dialogue();
    const abort = new AbortController();
    const codes = [codeOf(client.sendMessage('a', 'text', 'bob', { signal: abort.signal })), codeOf(client.sendMessage('t', 'text', 'bob', { timeoutMs: 20 }))];
    const frames = await line.take(2);
    abort.abort();
    expect(await Promise.all(codes)).toEqual(['CC_ABORTED', 'CC_TIMEOUT']);
    const kept = client.sendMessage('kept', 'text', 'bob');
    line.ack('stored', frames[0]!);
    line.error({ reply_to: frames[1]!.msg_id, code: 'CC_UNKNOWN_CLIENT' });
    line.cut();
    const next = await hub.welcome();
    const [named, again] = [await next.next(), await next.next()];
    expect(again.content).toBe('kept');
    expect(named.content).toMatchObject({ action: 'delivery.resend', data: { msg_ids: [again.msg_id] } });
    next.ack('stored', again);
    await kept;
  });

  test('keeps to the credit of the hub, in messages and bytes', async () => {
    const { client, line } = await dialogue({}, { limits: { max_unacked: 2, max_unacked_bytes: 1_000 } });
    const sent = ['1', '2', '3'].map((content) => client.sendMessage(content, 'text', 'bob'));
    const live = client.sendMessage('live', 'text', 'bob', { delivery: 'live' });
    const broadcast = client.sendMessage('all', 'text');
    const frames = await line.take(4);
    expect(contentsOf(frames)).toEqual(['1', '2', 'live', 'all']);
    expect([await live, await broadcast].map(({ receipt }) => receipt)).toEqual(['sent', 'sent']);
    await line.expectSilence();
    line.ack('stored', frames[0]!, frames[1]!);
    line.ack('stored', await line.next());
    await Promise.all(sent);
    const large = ['x'.repeat(2_000), 'small'].map((content) => client.sendMessage(content, 'text', 'bob'));
    const frame = await line.next();
    await line.expectSilence();
    line.ack('stored', frame);
    line.ack('stored', await line.next());
    await Promise.all(large);
  });

  test('counts against the bounds of the queue until it is answered', async () => {
    const { client, line } = await dialogue({ queueMaxMessages: 2 });
    const sent = ['1', '2'].map((content) => client.sendMessage(content, 'text', 'bob'));
    expect(await codeOf(client.sendMessage('3', 'text', 'bob'))).toBe('CC_QUEUE_FULL');
    line.ack('stored', ...(await line.take(2)));
    await Promise.all(sent);
    expect(client.bufferedBytes).toBe(0);
  });

  test('is a live one towards a hub that offers no acks, without any ext', async () => {
    const { client, line } = await dialogue({}, { features: ['errors', 'ext', 'requests'], mail: null });
    const options = [{}, { delivery: 'live' as const }, { receipt: 'processed' as const, ttlMs: 1_000 }, { delivery: 'durable' as const }];
    const sent = await Promise.all(options.map((option) => client.sendMessage('x', 'text', 'bob', option)));
    expect(sent.map(({ receipt }) => receipt)).toEqual(['sent', 'sent', 'sent', 'sent']);
    for (const frame of await line.take(4)) expect(frame).not.toHaveProperty('ext');
  });

  test('that waited for a connection to whatever server comes is written for that server', async () => {
    const { client, hub, line } = await dialogue();
    line.cut();
    await untilState(client, 'reconnecting');
    const sent = client.sendMessage('x', 'text', 'bob', { receipt: 'processed' });
    const next = await hub.welcome({ features: ['errors', 'ext'] });
    expect(await next.next()).not.toHaveProperty('ext');
    expect(await sent).toMatchObject({ receipt: 'sent' });
  });

  test('is nothing that all or the server can get, and a time to live is positive', async () => {
    const { client } = await dialogue();
    const codes = [
      client.sendMessage('x', 'text', 'all', { delivery: 'durable' }),
      client.sendMessage('x', 'text', 'server', { delivery: 'durable' }),
      client.sendMessage('x', 'text', 'bob', { ttlMs: 0 }),
      client.sendMessage('x', 'text', 'group:'),
    ].map(codeOf);
    expect(await Promise.all(codes)).toEqual(['CC_INVALID_CONTENT', 'CC_INVALID_CONTENT', 'CC_INVALID_OPTION', 'CC_INVALID_CLIENT_ID']);
  });
});

describe('a live message', () => {
  test('to a client says so in ext, to all it needs no word', async () => {
    const { client, line } = await dialogue();
    await client.sendMessage('x', 'text', 'bob', { delivery: 'live' });
    await client.sendMessage('x', 'text', 'all', { delivery: 'live' });
    expect((await line.take(2)).map(({ ext }) => ext)).toEqual([{ delivery: 'live' }, undefined]);
  });

  test('that waits for a connection is not overtaken by later ones, whatever credit there is', async () => {
    const { client, hub, line } = await dialogue({}, { limits: { max_unacked: 1 } });
    line.cut();
    await untilState(client, 'reconnecting');
    const sent = ['d1', 'd2'].map((content) => client.sendMessage(content, 'text', 'bob'));
    sent.push(...['l1', 'l2'].map((content) => client.sendMessage(content, 'text')));
    const next = await hub.welcome({ limits: { max_unacked: 1 } });
    const frames = await next.take(3);
    expect(contentsOf(frames)).toEqual(['d1', 'l1', 'l2']);
    next.ack('stored', frames[0]!);
    next.ack('stored', await next.next());
    await Promise.all(sent);
  });
});

describe('a logout', () => {
  test('waits for the answers to durable messages, then says goodbye', async () => {
    const { client, line } = await dialogue();
    const sent = client.sendMessage('x', 'text', 'bob');
    const frame = await line.next();
    const out = client.logout();
    await line.expectSilence();
    line.ack('stored', frame);
    expect(await sent).toMatchObject({ receipt: 'stored' });
    expect((await line.next()).msg_type).toBe('logout');
    line.close(1000);
    await out;
  });

  test('fails what waits for a later receipt, and does not wait for a connection that is lost', async () => {
    const { client, line } = await dialogue();
    const [receipt, unanswered] = ['r', 'u'].map((content) => codeOf(client.sendMessage(content, 'text', 'bob', { receipt: 'processed' })));
    const [frame] = await line.take(2);
    line.ack('stored', frame!);
    const out = client.logout();
    line.cut();
    await out;
    expect([await receipt, await unanswered]).toEqual(['CC_CLOSED', 'CC_CLOSED']);
    expect(client.status).toEqual({ state: 'closed', reason: undefined });
  });
});

describe('a hub that shuts down', () => {
  test('says when to come back, which is no problem; what is sent meanwhile waits for the next connection', async () => {
    const { client, hub, line } = await dialogue({ reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000 } });
    const problems: unknown[] = [];
    client.onError((error) => problems.push(error));
    const first = client.sendMessage('1', 'text', 'bob');
    const frame = await line.next();
    line.error({ code: 'CC_SHUTTING_DOWN', retry_after: 0.05 });
    line.ack('stored', frame);
    await first;
    const second = client.sendMessage('2', 'text', 'bob');
    const broadcast = client.sendMessage('3', 'text');
    await line.expectSilence();
    line.close(1012);
    await untilState(client, 'reconnecting');
    expect(client.status).toMatchObject({ attempt: 1, nextDelayMs: 50, reason: { code: 'CC_SHUTTING_DOWN' } });
    const next = await hub.welcome();
    const frames = await next.take(2);
    expect(contentsOf(frames)).toEqual(['2', '3']);
    next.ack('stored', frames[0]!);
    await Promise.all([second, broadcast]);
    expect(problems).toEqual([]);
  });
});

describe('back-pressure', () => {
  test('tells when what is buffered has fallen to half of the bound', async () => {
    const { client, line } = await dialogue({ queueMaxBytes: 10_000 });
    let drained = 0;
    const stop = client.onDrain(() => drained++);
    const sent = Array.from({ length: 4 }, () => client.sendMessage('x'.repeat(1_500), 'text', 'bob'));
    expect(client.bufferedBytes).toBeGreaterThan(6_000);
    expect(await codeOf(client.sendMessage('x'.repeat(5_000), 'text', 'bob'))).toBe('CC_QUEUE_FULL');
    const frames = await line.take(4);
    expect(drained).toBe(0);
    line.ack('stored', ...frames.slice(0, 2));
    await until(() => drained === 1, 'the drain');
    line.ack('stored', ...frames.slice(2));
    await Promise.all(sent);
    expect(drained).toBe(1);
    stop();
  });
});

describe('the announcement', () => {
  test('holds all that the client can do, and the will', async () => {
    const { line } = await dialogue({ maxUnconfirmed: 9, will: { toClientId: 'group:ops', msgType: 'bytes', content: Uint8Array.of(1) } });
    expect(line.announced).toEqual({
      protocol: 2,
      features: [...FEATURES],
      limits: { max_message_bytes: 1_048_576, max_unconfirmed: 9 },
      will: { to_client_id: 'group:ops', msg_type: 'bytes', content: 'AQ==' },
    });
  });

  test('of a client without mailbox does not want one', async () => {
    const { line } = await dialogue({ mailbox: false });
    expect(line.announced).toMatchObject({ features: FEATURES.filter((feature) => feature !== 'mailbox') });
  });

  test.each([
    [{ toClientId: 'bob', msgType: 'file', content: './x' }, 'CC_INVALID_OPTION'],
    [{ toClientId: 'bob', msgType: 'text', content: 'x'.repeat(2_100) }, 'CC_INVALID_OPTION'],
    [{ toClientId: '', msgType: 'text', content: 'x' }, 'CC_INVALID_CLIENT_ID'],
    [{ toClientId: 'bob', msgType: 'login', content: 'x' }, 'CC_TYPE_NOT_ALLOWED'],
    [{ toClientId: 'bob', msgType: 'json', content: '{' }, 'CC_INVALID_CONTENT'],
  ] as const)('refuses the will %#', (will, code) => {
    expect(() => newClient({ will })).toThrow(expect.objectContaining({ code }));
  });
});
