import { describe, expect, test } from '@jest/globals';
import type { TestHub } from '../../src/testing/index.js';
import { codeOf, contents, inboxOf, newClient, online, openHub, until, untilState } from './support/clients.js';

/** Has nothing of the hub reach a client any more, as on a connection that is about to be lost. */
function silence(hub: TestHub, clientId: string): void {
  const { connection } = hub.registry.find(clientId) as unknown as { connection: { send(): string } };
  connection.send = () => 'sent';
}

/** Cuts a client's connection as a network does. */
function drop(hub: TestHub, clientId: string): void {
  hub.registry.find(clientId)?.connection.close(1012, 'drop');
}

/** Alice's message "1" to bob was refused, which she did not hear; bob is back, so that there is room for another. */
async function refusedUnheard() {
  const hub = await openHub({ delivery: { mailboxMaxMessages: 1 } });
  const bob = await online({ url: hub.url, clientId: 'bob' });
  await bob.logout();
  const alice = await online({ url: hub.url, clientId: 'alice' });
  await alice.sendMessage('0', 'text', 'bob');
  silence(hub, 'alice');
  const refused = codeOf(alice.sendMessage('1', 'text', 'bob'));
  await until(() => hub.service.refusalCounts.mailbox_full === 1, 'the refusal');
  const inbox = inboxOf(bob);
  await bob.login();
  await until(() => hub.service.mailStats.mails === 0, 'room');
  return { hub, alice, inbox, refused };
}

describe('A message whose answer was lost with the connection', () => {
  test('is not taken when it was refused and a later one was stored', async () => {
    const { hub, alice, inbox, refused } = await refusedUnheard();
    const stored = alice.sendMessage('2', 'text', 'bob');
    await until(() => inbox.length === 2, 'the later one');
    drop(hub, 'alice');
    expect(await refused).toBe('CC_DELIVERY_UNKNOWN');
    expect(await stored).toMatchObject({ receipt: 'stored' });
    await alice.sendMessage('3', 'text', 'bob', { receipt: 'processed' });
    expect(contents(inbox)).toEqual(['0', '2', '3']);
  });

  test('is not taken either when the caller of the later one has given up', async () => {
    const { hub, alice, inbox, refused } = await refusedUnheard();
    expect(await codeOf(alice.sendMessage('2', 'text', 'bob', { timeoutMs: 100 }))).toBe('CC_TIMEOUT');
    await until(() => inbox.length === 2, 'the later one');
    drop(hub, 'alice');
    expect(await refused).toBe('CC_DELIVERY_UNKNOWN');
    expect(contents(inbox)).toEqual(['0', '2']);
  });

  test('is sent again only as long as the hub remembers it', async () => {
    const hub = await openHub({ delivery: { duplicateWindowMs: 1_000 } });
    const bob = await online({ url: hub.url, clientId: 'bob' });
    const inbox = inboxOf(bob);
    const alice = await online({ url: hub.url, clientId: 'alice', reconnect: { minDelayMs: 1_200 }, random: () => 0.999 });
    silence(hub, 'alice');
    const outcome = codeOf(alice.sendMessage('once', 'text', 'bob'));
    await until(() => inbox.length === 1, 'it');
    drop(hub, 'alice');
    expect(await outcome).toBe('CC_DELIVERY_UNKNOWN');
    await alice.sendMessage('later', 'text', 'bob', { receipt: 'processed' });
    expect(contents(inbox)).toEqual(['once', 'later']);
  });

  test('is sent again only as long as the client says', async () => {
    const hub = await openHub();
    const bob = await online({ url: hub.url, clientId: 'bob' });
    const inbox = inboxOf(bob);
    const alice = await online({ url: hub.url, clientId: 'alice', resendMaxAgeMs: 100, reconnect: { minDelayMs: 300 }, random: () => 0.999 });
    silence(hub, 'alice');
    const outcome = codeOf(alice.sendMessage('once', 'text', 'bob'));
    await until(() => inbox.length === 1, 'it');
    drop(hub, 'alice');
    await untilState(alice, 'reconnecting');
    // it was never sent, so it may be as old as it likes
    const first = alice.sendMessage('waited', 'text', 'bob', { receipt: 'processed' });
    expect(await outcome).toBe('CC_DELIVERY_UNKNOWN');
    expect(await first).toMatchObject({ receipt: 'processed' });
    expect(contents(inbox)).toEqual(['once', 'waited']);
  });
});

describe('A program whose id another one takes over', () => {
  test('still confirms what its handlers are at work on, and the other one does not get that', async () => {
    const hub = await openHub({ closeTimeoutMs: 1_000 });
    const alice = await online({ url: hub.url, clientId: 'alice' });
    const first = await online({ url: hub.url, clientId: 'bob' });
    const [heard, finished] = [[] as unknown[], [] as (() => void)[]];
    first.onMessage('text', ({ content }) => {
      heard.push(content);
      return new Promise<void>((resolve) => finished.push(resolve));
    });
    for (const text of ['1', '2']) await alice.sendMessage(text, 'text', 'bob');
    await until(() => heard.length === 1, 'the first');
    const second = newClient({ url: hub.url, clientId: 'bob' });
    const inbox = inboxOf(second);
    await second.login();
    finished[0]?.();
    await until(() => heard.length === 2, 'the second');
    finished[1]?.();
    await untilState(first, 'closed');
    expect(first.status).toMatchObject({ reason: { code: 'CC_REPLACED' } });
    await alice.sendMessage('3', 'text', 'bob', { receipt: 'processed' });
    expect([heard, contents(inbox)]).toEqual([['1', '2'], ['3']]);
  });
});
