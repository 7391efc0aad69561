import { describe, expect, test } from '@jest/globals';
import { codeOf, contents, inboxOf, newClient, online, openHub, untilState } from './support/clients.js';
import { ScriptedHub } from './support/scripted-hub.js';

describe('a hub that answers the login late', () => {
  test('is not taken for an old server when it is known: the client connects anew, and what waits stays durable', async () => {
    const hub = await ScriptedHub.open();
    const alice = newClient({ url: hub.url, clientId: 'alice', loginTimeoutMs: 100, reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
    const versions: (number | undefined)[] = [];
    alice.onStatus((status) => versions.push(status.state === 'online' ? status.protocolVersion : undefined));
    const loggedIn = alice.login();
    (await hub.welcome()).cut();
    await loggedIn;
    const frozen = await hub.accept();
    expect((await frozen.next()).msg_type).toBe('login');
    const sent = alice.sendMessage('keep this', 'text', 'bob');
    const connection = await hub.welcome();
    const frame = await connection.next();
    connection.ack('stored', frame);
    expect(await sent).toEqual({ msgId: frame.msg_id, receipt: 'stored' });
    expect(versions).not.toContain(1);
  });

  test('fails a login when it is known and there is nothing to go on trying for', async () => {
    const hub = await ScriptedHub.open();
    const alice = newClient({ url: hub.url, clientId: 'alice', loginTimeoutMs: 30, reconnect: false });
    const loggedIn = alice.login();
    const connection = await hub.welcome();
    await loggedIn;
    connection.cut();
    await untilState(alice, 'closed');
    expect(await codeOf(alice.login())).toBe('CC_TIMEOUT');
  });

  test('is greeted anew when it was taken for an old server, so that mail reaches the client', async () => {
    const hub = await ScriptedHub.open();
    const bob = newClient({ url: hub.url, clientId: 'bob', loginTimeoutMs: 30, reconnect: { minDelayMs: 1, maxDelayMs: 5 } });
    const inbox = inboxOf(bob);
    const loggedIn = bob.login();
    const late = await hub.accept();
    await loggedIn;
    expect(bob.protocolVersion).toBe(1);
    await late.welcome();
    const connection = await hub.welcome();
    connection.mail(1, 'for you');
    expect((await connection.next()).content).toMatchObject({ up_to: 1 });
    expect(contents(inbox)).toEqual(['for you']);
    expect(bob.protocolVersion).toBe(2);
  });
});

test('what is sent right behind a login that nobody waits for waits for the connection', async () => {
  const hub = await openHub();
  const bob = await online({ url: hub.url, clientId: 'bob' });
  const inbox = inboxOf(bob);
  const alice = newClient({ url: hub.url, clientId: 'alice' });
  const loggedIn = alice.login();
  expect((await alice.sendMessage('early', 'text', 'bob', { receipt: 'processed' })).receipt).toBe('processed');
  await loggedIn;
  expect(contents(inbox)).toEqual(['early']);
});

test.each(['url', 'token'])('a %s that cannot be had says why', async (name) => {
  const hub = await openHub();
  const alice = newClient({ url: hub.url, clientId: 'alice', [name]: () => Promise.reject(new Error('The directory is down')) });
  await expect(alice.login()).rejects.toMatchObject({ code: 'CC_CONNECT_FAILED', message: expect.stringContaining('The directory is down.') });
});

test('delays of the reconnect that are given as undefined are the defaults', async () => {
  const hub = await openHub();
  const alice = newClient({ url: hub.url, clientId: 'alice', random: () => 0.5, reconnect: { minDelayMs: undefined, maxDelayMs: undefined } as object });
  const delays: number[] = [];
  alice.onStatus((status) => status.state === 'reconnecting' && delays.push(status.nextDelayMs));
  await alice.login();
  await hub.close();
  await untilState(alice, 'reconnecting');
  expect(delays[0]).toBe(250);
});
