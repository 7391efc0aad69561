import { describe, expect, test } from '@jest/globals';
import { RequestRouter } from '../../src/delivery/index.js';
import type { TestHub } from '../../src/testing/index.js';
import { openHub, pause, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { ask, peer, request, respond } from './peers.js';

const stats = (hub: TestHub): unknown => hub.app.get(RequestRouter).stats;

function errorOf(replyTo: string | null, code: string, more: Readonly<Record<string, unknown>> = {}): unknown {
  return { msg_type: 'error', from_client_id: 'server', content: { reply_to: replyTo, code, message: expect.stringMatching(new RegExp(`^${code}: `)), ...more } };
}

async function pair(options: Parameters<typeof openHub>[0] = {}): Promise<{ hub: TestHub; alice: RawClient; bob: RawClient }> {
  const hub = await openHub(options);
  return { hub, alice: await peer(hub, 'alice'), bob: await peer(hub, 'bob') };
}

describe('A request to another client', () => {
  test('reaches it as the bytes that were sent, and so does its answer', async () => {
    const { hub, alice, bob } = await pair();
    const asked = '{"msg_id":"r1", "from_client_id":"alice","to_client_id":"bob","msg_type":"request","content":{"action":"add","data":12345678901234567890},"timestamp":1.50,"oss_key":null}';
    alice.send(asked);
    expect(await bob.nextText()).toBe(asked);
    const answer = '{"msg_id":"a1","from_client_id":"bob", "to_client_id":"alice","msg_type":"response","content":{"reply_to":"r1","data":98765432109876543210},"timestamp":2.50,"oss_key":null}';
    bob.send(answer);
    expect(await alice.nextText()).toBe(answer);
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 0 });
  });

  test('may be answered with an error of the client', async () => {
    const { alice, bob } = await pair();
    request(alice, 'bob', 'r1');
    await bob.next();
    const answer = respond(bob, 'alice', { reply_to: 'r1', error: { code: 'CC_NO_HANDLER', message: 'none' } });
    expect(await alice.nextText()).toBe(answer);
  });

  test('may be answered in another order than it was asked', async () => {
    const { alice, bob } = await pair();
    for (const id of ['r1', 'r2', 'r3']) request(alice, 'bob', id);
    for (const id of ['r2', 'r3', 'r1']) respond(bob, 'alice', { reply_to: id, data: id });
    for (const id of ['r2', 'r3', 'r1']) expect(await alice.next()).toMatchObject({ content: { reply_to: id, data: id } });
  });

  test('may go to itself', async () => {
    const { alice } = await pair();
    const asked = request(alice, 'alice', 'r1');
    expect(await alice.nextText()).toBe(asked);
    const answer = respond(alice, 'alice', { reply_to: 'r1', data: 3 });
    expect(await alice.nextText()).toBe(answer);
  });

  test('is refused with CC_UNKNOWN_CLIENT when nobody of that id is online', async () => {
    const { alice } = await pair();
    request(alice, 'ghost', 'r1');
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_UNKNOWN_CLIENT', { data: { to_client_id: 'ghost' } }) as object);
  });

  test('is refused with CC_UNSUPPORTED when the client answers no requests, old or new, and does not reach it', async () => {
    const { hub, alice } = await pair();
    const [old, mute] = [await RawClient.old(hub.url, 'old'), await peer(hub, 'mute', { features: ['errors'] })];
    for (const client of [old, mute]) {
      request(alice, client.id, 'r1');
      expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_UNSUPPORTED', { data: { to_client_id: client.id } }) as object);
      await client.expectNothingElse();
    }
  });

  test.each(['all', 'group:team'])('is refused with CC_INVALID_CONTENT when it goes to %s', async (to) => {
    const { alice, bob } = await pair();
    request(alice, to, 'r1');
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_INVALID_CONTENT') as object);
    await bob.expectNothingElse();
  });

  test.each([{ action: '' }, { action: 7 }, { action: 'x'.repeat(129) }, { timeout_ms: 0 }, { timeout_ms: '5' }])('is refused with CC_INVALID_CONTENT when it has %j', async (content) => {
    const { alice, bob } = await pair();
    request(alice, 'bob', 'r1', content);
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_INVALID_CONTENT') as object);
    await bob.expectNothingElse();
  });

  test('is refused with CC_INVALID_CONTENT while one with its msg_id waits, and taken when that has ended', async () => {
    const { alice, bob } = await pair();
    request(alice, 'bob', 'r1');
    request(alice, 'bob', 'r1');
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_INVALID_CONTENT') as object);
    await bob.next();
    respond(bob, 'alice', { reply_to: 'r1', data: 1 });
    await alice.next();
    const again = request(alice, 'bob', 'r1');
    expect(await bob.nextText()).toBe(again);
  });

  test('is refused with CC_INVALID_CONTENT when its msg_id is too long to be repeated', async () => {
    const { alice, bob } = await pair();
    request(alice, 'bob', 'r'.repeat(1_025));
    expect(await alice.next()).toMatchObject(errorOf(null, 'CC_INVALID_CONTENT') as object);
    await bob.expectNothingElse();
  });

  test('is refused with CC_LIMIT_REACHED while too many of its client wait, which others do not feel', async () => {
    const { hub, alice, bob } = await pair({ delivery: { maxPendingRequests: 2 } });
    for (const id of ['r1', 'r2', 'r3']) request(alice, 'bob', id);
    expect(await alice.next()).toMatchObject(errorOf('r3', 'CC_LIMIT_REACHED', { data: { limit: 'maxPendingRequests', value: 2 } }) as object);
    for (const id of ['r1', 'r2']) expect(await bob.next()).toMatchObject({ msg_id: id });
    const carol = await peer(hub, 'carol');
    request(carol, 'bob', 'r4');
    expect(await bob.next()).toMatchObject({ msg_id: 'r4' });
    respond(bob, 'alice', { reply_to: 'r1', data: 1 });
    await alice.next();
    request(alice, 'bob', 'r5');
    expect(await bob.next()).toMatchObject({ msg_id: 'r5' });
  });

  test('is refused with CC_RECEIVER_LIMIT when it is too large for its receiver, and then nothing waits', async () => {
    const { hub, alice } = await pair();
    const small = await peer(hub, 'small', { limits: { max_message_bytes: 1_024 } });
    request(alice, 'small', 'r1', { data: 'x'.repeat(2_000) });
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_RECEIVER_LIMIT', { data: { to_client_id: 'small' } }) as object);
    await small.expectNothingElse();
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 0 });
  });
});

describe('The answer to a request', () => {
  test('is dropped and counted when nobody asked, when it is the second, and when another gives it', async () => {
    const { hub, alice, bob } = await pair();
    const carol = await peer(hub, 'carol');
    request(alice, 'bob', 'r1');
    await bob.next();
    respond(carol, 'alice', { reply_to: 'r1', data: 'forged' });
    await carol.expectNothingElse();
    const answer = respond(bob, 'alice', { reply_to: 'r1', data: 1 });
    respond(bob, 'alice', { reply_to: 'r1', data: 2 });
    respond(bob, 'alice', { reply_to: 'r9', data: 3 });
    await bob.expectNothingElse();
    expect(await alice.nextText()).toBe(answer);
    await alice.expectNothingElse();
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 3 });
  });

  test('is replaced by CC_RECEIVER_LIMIT when it is too large for who asked', async () => {
    const { hub, bob } = await pair();
    const small = await peer(hub, 'small', { limits: { max_message_bytes: 1_024 } });
    request(small, 'bob', 'r1');
    await bob.next();
    respond(bob, 'small', { reply_to: 'r1', data: 'x'.repeat(2_000) });
    expect(await small.next()).toMatchObject(errorOf('r1', 'CC_RECEIVER_LIMIT') as object);
    await small.expectNothingElse();
  });

  test.each(['response', 'cancel'])('%s that does not say what it is about is refused with CC_INVALID_CONTENT', async (msg_type) => {
    const { alice } = await pair();
    alice.send({ msg_type, msg_id: 'm1', to_client_id: 'bob', content: { data: 1 } });
    expect(await alice.next()).toMatchObject(errorOf('m1', 'CC_INVALID_CONTENT') as object);
  });

  test.each(['request', 'response', 'cancel'])('%s of an old client reaches nobody and is answered with silence', async (msg_type) => {
    const { hub, bob } = await pair();
    const old = await RawClient.old(hub.url, 'old');
    old.send({ msg_type, to_client_id: 'bob', content: { action: 'add', reply_to: 'r1' } });
    await old.expectNothingElse();
    await bob.expectNothingElse();
  });
});

describe('The end of a request without an answer', () => {
  test('comes with CC_TIMEOUT after its time; the receiver is told, and its late answer dropped', async () => {
    const { hub, alice, bob } = await pair();
    request(alice, 'bob', 'r1', { timeout_ms: 60 });
    request(alice, 'bob', 'r2', { timeout_ms: 60_000 });
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_TIMEOUT') as object);
    for (const id of ['r1', 'r2']) expect(await bob.next()).toMatchObject({ msg_id: id });
    expect(await bob.next()).toMatchObject({ msg_type: 'cancel', from_client_id: 'alice', to_client_id: 'bob', content: { reply_to: 'r1' } });
    respond(bob, 'alice', { reply_to: 'r1', data: 'late' });
    const answer = respond(bob, 'alice', { reply_to: 'r2', data: 'in time' });
    expect(await alice.nextText()).toBe(answer);
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 1 });
  });

  test('comes no later than the hub allows', async () => {
    const { alice } = await pair({ delivery: { maxRequestMs: 100 } });
    request(alice, 'bob', 'r1', { timeout_ms: 3_600_000 });
    request(alice, 'bob', 'r2');
    for (const id of ['r1', 'r2']) expect(await alice.next()).toMatchObject(errorOf(id, 'CC_TIMEOUT') as object);
  });

  test('comes silently when it is cancelled: the cancel is forwarded as it is', async () => {
    const { hub, alice, bob } = await pair();
    request(alice, 'bob', 'r1');
    await bob.next();
    const cancel = alice.send({ msg_type: 'cancel', to_client_id: 'bob', content: { reply_to: 'r1' } });
    expect(await bob.nextText()).toBe(cancel);
    respond(bob, 'alice', { reply_to: 'r1', data: 1 });
    await bob.expectNothingElse();
    await alice.expectNothingElse();
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 1 });
  });

  test('does not come with the cancel of somebody else, to somebody else or of another request', async () => {
    const { hub, alice, bob } = await pair();
    const carol = await peer(hub, 'carol');
    request(alice, 'bob', 'r1');
    await bob.next();
    carol.send({ msg_type: 'cancel', to_client_id: 'bob', content: { reply_to: 'r1' } });
    alice.send({ msg_type: 'cancel', to_client_id: 'carol', content: { reply_to: 'r1' } });
    alice.send({ msg_type: 'cancel', to_client_id: 'bob', content: { reply_to: 'r2' } });
    for (const client of [alice, carol, bob]) await client.expectNothingElse();
    const answer = respond(bob, 'alice', { reply_to: 'r1', data: 1 });
    expect(await alice.nextText()).toBe(answer);
  });

  test.each<[string, (client: RawClient, hub: TestHub) => unknown]>([
    ['disconnects', (client) => client.socket.terminate()],
    ['logs out', (client) => client.send({ msg_type: 'logout', content: {} })],
    ['is taken over', (client, hub) => peer(hub, client.id)],
    ['is disconnected by the hub', (client, hub) => hub.service.disconnectClient(client.id)],
  ])('comes with a cancel when who asked %s', async (_, leave) => {
    const { hub, alice, bob } = await pair();
    request(alice, 'bob', 'r1');
    expect(await bob.next()).toMatchObject({ msg_id: 'r1' });
    await leave(alice, hub);
    expect(await bob.next()).toMatchObject({ msg_type: 'cancel', from_client_id: 'alice', to_client_id: 'bob', content: { reply_to: 'r1' } });
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 0 });
  });

  test.each<[string, (client: RawClient, hub: TestHub) => unknown]>([
    ['disconnects', (client) => client.socket.terminate()],
    ['logs out', (client) => client.send({ msg_type: 'logout', content: {} })],
    ['is taken over', (client, hub) => peer(hub, client.id)],
  ])('comes with CC_UNKNOWN_CLIENT, once, when the receiver %s', async (_, leave) => {
    const { hub, alice, bob } = await pair();
    for (const id of ['r1', 'r2']) request(alice, 'bob', id);
    expect(await bob.next()).toMatchObject({ msg_id: 'r1' });
    await leave(bob, hub);
    for (const id of ['r1', 'r2']) expect(await alice.next()).toMatchObject(errorOf(id, 'CC_UNKNOWN_CLIENT', { data: { to_client_id: 'bob' } }) as object);
    await alice.expectNothingElse();
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 0 });
  });

  test('a new session of the receiver cannot answer what the old one was asked', async () => {
    const { hub, alice } = await pair();
    request(alice, 'bob', 'r1');
    const second = await peer(hub, 'bob');
    expect(await alice.next()).toMatchObject(errorOf('r1', 'CC_UNKNOWN_CLIENT') as object);
    respond(second, 'alice', { reply_to: 'r1', data: 1 });
    await second.expectNothingElse();
    await alice.expectNothingElse();
  });

  test('2,000 requests between four clients, some answered, cancelled and timed out, end once each', async () => {
    const hub = await openHub({ delivery: { maxPendingRequests: 2_000 } });
    const ids = ['a', 'b', 'c', 'd'];
    const clients = await Promise.all(ids.map((id) => peer(hub, id)));
    const endings = new Map<string, number>();
    const cancelled = new Set<string>();
    for (const client of clients)
      client.socket.on('message', (data: Buffer) => {
        const { msg_type, msg_id, from_client_id, content } = JSON.parse(data.toString()) as Record<string, string> & { content: { reply_to: string } };
        const number = Number(msg_id?.slice(1));
        if (msg_type === 'request' && number % 5 !== 4) respond(client, from_client_id ?? '', { reply_to: msg_id, data: number });
        if (msg_type === 'response' || msg_type === 'error') endings.set(content.reply_to, (endings.get(content.reply_to) ?? 0) + 1);
      });
    for (let n = 0; n < 2_000; n++) {
      const from = clients[n % 4] as RawClient;
      const to = ids[(n >> 2) % 4] as string;
      request(from, to, `r${n}`, { timeout_ms: 300 });
      if (n % 10 !== 9) continue;
      cancelled.add(`r${n}`);
      from.send({ msg_type: 'cancel', to_client_id: to, content: { reply_to: `r${n}` } });
    }
    const router = hub.app.get(RequestRouter);
    await until(() => endings.size >= 1_800 && router.stats.pending === 0, 'all requests have ended');
    // time for a second ending, should there be one
    await pause(100);
    expect([...endings.values()].filter((count) => count !== 1)).toEqual([]);
    // each tenth is among those that nobody answers, and was taken back in time
    expect([...endings.keys()].filter((id) => cancelled.has(id))).toEqual([]);
    expect(endings.size).toBe(1_800);
  });
});

describe('A request to the hub', () => {
  test('ping is answered with null', async () => {
    const { alice } = await pair();
    expect(await ask(alice, 'ping')).toMatchObject({ msg_type: 'response', from_client_id: 'server', content: { reply_to: 'ask', data: null } });
  });

  test('for an unknown action is answered with CC_UNKNOWN_ACTION', async () => {
    const { alice } = await pair();
    expect(await ask(alice, 'nonsense')).toMatchObject(errorOf('ask', 'CC_UNKNOWN_ACTION') as object);
  });
});

describe('CrossCommService.request', () => {
  test('asks a client as "server" and resolves with its answer', async () => {
    const { hub, bob } = await pair();
    const answered = hub.service.request('bob', 'add', { a: 1 });
    const asked = await bob.next();
    expect(asked).toMatchObject({ msg_type: 'request', from_client_id: 'server', to_client_id: 'bob', content: { action: 'add', data: { a: 1 } } });
    respond(bob, 'server', { reply_to: asked.msg_id, data: { sum: 3 } });
    expect(await answered).toEqual({ sum: 3 });
  });

  test('rejects with the error of the client', async () => {
    const { hub, bob } = await pair();
    const answered = hub.service.request('bob', 'add');
    const { msg_id } = await bob.next();
    respond(bob, 'server', { reply_to: msg_id, error: { code: 'CC_NO_HANDLER', message: 'CC_NO_HANDLER: none' } });
    await expect(answered).rejects.toMatchObject({ code: 'CC_NO_HANDLER' });
  });

  test('rejects with CC_TIMEOUT, CC_ABORTED, CC_UNKNOWN_CLIENT, CC_UNSUPPORTED, CC_INVALID_CONTENT and CC_INVALID_CLIENT_ID', async () => {
    const { hub, bob } = await pair();
    const { service } = hub;
    await RawClient.old(hub.url, 'old');
    await expect(service.request('bob', 'slow', null, { timeoutMs: 60 })).rejects.toMatchObject({ code: 'CC_TIMEOUT' });
    expect([await bob.next(), await bob.next()]).toMatchObject([{ msg_type: 'request' }, { msg_type: 'cancel', from_client_id: 'server' }]);
    const abort = new AbortController();
    const aborted = service.request('bob', 'slow', null, { signal: abort.signal });
    const { msg_id } = await bob.next();
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ code: 'CC_ABORTED' });
    expect(await bob.next()).toMatchObject({ msg_type: 'cancel', from_client_id: 'server', content: { reply_to: msg_id } });
    await expect(service.request('bob', 'slow', null, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'CC_ABORTED' });
    await expect(service.request('ghost', 'x')).rejects.toMatchObject({ code: 'CC_UNKNOWN_CLIENT' });
    await expect(service.request('old', 'x')).rejects.toMatchObject({ code: 'CC_UNSUPPORTED' });
    await expect(service.request('bob', 'x', 1n)).rejects.toMatchObject({ code: 'CC_INVALID_CONTENT' });
    await expect(service.request('all', 'x')).rejects.toMatchObject({ code: 'CC_INVALID_CLIENT_ID' });
    const left = service.request('bob', 'slow');
    await bob.next();
    bob.socket.terminate();
    await expect(left).rejects.toMatchObject({ code: 'CC_UNKNOWN_CLIENT' });
    expect(stats(hub)).toEqual({ pending: 0, droppedAnswers: 0 });
  });
});
