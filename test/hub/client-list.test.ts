import { describe, expect, test } from '@jest/globals';
import { openHub, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';

interface List {
  readonly clients: readonly { readonly client_id: string; readonly status: string; readonly last_heartbeat: number; readonly login_time: number }[];
  readonly total_count: number;
  readonly only_show_online: unknown;
}

async function ask(client: RawClient, content: unknown): Promise<List> {
  client.send({ msg_type: 'list_clients', content });
  const answer = await client.next();
  expect(answer).toMatchObject({ msg_type: 'list_clients_response', from_client_id: 'server', to_client_id: client.id, oss_key: null });
  // the Java client fails on an object
  expect(typeof answer.content).toBe('string');
  return JSON.parse(answer.content as string) as List;
}

describe('list_clients', () => {
  test.each([
    ['a JSON string, as Python sends it', '{"only_show_online": true}', true],
    ['a compact JSON string, as Java sends it', '{"only_show_online":false}', false],
    ['an object', { only_show_online: true }, true],
    ['an object without the key', {}, false],
    ['an empty string', '', false],
    ['null', null, false],
    ['"yes", which is echoed', { only_show_online: 'yes' }, 'yes'],
    ['0, which is echoed', '{"only_show_online": 0}', 0],
    ['text that cannot be parsed', 'not json', false],
    ['a string that holds a list', '[]', false],
    ['a string that holds a number', '5', false],
    ['a number', 5, false],
    ['a list', [1], false],
    ['true', true, false],
  ])('takes %s', async (_what, content, echoed) => {
    const hub = await openHub();
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    await bob.close();
    await untilConnections(hub, 1);
    const list = await ask(alice, content);
    const online = [['alice', 'online']];
    expect(list.clients.map(({ client_id, status }) => [client_id, status])).toEqual(echoed ? online : [...online, ['bob', 'offline']]);
    expect(list.total_count).toBe(list.clients.length);
    expect(list.only_show_online).toBe(echoed);
  });

  test('tells times in Unix seconds: the login and the last sign of life', async () => {
    const { url } = await openHub();
    const before = Date.now() / 1000;
    const alice = await RawClient.old(url, 'alice');
    const [entry] = (await ask(alice, '')).clients;
    expect(Object.keys(entry ?? {})).toEqual(['client_id', 'status', 'last_heartbeat', 'login_time']);
    expect(entry?.login_time).toBeGreaterThanOrEqual(before - 0.1);
    expect(entry?.last_heartbeat).toBeGreaterThanOrEqual((entry?.login_time ?? 0) - 0.05);
    expect(entry?.last_heartbeat).toBeLessThanOrEqual(Date.now() / 1000 + 0.1);
  });

  test('requests in a row are answered in order, each once, on the asking socket', async () => {
    const { url } = await openHub();
    const [alice, bob] = [await RawClient.old(url, 'alice'), await RawClient.old(url, 'bob')];
    for (const only_show_online of ['a', 'b', 'c']) alice.send({ msg_type: 'list_clients', content: { only_show_online }, to_client_id: 'bob' });
    for (const mark of ['a', 'b', 'c']) expect(JSON.parse((await alice.next()).content as string)).toMatchObject({ only_show_online: mark });
    await bob.expectNothingElse();
  });

  test('a list too long for its receiver is an error to an announced one', async () => {
    const { url } = await openHub();
    const alice = await RawClient.announced(url, 'alice', { max_message_bytes: 1_024 });
    for (let i = 0; i < 8; i++) await RawClient.old(url, `a-client-with-a-name-of-some-length-${i}`);
    alice.send({ msg_type: 'list_clients', content: '' });
    expect((await alice.next()).content).toMatchObject({ code: 'CC_RECEIVER_LIMIT' });
  });
});
