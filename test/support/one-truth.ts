import { expect } from '@jest/globals';
import type { TestHub } from '../../src/testing/index.js';
import type { RawClient } from './raw-client.js';
import type { WireFrame } from './wire.js';

/**
 * Asserts that the list, `getOnlineClients`, presence and delivery say the same: exactly `online` are online.
 * @param witness an announced client that is online; it is told by the hub about whom it cannot reach
 */
export async function expectOneTruth(hub: TestHub, witness: RawClient, online: readonly string[]): Promise<void> {
  const everyone = [...hub.service.listClients().clients].map((client) => client.clientId);
  expect(hub.service.getOnlineClients()).toEqual(online);
  expect(await witness.list(true)).toEqual(online);
  witness.send({ msg_type: 'list_clients', content: { only_show_online: false } });
  const { content } = await witness.next();
  const { clients } = JSON.parse(content as string) as { clients: { client_id: string; status: string }[] };
  expect(clients.map(({ client_id }) => client_id).sort()).toEqual(everyone.sort());
  for (const { client_id, status } of clients) expect([client_id, status]).toEqual([client_id, online.includes(client_id) ? 'online' : 'offline']);
  for (const id of everyone.filter((client) => !online.includes(client))) {
    witness.send({ to_client_id: id });
    expect((await witness.next()).content).toMatchObject({ code: 'CC_UNKNOWN_CLIENT', data: { to_client_id: id } });
  }
  for (const id of online) witness.send({ to_client_id: id, content: `truth for ${id}` });
  // its own echo comes back and no error besides: everyone online took the message
  expect((await witness.next()).content).toBe(`truth for ${witness.id}`);
  await witness.expectNothingElse();
}

/** Reads frames until the one that {@link expectOneTruth} sent to this client. */
export async function readTruth(client: RawClient): Promise<WireFrame> {
  for (;;) {
    const frame = await client.next();
    if (frame.content === `truth for ${client.id}`) return frame;
  }
}
