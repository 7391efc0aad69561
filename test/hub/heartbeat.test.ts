import { describe, expect, test } from '@jest/globals';
import { onCleanUp } from '../support/clean-up.js';
import { expectOneTruth } from '../support/one-truth.js';
import { openHub, pause } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

const FAST = { heartbeatInterval: 0.1, heartbeatTimeout: 0.3 } as const;

/** Sends `frame` so often that the client counts as alive. */
function keepAlive(client: RawClient, send: () => void): void {
  const timer = setInterval(() => client.socket.readyState === client.socket.OPEN && send(), 80);
  onCleanUp(() => clearInterval(timer));
}

describe('Heartbeat', () => {
  test('silence closes the socket with 4008 within the timeout and one second', async () => {
    const hub = await openHub(FAST);
    const witness = await RawClient.announced(hub.url, 'witness');
    keepAlive(witness, () => witness.send({ msg_type: 'heartbeat', content: {} }));
    const quiet = await RawClient.old(hub.url, 'quiet');
    const startMs = performance.now();
    expect((await quiet.closed()).code).toBe(4008);
    const tookMs = performance.now() - startMs;
    expect(tookMs).toBeGreaterThan(250);
    expect(tookMs).toBeLessThan(1_300);
    expect(quiet.unread).toEqual([]);
    await expectOneTruth(hub, witness, ['witness']);
  });

  test('any frame counts as life: a heartbeat, a message, also one that is refused', async () => {
    const hub = await openHub(FAST);
    const kinds: Readonly<Record<string, (client: RawClient) => void>> = {
      beats: (client) => void client.send({ msg_type: 'heartbeat', content: {} }),
      talks: (client) => void client.send({ to_client_id: 'server' }),
      lists: (client) => void client.send({ msg_type: 'list_clients', content: '' }),
      'talks nonsense': (client) => void client.send('{nope'),
      'talks in another id': (client) => void client.send({ from_client_id: 'eve' }),
    };
    for (const [id, send] of Object.entries(kinds)) {
      const client = await RawClient.old(hub.url, id);
      keepAlive(client, () => send(client));
    }
    await pause(1_000);
    expect(hub.service.getOnlineClients()).toEqual(Object.keys(kinds));
  });

  test('is never answered', async () => {
    const { url } = await openHub();
    const client = await RawClient.announced(url, 'alice');
    for (let i = 0; i < 5; i++) client.send({ msg_type: 'heartbeat', content: {} });
    await client.expectNothingElse();
  });
});
