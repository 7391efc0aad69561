import { describe, expect, test } from '@jest/globals';
import { CrossCommClient } from '../../src/sdk/index.node.js';
import { onCleanUp } from '../support/clean-up.js';
import { openHub, pause, until, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket } from '../support/raw-socket.js';
import { announcing, type WireFrame } from '../support/wire.js';
import type { TestHub } from '../../src/testing/index.js';

const UPGRADE = ['GET / HTTP/1.1', 'Host: hub', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version: 13'];

const refusals = (hub: TestHub) => hub.service.refusalCounts;

describe('Connections', () => {
  test('one more than maxConnections is answered 503 with Retry-After, and passes when another has left', async () => {
    const hub = await openHub({ maxConnections: 2 });
    const [first] = [await RawClient.connect(hub.url), await RawClient.old(hub.url, 'bob')];
    const { head } = await RawSocket.request(hub.port, UPGRADE);
    expect(head).toMatch(/^HTTP\/1\.1 503 .*\r\n(?:.*\r\n)*Retry-After: \d+/);
    expect(refusals(hub).hub_full).toBe(1);
    await first.close();
    await untilConnections(hub, 1);
    await RawClient.old(hub.url, 'carol');
  });

  test('one more than maxConnectionsPerAddress is answered 429, other addresses still pass', async () => {
    const hub = await openHub({ maxConnectionsPerAddress: 1 });
    await RawClient.old(hub.url, 'alice');
    const { head } = await RawSocket.request(hub.port, UPGRADE);
    expect(head).toMatch(/^HTTP\/1\.1 429 .*\r\n(?:.*\r\n)*Retry-After: \d+/);
    expect(refusals(hub)).toMatchObject({ address_full: 1, hub_full: 0 });
    const other = await RawClient.connect(hub.url, { localAddress: '127.0.0.2' });
    expect((await other.login('bob')).content).toEqual({ status: 'success' });
  });

  test('an upgrade that is no WebSocket is not counted', async () => {
    const hub = await openHub({ maxConnections: 1 });
    const { head } = await RawSocket.request(hub.port, UPGRADE.slice(0, 4));
    expect(head).toMatch(/^HTTP\/1\.1 400/);
    await RawClient.old(hub.url, 'alice');
  });

  test('0 switches the limits off', async () => {
    const hub = await openHub({ maxConnections: 0, maxConnectionsPerAddress: 0 });
    for (const id of ['a', 'b', 'c']) await RawClient.old(hub.url, id);
    expect(hub.registry.onlineCount).toBe(3);
  });
});

describe('Logins', () => {
  test('an announced login beyond the rate is answered CC_RATE_LIMITED with retry_after, closed with 4029, and passes later', async () => {
    const hub = await openHub({ loginsPerSecond: 5, loginBurst: 2 });
    await RawClient.old(hub.url, 'a');
    await RawClient.old(hub.url, 'b');
    const late = await RawClient.connect(hub.url);
    const { content } = await late.login('late', announcing());
    expect(content).toMatchObject({ status: 'error', code: 'CC_RATE_LIMITED', retry_after: expect.any(Number) });
    const { retry_after } = content as { retry_after: number };
    expect(retry_after).toBeGreaterThan(0);
    expect(retry_after).toBeLessThanOrEqual(0.2);
    expect(await late.closed()).toEqual({ code: 4029, reason: 'CC_RATE_LIMITED' });
    expect(hub.registry.find('late')).toBeUndefined();
    expect(refusals(hub).login_rate).toBe(1);
    await pause(retry_after * 1000 + 5);
    await RawClient.announced(hub.url, 'late');
  });

  test('an old client is only closed with 4029', async () => {
    const hub = await openHub({ loginsPerSecond: 0.1, loginBurst: 1 });
    await RawClient.old(hub.url, 'a');
    const late = await RawClient.connect(hub.url);
    late.id = 'late';
    late.send({ msg_type: 'login', content: {} });
    expect((await late.closed()).code).toBe(4029);
    expect(late.unread).toEqual([]);
  });

  test('logins again and again on one connection count too', async () => {
    const hub = await openHub({ loginsPerSecond: 0.1, loginBurst: 3 });
    const alice = await RawClient.old(hub.url, 'alice');
    for (let n = 0; n < 3; n++) alice.send({ msg_type: 'login', content: {} });
    expect((await alice.closed()).code).toBe(4029);
  });

  test('one address does not use up the rate of another', async () => {
    const hub = await openHub({ loginsPerSecond: 0.1, loginBurst: 1 });
    await RawClient.old(hub.url, 'a');
    const other = await RawClient.connect(hub.url, { localAddress: '127.0.0.2' });
    expect((await other.login('b')).content).toEqual({ status: 'success' });
  });
});

describe('Messages', () => {
  test('a flood is slowed down to the rate; nothing is lost, the order is kept, others are not slowed down', async () => {
    const hub = await openHub({ messagesPerSecond: 500, heartbeatInterval: 0.1, heartbeatTimeout: 0.4 });
    const [flooder, bob] = [await RawClient.old(hub.url, 'flooder'), await RawClient.old(hub.url, 'bob')];
    const heartbeat = setInterval(() => bob.send({ msg_type: 'heartbeat', content: {} }), 50);
    const count = 1_600;
    const startedMs = performance.now();
    for (let n = 0; n < count; n++) {
      flooder.send({ to_client_id: 'bob', content: `${n}${' '.repeat(1_000)}` });
      // the hub shares this thread, and must not stand still for its own heartbeat time-out
      if (n % 100 === 0) await new Promise(setImmediate);
    }
    await until(() => refusals(hub).message_rate > 0, 'a stop');
    const dave = await RawClient.old(hub.url, 'dave');
    await dave.expectNothingElse();
    const received: number[] = [];
    while (received.length < count) received.push(Number.parseInt((await bob.next()).content as string, 10));
    clearInterval(heartbeat);
    expect(received).toEqual(Array.from({ length: count }, (_, n) => n));
    // two seconds' worth at once, then the rate
    expect(performance.now() - startedMs).toBeGreaterThan((count - 1_000) / 0.5 - 150 - 500);
    // it was silent for the hub longer than the heartbeat time-out, and still is online
    expect(hub.registry.find('flooder')).toBeDefined();
    await flooder.expectNothingElse();
  });

  test('an announced client is told once per stop, with retry_after', async () => {
    const hub = await openHub({ messagesPerSecond: 20 });
    const alice = await RawClient.announced(hub.url, 'alice');
    for (let n = 0; n < 45; n++) alice.send({ to_client_id: 'server', content: 'x' });
    const { msg_type, content } = await alice.next();
    expect(msg_type).toBe('error');
    expect(content).toMatchObject({ reply_to: null, code: 'CC_RATE_LIMITED', retry_after: expect.any(Number) });
    expect((content as { retry_after: number }).retry_after).toBeGreaterThan(0.3);
    await alice.expectNothingElse();
    expect(refusals(hub).message_rate).toBe(1);
  });

  test('the SDK reports it once, stays online and loses nothing', async () => {
    const hub = await openHub({ messagesPerSecond: 100 });
    const bob = await RawClient.old(hub.url, 'bob');
    const alice = new CrossCommClient({ url: hub.url, clientId: 'alice' });
    onCleanUp(() => alice.logout());
    const problems: unknown[] = [];
    alice.onError((error) => problems.push(error));
    await alice.login();
    for (let n = 0; n < 240; n++) await alice.sendMessage(String(n), 'text', 'bob', { delivery: 'live' });
    for (let n = 0; n < 240; n++) expect((await bob.next()).content).toBe(String(n));
    await until(() => problems.length > 0, 'the report');
    expect(problems).toEqual([expect.objectContaining({ code: 'CC_RATE_LIMITED', retryAfter: expect.any(Number) })]);
    expect(alice.status).toMatchObject({ state: 'online' });
  });

  test('bytes count too', async () => {
    const hub = await openHub({ messagesPerSecond: 0, bytesPerSecond: 500_000 });
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const startedMs = performance.now();
    for (let n = 0; n < 4; n++) alice.send({ to_client_id: 'bob', content: `${n}${'x'.repeat(400_000)}` });
    for (let n = 0; n < 4; n++) expect(((await bob.next()).content as string)[0]).toBe(String(n));
    expect(performance.now() - startedMs).toBeGreaterThan(300);
    expect(refusals(hub).message_rate).toBeGreaterThan(0);
  });

  test('0 switches the rates off', async () => {
    const hub = await openHub({ messagesPerSecond: 0, bytesPerSecond: 0 });
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    for (let n = 0; n < 10_000; n++) alice.send({ to_client_id: 'bob', content: '' });
    let last: WireFrame | undefined;
    for (let n = 0; n < 10_000; n++) last = await bob.next();
    expect(last?.from_client_id).toBe('alice');
    expect(refusals(hub).message_rate).toBe(0);
  });

  test('a client that is stopped can be disconnected, and its close is answered', async () => {
    const hub = await openHub({ messagesPerSecond: 5, closeTimeoutMs: 3_000 });
    const alice = await RawClient.old(hub.url, 'alice');
    for (let n = 0; n < 30; n++) alice.send({ to_client_id: 'server', content: '' });
    await until(() => refusals(hub).message_rate > 0, 'a stop');
    const startedMs = performance.now();
    hub.service.disconnectClient('alice');
    expect((await alice.closed()).code).toBe(4000);
    await untilConnections(hub, 0);
    expect(performance.now() - startedMs).toBeLessThan(1_500);
  });

  test('a hub whose clients are stopped shuts down in time', async () => {
    const hub = await openHub({ messagesPerSecond: 1 });
    const alice = await RawClient.old(hub.url, 'alice');
    for (let n = 0; n < 30; n++) alice.send({ to_client_id: 'server', content: '' });
    await until(() => refusals(hub).message_rate > 0, 'a stop');
    await hub.close();
    expect((await alice.closed()).code).toBe(1012);
  });
});
