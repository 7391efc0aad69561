import { describe, expect, test } from '@jest/globals';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertSendable } from '../../src/gateway/list-reply.js';
import type { Connection } from '../../src/clients/index.js';
import { openHub, temporaryDirectory, until } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

/** A hub that remembers so many clients that listing them takes it milliseconds. */
async function hubWithLongList(): ReturnType<typeof openHub> {
  const dataDir = await temporaryDirectory();
  const yaml = Array.from({ length: 6_000 }, (_, n) => `client-${n}:\n  last_seen: 1700000000.5\n  status: offline\n`).join('');
  await writeFile(join(dataDir, 'cross_comm_clients.yaml'), yaml);
  return openHub({ dataDir });
}

const list = { msg_type: 'list_clients', content: null } as const;

describe('Who asks for much', () => {
  test('is answered in turn with others, however much it has sent at once', async () => {
    const hub = await hubWithLongList();
    const [greedy, bob] = [await RawClient.announced(hub.url, 'greedy'), await RawClient.announced(hub.url, 'bob')];
    for (let n = 0; n < 300; n++) greedy.send(list);
    bob.send({ msg_type: 'request', msg_id: 'p', content: { action: 'ping' } });
    expect((await bob.next()).content).toEqual({ reply_to: 'p', data: null });
    expect(greedy.unread.length).toBeLessThan(100);
    await until(() => greedy.unread.length >= 300, 'all its answers in the end', 30_000);
  }, 40_000);

  test('uses up its rate by the time it takes the hub', async () => {
    const hub = await hubWithLongList();
    const greedy = await RawClient.announced(hub.url, 'greedy');
    for (let n = 0; n < 500; n++) greedy.send(list);
    await until(() => hub.service.refusalCounts.message_rate > 0, 'a stop', 30_000);
    expect(greedy.unread.length).toBeLessThan(500);
  }, 40_000);

  test('gets no answer that is too large to be made, whatever it says it can take', () => {
    expect(() => assertSendable({ maxReceiveBytes: 1e15 } as Connection, 300_000)).not.toThrow();
    expect(() => assertSendable({ maxReceiveBytes: 1e15 } as Connection, 400_000)).toThrow('CC_RECEIVER_LIMIT');
    expect(() => assertSendable({ maxReceiveBytes: 1_024 } as Connection, 21)).toThrow('CC_RECEIVER_LIMIT');
  });
});
