import { describe, expect, test } from '@jest/globals';
import { openHub } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { announcing } from '../support/wire.js';

describe('Identity', () => {
  test.each(['text', 'dict', 'heartbeat', 'logout', 'list_clients', 'request'])(
    'refuses a %s in another id, tells an announced sender, and forwards nothing',
    async (msg_type) => {
      const { url, service } = await openHub();
      const bob = await RawClient.old(url, 'bob');
      const mallory = await RawClient.announced(url, 'mallory');
      const { msg_id } = JSON.parse(mallory.send({ from_client_id: 'alice', to_client_id: 'bob', msg_type })) as { msg_id: string };
      const { msg_type: type, content, to_client_id } = await mallory.next();
      expect([type, to_client_id]).toEqual(['error', 'mallory']);
      expect(content).toMatchObject({ reply_to: msg_id, code: 'CC_IDENTITY_MISMATCH' });
      await bob.expectNothingElse();
      expect(service.getOnlineClients()).toEqual(['bob', 'mallory']);
    },
  );

  test('an old client that uses another id is met with silence', async () => {
    const { url } = await openHub();
    const bob = await RawClient.old(url, 'bob');
    const mallory = await RawClient.old(url, 'mallory');
    mallory.send({ from_client_id: 'alice', to_client_id: 'bob' });
    mallory.send({ from_client_id: 'server', to_client_id: 'bob', msg_type: 'text' });
    await mallory.expectNothingElse();
    await bob.expectNothingElse();
  });

  test.each(['login_response', 'list_clients_response', 'error', 'ack', 'event'])('a client cannot forge a %s', async (msg_type) => {
    const { url } = await openHub();
    const bob = await RawClient.announced(url, 'bob');
    const announced = await RawClient.announced(url, 'eve');
    const old = await RawClient.old(url, 'old-eve');
    announced.send({ to_client_id: 'bob', msg_type, content: { status: 'success' } });
    // a response without a request it answers is none
    const code = msg_type === 'response' ? 'CC_INVALID_CONTENT' : 'CC_TYPE_NOT_ALLOWED';
    expect((await announced.next()).content).toMatchObject({ code });
    old.send({ to_client_id: 'bob', msg_type, content: { status: 'success' } });
    await old.expectNothingElse();
    await bob.expectNothingElse();
  });

  test('a request needs the announcement', async () => {
    const { url } = await openHub();
    const old = await RawClient.old(url, 'old');
    old.send({ msg_type: 'request', content: { action: 'files.new_key', data: {} } });
    await old.expectNothingElse();
  });

  test('a second id on one socket ends the first', async () => {
    const { url, service } = await openHub();
    const bob = await RawClient.announced(url, 'bob');
    const client = await RawClient.old(url, 'one');
    await client.login('two');
    expect(service.getOnlineClients()).toEqual(['bob', 'two']);
    bob.send({ to_client_id: 'one' });
    expect((await bob.next()).content).toMatchObject({ code: 'CC_UNKNOWN_CLIENT' });
    const sent = bob.send({ to_client_id: 'all' });
    expect(await client.nextText()).toBe(sent);
    await client.expectNothingElse();
  });

  test('logging in again without an announcement makes the socket speak protocol 1', async () => {
    const { url } = await openHub();
    const client = await RawClient.announced(url, 'alice');
    await client.login('alice');
    client.send({ to_client_id: 'ghost' });
    await client.expectNothingElse();
    await client.login('alice', announcing());
    client.send({ to_client_id: 'ghost' });
    expect((await client.next()).msg_type).toBe('error');
  });
});
