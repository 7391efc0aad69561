import { describe, expect, test } from '@jest/globals';
import { ClientRegistry, ClientsOptions, Connection, HeartbeatService, OutboundMessage, type ClientEvent, type SendOutcome } from '../../src/clients/index.js';
import { NoPresenceStore } from '../../src/clients/presence-store.js';
import { CloseCode, decodeEnvelope } from '../../src/protocol/index.js';

/** A connection without a socket that notes how it was closed. */
class NotedConnection extends Connection {
  override readonly transport = 'test';
  override readonly remoteAddress = '192.0.2.1';
  override readonly bufferedBytes = 0;
  override readonly maxReceiveBytes = 1_048_576;
  override readonly isReadingStopped = false;
  closed: CloseCode | undefined;

  override send(): SendOutcome {
    return 'sent';
  }

  override stopReading(): void {}

  override continueReading(): void {}

  override close(code: CloseCode): void {
    this.closed ??= code;
  }
}

function setUp(given: Partial<ClientsOptions> = {}): { registry: ClientRegistry; heartbeat: HeartbeatService; events: ClientEvent[] } {
  const options = Object.assign(new ClientsOptions(), given);
  const registry = new ClientRegistry(options, new NoPresenceStore());
  const events: ClientEvent[] = [];
  registry.events.subscribe((event) => events.push(event));
  return { registry, heartbeat: new HeartbeatService(registry, options), events };
}

function open(registry: ClientRegistry, id?: string): NotedConnection {
  const connection = new NotedConnection();
  registry.opened(connection);
  if (id !== undefined) registry.login(id, connection);
  return connection;
}

const ids = (registry: ClientRegistry): string[] => registry.list(false).map(({ clientId, status }) => `${clientId} ${status}`);

describe('The registry', () => {
  test('tells of joining and leaving, takeovers marked, reasons kept', () => {
    const { registry, events } = setUp();
    const first = open(registry, 'a');
    const second = open(registry, 'a');
    registry.closed(first, 'closed');
    registry.logout(second);
    registry.closed(second, 'closed');
    const third = open(registry, 'b');
    registry.closed(third, 'heartbeat_timeout');
    expect(events.map((event) => [event.clientId, event.type === 'joined' ? event.takeover : event.reason])).toEqual([
      ['a', false],
      ['a', true],
      ['a', 'logout'],
      ['b', false],
      ['b', 'heartbeat_timeout'],
    ]);
    expect(events.every(({ at }) => Math.abs(at - Date.now() / 1_000) < 5)).toBe(true);
  });

  test('hands out the connection that was replaced, and nothing for a login on the same one', () => {
    const { registry } = setUp();
    const first = open(registry, 'a');
    expect(registry.login('a', first)).toBeUndefined();
    expect(registry.login('a', open(registry))).toBe(first);
    expect(first.client).toBeUndefined();
    expect(registry.onlineCount).toBe(1);
  });

  test('an old connection cannot take a newer session offline in any way', () => {
    const { registry } = setUp();
    const first = open(registry, 'a');
    const second = open(registry, 'a');
    registry.logout(first);
    registry.closed(first, 'closed');
    expect(registry.find('a')?.connection).toBe(second);
    expect(second.number).toBeGreaterThan(first.number);
  });

  test('lists the online first in order of login, then who left, and forgets the longest gone beyond the bound', () => {
    const { registry } = setUp({ maxRememberedClients: 2 });
    const connections = ['a', 'b', 'c', 'd'].map((id) => open(registry, id));
    for (const connection of connections.slice(0, 3)) registry.closed(connection, 'closed');
    expect(ids(registry)).toEqual(['d online', 'b offline', 'c offline']);
    open(registry, 'b');
    expect(ids(registry)).toEqual(['d online', 'b online', 'c offline']);
    expect(registry.wireList(true).map(({ client_id }) => client_id)).toEqual(['d', 'b']);
  });
});

describe('The sweep', () => {
  const SILENT_MS = 61_000;

  test('ends who was silent for longer than the timeout, and nobody else', () => {
    const { registry, heartbeat, events } = setUp();
    const [silent, alive] = [open(registry, 'silent'), open(registry, 'alive')];
    const startMs = performance.now();
    // sweeps come regularly: one minute in steps of half a second
    for (let ms = 0; ms <= SILENT_MS; ms += 500) {
      const client = registry.find('alive');
      if (client !== undefined) client.lastHeardAtMs = startMs + ms;
      heartbeat.sweep(startMs + ms);
    }
    expect([silent.closed, alive.closed]).toEqual([CloseCode.HEARTBEAT_TIMEOUT, undefined]);
    expect(events.at(-1)).toMatchObject({ clientId: 'silent', reason: 'heartbeat_timeout' });
    expect(ids(registry)).toEqual(['alive online', 'silent offline']);
  });

  test('judges nobody right after the hub itself stood still', () => {
    const { registry, heartbeat } = setUp();
    const client = open(registry, 'a');
    const stranger = open(registry);
    const startMs = performance.now();
    heartbeat.sweep(startMs);
    heartbeat.sweep(startMs + 3_600_000);
    expect([client.closed, stranger.closed]).toEqual([undefined, undefined]);
    heartbeat.sweep(startMs + 3_600_500);
    expect([client.closed, stranger.closed]).toEqual([CloseCode.HEARTBEAT_TIMEOUT, CloseCode.LOGIN_TIMEOUT]);
  });

  test('ends who does not log in, counted anew from a logout', () => {
    const { registry, heartbeat } = setUp({ loginTimeoutMs: 1_000 });
    const stranger = open(registry);
    const leaver = open(registry, 'a');
    stranger.awaitingLoginSinceMs -= 2_000;
    leaver.awaitingLoginSinceMs -= 2_000;
    registry.logout(leaver);
    heartbeat.sweep(performance.now() - 10);
    heartbeat.sweep(performance.now());
    expect([stranger.closed, leaver.closed]).toEqual([CloseCode.LOGIN_TIMEOUT, undefined]);
    expect([...registry.awaitingLogin()]).toEqual([leaver]);
  });
});

describe('An outbound message', () => {
  test('makes each wire form once, for however many receivers', () => {
    const text = '{"msg_id":"1","from_client_id":"a","to_client_id":"b","msg_type":"text","content":1.0,"timestamp":1,"ext":{"k":1}}';
    const message = new OutboundMessage(decodeEnvelope(text, { allowExt: true }), Buffer.from(text));
    expect(message.frame.toString()).toBe(text);
    expect(message.legacyFrame.toString()).toBe(text.replace(',"ext":{"k":1}', ''));
    expect(message.legacyFrame).toBe(message.legacyFrame);
    const plain = new OutboundMessage(decodeEnvelope(text.replace(',"ext":{"k":1}', '')));
    expect(plain.legacyFrame).toBe(plain.frame);
  });
});
