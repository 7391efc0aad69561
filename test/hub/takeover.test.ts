import { describe, expect, test } from '@jest/globals';
import type { ClientEvent } from '../../src/clients/index.js';
import { expectOneTruth, readTruth } from '../support/one-truth.js';
import { openHub, pause, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { RawSocket } from '../support/raw-socket.js';
import { announcing, wireFrame } from '../support/wire.js';

describe('A second login with the same id', () => {
  test('replaces the first: 4009 to the old socket, mail to the new one', async () => {
    const hub = await openHub();
    const witness = await RawClient.announced(hub.url, 'witness');
    const first = await RawClient.old(hub.url, 'dup');
    const second = await RawClient.old(hub.url, 'dup');
    expect(await first.closed()).toMatchObject({ code: 4009 });
    expect(first.unread).toEqual([]);
    await expectOneTruth(hub, witness, ['witness', 'dup']);
    await readTruth(second);
  });

  test('is not hurt by the end of the old socket, however late that comes', async () => {
    const hub = await openHub({ closeTimeoutMs: 300 });
    const witness = await RawClient.announced(hub.url, 'witness');
    // a peer that answers no close, like the Java client: its TCP lives until the hub cuts it
    const old = await RawSocket.upgrade(hub.port);
    old.sendText(JSON.stringify(wireFrame({ from_client_id: 'dup', msg_type: 'login', content: {} })));
    await old.frame();
    const events: ClientEvent[] = [];
    hub.service.clientEvents.subscribe((event) => events.push(event));
    const fresh = await RawClient.old(hub.url, 'dup');
    expect(await old.closeCode()).toBe(4009);
    await expectOneTruth(hub, witness, ['witness', 'dup']);
    await old.ended(2_000);
    await untilConnections(hub, 2);
    await expectOneTruth(hub, witness, ['witness', 'dup']);
    await readTruth(fresh);
    expect(events).toEqual([{ type: 'joined', clientId: 'dup', at: expect.any(Number), takeover: true }]);
  });

  test('cannot be undone by what the old socket still sends', async () => {
    const hub = await openHub({ closeTimeoutMs: 500 });
    const witness = await RawClient.announced(hub.url, 'witness');
    const old = await RawSocket.upgrade(hub.port);
    const login = JSON.stringify(wireFrame({ from_client_id: 'dup', msg_type: 'login', content: {} }));
    old.sendText(login);
    await old.frame();
    const fresh = await RawClient.old(hub.url, 'dup');
    expect(await old.closeCode()).toBe(4009);
    old.sendText(JSON.stringify(wireFrame({ from_client_id: 'dup', to_client_id: 'witness', content: 'ghost' })));
    old.sendText(JSON.stringify(wireFrame({ from_client_id: 'dup', msg_type: 'logout', content: {} })));
    old.sendText(login);
    await pause(50);
    expect(fresh.socket.readyState).toBe(fresh.socket.OPEN);
    await expectOneTruth(hub, witness, ['witness', 'dup']);
    await readTruth(fresh);
  });

  test('on the same socket keeps it and its place', async () => {
    const hub = await openHub();
    const client = await RawClient.announced(hub.url, 'dup');
    await client.login('dup', announcing());
    await expectOneTruth(hub, client, ['dup']);
  });

  test('is refused when duplicateLogin is "reject", and the first session stays untouched', async () => {
    const hub = await openHub({ duplicateLogin: 'reject' });
    const first = await RawClient.announced(hub.url, 'dup');
    const announced = await RawClient.connect(hub.url);
    expect((await announced.login('dup', announcing())).content).toMatchObject({ status: 'error', code: 'CC_ALREADY_ONLINE' });
    expect(await announced.closed()).toEqual({ code: 4003, reason: 'CC_ALREADY_ONLINE' });
    const old = await RawClient.connect(hub.url);
    old.send(wireFrame({ from_client_id: 'dup', msg_type: 'login', content: {} }));
    expect((await old.closed()).code).toBe(4003);
    expect(old.unread).toEqual([]);
    await expectOneTruth(hub, first, ['dup']);
    await first.login('dup', announcing());
    await first.close();
    await untilConnections(hub, 0);
    const next = await RawClient.announced(hub.url, 'dup');
    await expectOneTruth(hub, next, ['dup']);
  });

  test('a hundred in a row leave one session, the last', async () => {
    const hub = await openHub();
    const clients = [];
    for (let i = 0; i < 100; i++) clients.push(await RawClient.announced(hub.url, 'dup'));
    const last = clients.pop() as RawClient;
    for (const client of clients) expect((await client.closed()).code).toBe(4009);
    await untilConnections(hub, 1);
    await expectOneTruth(hub, last, ['dup']);
  });
});
