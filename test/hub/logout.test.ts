import { describe, expect, test } from '@jest/globals';
import type { ClientEvent } from '../../src/clients/index.js';
import { expectOneTruth, readTruth } from '../support/one-truth.js';
import { openHub, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

describe('Logout', () => {
  test('is not answered, leaves the socket open and nothing reaches it any more', async () => {
    const hub = await openHub();
    const witness = await RawClient.announced(hub.url, 'witness');
    const alice = await RawClient.old(hub.url, 'alice');
    alice.send({ msg_type: 'logout', content: {} });
    await alice.expectSilence(50);
    await expectOneTruth(hub, witness, ['witness']);
    witness.send({ to_client_id: 'all', content: 'missed' });
    alice.send({ to_client_id: 'witness', content: 'unheard' });
    await alice.login('alice');
    await expectOneTruth(hub, witness, ['witness', 'alice']);
    await readTruth(alice);
  });

  test('starts the time for a new login', async () => {
    const { url } = await openHub({ loginTimeoutMs: 200 });
    const alice = await RawClient.old(url, 'alice');
    alice.send({ msg_type: 'logout', content: {} });
    expect((await alice.closed()).code).toBe(4001);
  });

  test('and the end of a socket are told as events, once each', async () => {
    const hub = await openHub();
    const events: ClientEvent[] = [];
    hub.service.clientEvents.subscribe((event) => events.push(event));
    const [alice, bob, carol] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob'), await RawClient.old(hub.url, 'carol')];
    alice.send({ msg_type: 'logout', content: {} });
    await alice.close();
    await untilConnections(hub, 2);
    bob.socket.terminate();
    await untilConnections(hub, 1);
    hub.service.disconnectClient('carol', 'go away');
    expect(await carol.closed()).toEqual({ code: 4000, reason: 'go away' });
    await untilConnections(hub, 0);
    const told = events.map((event) => [event.clientId, event.type === 'left' ? event.reason : event.type]);
    expect(told).toEqual([
      ['alice', 'joined'],
      ['bob', 'joined'],
      ['carol', 'joined'],
      ['alice', 'logout'],
      ['bob', 'closed'],
      ['carol', 'disconnected'],
    ]);
    expect(() => hub.service.disconnectClient('carol')).toThrow(expect.objectContaining({ code: 'CC_UNKNOWN_CLIENT' }));
  });
});
