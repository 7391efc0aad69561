import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ClientEvent, CrossCommService } from '../../src/index.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { RawClient } from './raw-client.js';
import { waitUntil } from './wait-until.js';

describe('CrossCommService', () => {
  let hub: TestHub;
  let service: CrossCommService;
  let alice: RawClient;
  let bob: RawClient;

  beforeAll(async () => {
    hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false });
    ({ service } = hub);
    alice = await RawClient.login(hub.url, 'alice');
    bob = await RawClient.login(hub.url, 'bob', { protocol: 2 });
  });

  afterEach(() => {
    alice.received.length = 0;
    bob.received.length = 0;
  });

  afterAll(async () => {
    await Promise.all([alice.close(), bob.close()]);
    await hub.close();
  });

  test('sends to one client as "server", with the seven keys', async () => {
    const { msgId, delivered } = await service.sendMessage('hi', 'text', 'alice');
    expect(delivered).toBe(1);
    const envelope = await alice.next();
    expect(envelope).toEqual({ msgId, fromClientId: 'server', toClientId: 'alice', msgType: 'text', content: 'hi', timestamp: expect.any(Number), ossKey: null });
    expect(msgId).toMatch(/^server_\d{13}_[0-9a-f]{8}$/);
    expect(Math.abs(envelope.timestamp - Date.now() / 1000)).toBeLessThan(10);
    await bob.settled();
    expect(bob.received).toEqual([]);
  });

  test('sends to all by default', async () => {
    expect(await service.sendMessage('to all', 'text')).toMatchObject({ delivered: 2 });
    for (const client of [alice, bob]) expect(await client.next()).toMatchObject({ content: 'to all', toClientId: 'all' });
  });

  test.each<[string, Parameters<CrossCommService['sendMessage']>[1], unknown, unknown]>([
    ['text takes anything and sends its text', 'text', 42, '42'],
    ['json takes an object and sends its JSON text', 'json', { a: [1, null] }, '{"a":[1,null]}'],
    ['json takes JSON text and sends it as it is', 'json', '{"a" : 1}', '{"a" : 1}'],
    ['dict takes an object and sends it', 'dict', { a: { b: true } }, { a: { b: true } }],
    ['bytes takes a Uint8Array and sends base64', 'bytes', Uint8Array.of(0, 255, 16), 'AP8Q'],
    ['bytes takes a Buffer and sends base64', 'bytes', Buffer.from('hub'), 'aHVi'],
    ['bytes takes an ArrayBuffer and sends base64', 'bytes', Uint8Array.of(1, 2).buffer, 'AQI='],
    ['bytes takes base64 text and sends it as it is', 'bytes', 'AP8Q', 'AP8Q'],
  ])('%s', async (_rule, msgType, content, wire) => {
    await service.sendMessage(content, msgType, 'alice');
    expect(await alice.next()).toMatchObject({ msgType, content: wire });
  });

  test.each<[string, Parameters<CrossCommService['sendMessage']>[1], unknown]>([
    ['json text that does not parse', 'json', '{'],
    ['NaN in a dict', 'dict', { a: Number.NaN }],
    ['a bigint', 'dict', { a: 1n }],
    ['a function', 'json', () => 1],
    ['bytes from a number', 'bytes', 7],
    ['a file without a path', 'file', ''],
  ])('refuses %s with CC_INVALID_CONTENT', async (_what, msgType, content) => {
    await expect(service.sendMessage(content, msgType, 'alice')).rejects.toMatchObject({ code: 'CC_INVALID_CONTENT' });
    await alice.settled();
    expect(alice.received).toEqual([]);
  });

  test('refuses an id that nobody has, and a message larger than its receiver takes', async () => {
    await expect(service.sendMessage('hi', 'text', 'ghost')).rejects.toMatchObject({ code: 'CC_UNKNOWN_CLIENT', data: { to_client_id: 'ghost' } });
    await expect(service.sendMessage('x'.repeat(1_048_576), 'text', 'alice')).rejects.toMatchObject({ code: 'CC_RECEIVER_LIMIT' });
  });

  test('refuses files when there is no storage', async () => {
    await expect(service.sendMessage(import.meta.filename, 'file', 'alice')).rejects.toMatchObject({ code: 'CC_UNSUPPORTED' });
  });

  test('lists clients, online ones first', async () => {
    const carol = await RawClient.login(hub.url, 'carol');
    expect(service.getOnlineClients()).toEqual(['alice', 'bob', 'carol']);
    await carol.close();
    await waitUntil(() => service.getOnlineClients().length === 2);
    const { clients, totalCount } = service.listClients();
    expect(totalCount).toBe(3);
    expect(clients.map(({ clientId, status }) => `${clientId} ${status}`)).toEqual(['alice online', 'bob online', 'carol offline']);
    expect(clients[0]).toMatchObject({ transport: 'websocket', remoteAddress: expect.stringContaining('127.0.0.1') });
    expect(service.listClients({ onlyShowOnline: true })).toMatchObject({ totalCount: 2 });
  });

  test('tells who joins, leaves and takes over', async () => {
    const events: ClientEvent[] = [];
    const subscription = service.clientEvents.subscribe((event) => events.push(event));
    const first = await RawClient.login(hub.url, 'dave');
    const second = await RawClient.login(hub.url, 'dave');
    expect((await first.ended).code).toBe(4009);
    second.send({ msgType: 'logout', toClientId: 'server' });
    await waitUntil(() => events.length === 3);
    const third = await RawClient.login(hub.url, 'dave');
    await third.close();
    await waitUntil(() => events.length === 5);
    subscription.unsubscribe();
    await second.close();
    const at = expect.any(Number);
    expect(events).toEqual([
      { type: 'joined', clientId: 'dave', at, takeover: false },
      { type: 'joined', clientId: 'dave', at, takeover: true },
      { type: 'left', clientId: 'dave', at, reason: 'logout' },
      { type: 'joined', clientId: 'dave', at, takeover: false },
      { type: 'left', clientId: 'dave', at, reason: 'closed' },
    ]);
  });

  test('disconnects a client with 4000 and the reason, which takes it offline at once', async () => {
    const events: ClientEvent[] = [];
    const subscription = service.clientEvents.subscribe((event) => events.push(event));
    const eve = await RawClient.login(hub.url, 'eve');
    service.disconnectClient('eve', 'maintenance');
    expect(service.getOnlineClients()).not.toContain('eve');
    expect(await eve.ended).toEqual({ code: 4000, reason: 'maintenance' });
    subscription.unsubscribe();
    expect(events.map((event) => (event.type === 'left' ? event.reason : event.type))).toEqual(['joined', 'disconnected']);
    expect(() => service.disconnectClient('eve')).toThrow(expect.objectContaining({ code: 'CC_UNKNOWN_CLIENT' }));
  });
});
