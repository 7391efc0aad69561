import { describe, expect, test } from '@jest/globals';
import type { ClientEvent } from '../../src/clients/index.js';
import { expectOneTruth } from '../support/one-truth.js';
import { openHub, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

describe('A receiver that stops reading', () => {
  test('is closed within its bound, while others are not delayed and its sender goes on', async () => {
    const hub = await openHub({ maxBufferedBytes: 512 * 1024 });
    const events: ClientEvent[] = [];
    hub.service.clientEvents.subscribe((event) => events.push(event));
    const sender = await RawClient.announced(hub.url, 'sender');
    const stuck = await RawClient.old(hub.url, 'stuck');
    const reader = await RawClient.old(hub.url, 'reader');
    const connection = hub.registry.find('stuck')?.connection;
    stuck.socket.pause();
    const body = 'x'.repeat(64 * 1024);
    let mostBytes = 0;
    let slowestMs = 0;
    for (let n = 0; hub.registry.find('stuck') !== undefined; n++) {
      expect(n).toBeLessThan(1_000);
      const startMs = performance.now();
      const sent = sender.send({ to_client_id: 'all', content: `${n}${body}` });
      expect((await reader.nextText()) === sent).toBe(true);
      slowestMs = Math.max(slowestMs, performance.now() - startMs);
      mostBytes = Math.max(mostBytes, connection?.bufferedBytes ?? 0);
    }
    expect(mostBytes).toBeGreaterThan(300 * 1024);
    expect(mostBytes).toBeLessThanOrEqual(512 * 1024 + 1_024);
    expect(slowestMs).toBeLessThan(1_000);
    await expectOneTruth(hub, sender, ['sender', 'reader']);
    // what it gets when it reads again is the rest of its mail, then the end
    await untilConnections(hub, 2);
    expect(connection?.bufferedBytes).toBe(0);
    expect(events.at(-1)).toMatchObject({ type: 'left', clientId: 'stuck', reason: 'slow_receiver' });
  });

  test('learns 4013 when it reads again in time', async () => {
    const hub = await openHub({ maxBufferedBytes: 128 * 1024, closeTimeoutMs: 4_000 });
    const sender = await RawClient.old(hub.url, 'sender');
    const stuck = await RawClient.old(hub.url, 'stuck');
    stuck.socket.pause();
    for (let n = 0; hub.registry.find('stuck') !== undefined; n++) {
      sender.send({ to_client_id: 'stuck', content: 'x'.repeat(64 * 1024) });
      await sender.expectNothingElse();
    }
    stuck.socket.resume();
    expect((await stuck.closed()).code).toBe(4013);
  });

  test('does not block an announced sender, who is told that the receiver is gone', async () => {
    const hub = await openHub({ maxBufferedBytes: 128 * 1024 });
    const sender = await RawClient.announced(hub.url, 'sender');
    const stuck = await RawClient.old(hub.url, 'stuck');
    stuck.socket.pause();
    while (hub.registry.find('stuck') !== undefined) {
      sender.send({ to_client_id: 'stuck', content: 'x'.repeat(64 * 1024) });
      sender.send({ to_client_id: 'sender', content: 'marker' });
      const frame = await sender.next();
      if (frame.msg_type !== 'error') continue;
      expect(frame.content).toMatchObject({ code: 'CC_UNKNOWN_CLIENT', data: { to_client_id: 'stuck' } });
      expect((await sender.next()).content).toBe('marker');
    }
  });

  test('a burst far beyond the bound to a receiver that reads does not close it', async () => {
    const hub = await openHub();
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    const count = 300;
    for (let n = 0; n < count; n++) alice.send({ to_client_id: 'bob', content: `${n}:${'x'.repeat(64 * 1024)}` });
    for (let n = 0; n < count; n++) expect((await bob.next()).content).toMatch(new RegExp(`^${n}:`));
  });
});
