import { describe, expect, test } from '@jest/globals';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestHub } from '../../src/testing/index.js';
import { openHubOnHeldDisk, settled } from '../delivery/held-disk.js';
import { codeOf, contents, inboxOf, newClient, online, openHub, temporaryDirectory, until } from './support/clients.js';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);

/** Cuts a client's connection as a network does. */
function drop(hub: TestHub, clientId: string): void {
  hub.registry.find(clientId)?.connection.close(1012, 'drop');
}

describe('durable messages through a hub', () => {
  test('wait for a receiver that is away, files too, and arrive once', async () => {
    const hub = await openHub();
    const directory = await temporaryDirectory();
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const inbox = inboxOf(bob);
    await bob.logout();
    await writeFile(join(directory, 'report.txt'), 'all is well');
    expect(await alice.sendMessage('first', 'text', 'bob')).toMatchObject({ receipt: 'stored' });
    expect(await alice.sendMessage(join(directory, 'report.txt'), 'file', 'bob', { timeoutMs: 20_000 })).toMatchObject({ receipt: 'stored' });
    await bob.login();
    await until(() => inbox.length === 2, 'both');
    expect(inbox[0]?.content).toBe('first');
    expect(await readFile(await bob.downloadFileManually(inbox[1]?.ossKey ?? '', directory), 'utf8')).toBe('all is well');
    await bob.logout();
    await bob.login();
    expect(await alice.sendMessage('last', 'text', 'bob', { receipt: 'processed' })).toMatchObject({ receipt: 'processed' });
    expect(contents(inbox).at(-1)).toBe('last');
    expect(inbox).toHaveLength(3);
  });

  test('arrive once and in order, however often either side is cut off', async () => {
    const hub = await openHub();
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob', maxUnconfirmed: 50 })];
    const heard: unknown[] = [];
    bob.onMessage('text', async ({ content }) => {
      if (heard.length % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      heard.push(content);
    });
    const sent: Promise<unknown>[] = [];
    for (const [index, content] of numbers(1_000).entries()) {
      sent.push(alice.sendMessage(content, 'text', 'bob'));
      if (index % 100 === 50) drop(hub, 'alice');
      if (index % 100 === 90) drop(hub, 'bob');
      if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(sent);
    await until(() => heard.length >= 1_000, 'all messages', 15_000);
    expect(heard).toEqual(numbers(1_000));
  }, 30_000);

  test('survive restarts of the hub: nothing acknowledged is lost, nothing comes twice', async () => {
    const dataDir = await temporaryDirectory();
    let hub = await openHub({ dataDir });
    const { port } = hub;
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const inbox = inboxOf(bob);
    const sent: Promise<unknown>[] = [];
    for (const [index, content] of numbers(300).entries()) {
      sent.push(alice.sendMessage(content, 'text', 'bob', index === 299 ? { receipt: 'processed' } : {}));
      if (index === 100 || index === 200) {
        await hub.close();
        hub = await openHub({ dataDir, port });
      }
    }
    await Promise.all(sent);
    expect(contents(inbox)).toEqual(numbers(300));
  }, 30_000);

  test('come once when the hub had shown them, and crashed before they were stored', async () => {
    const [dataDir, afterCrash] = [await temporaryDirectory(), await temporaryDirectory()];
    const { hub, disk } = await openHubOnHeldDisk({ dataDir });
    const { url, port } = hub;
    const [alice, bob] = [await online({ url, clientId: 'alice' }), await online({ url, clientId: 'bob' })];
    const recoveries: boolean[] = [];
    bob.onRecovery(({ recovered }) => recoveries.push(recovered));
    const surfaced: unknown[] = [];
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    bob.onMessage('text', ({ content }) => {
      surfaced.push(content);
      return content === 'at work' ? finished : undefined;
    });
    await settled(hub);
    disk.hold('write');
    expect(await alice.sendMessage('done', 'text', 'bob')).toMatchObject({ receipt: 'stored' });
    const sent = ['at work', 'waiting'].map((content) => alice.sendMessage(content, 'text', 'bob', { receipt: 'processed' }));
    await until(() => surfaced.length === 2, 'what is shown');
    await cp(join(dataDir, 'mail'), join(afterCrash, 'mail'), { recursive: true, filter: (path) => !path.endsWith('lock') });
    const closing = hub.close();
    await until(() => alice.status.state !== 'online' && bob.status.state !== 'online', 'the end');
    disk.release();
    await closing;
    await openHub({ dataDir: afterCrash, port });
    await until(() => recoveries.length === 1, 'the login of bob');
    finish();
    for (const answer of sent) expect(await answer).toMatchObject({ receipt: 'processed' });
    await alice.sendMessage('after', 'text', 'bob', { receipt: 'processed' });
    expect([recoveries, surfaced]).toEqual([[true], ['done', 'at work', 'waiting', 'after']]);
  });

  test('survive for their receiver when the hub lost its store: what it had seen is not surfaced again', async () => {
    let hub = await openHub({ delivery: { store: 'memory' } });
    const { port } = hub;
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const recoveries: boolean[] = [];
    bob.onRecovery(({ recovered }) => recoveries.push(recovered));
    const inbox = inboxOf(bob);
    await alice.sendMessage('before', 'text', 'bob', { receipt: 'processed' });
    await hub.close();
    hub = await openHub({ delivery: { store: 'memory' }, port });
    await until(() => recoveries.length === 1, 'the login of bob');
    await alice.sendMessage('after', 'text', 'bob', { receipt: 'processed' });
    expect([recoveries, contents(inbox)]).toEqual([[false], ['before', 'after']]);
  });

  test('that are rejected come again, and in the end their sender learns that they are dead', async () => {
    const hub = await openHub({ delivery: { maxDeliveryAttempts: 3 } });
    const [alice, bob] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const attempts: unknown[] = [];
    bob.onMessage(
      'text',
      (message) => {
        attempts.push([message.content, message.ext?.['attempt'] ?? 1]);
        if (message.content === 'second time' && attempts.length > 1) message.confirm();
        else message.reject({ delayMs: 10, dead: message.content === 'poison' });
      },
      { confirm: 'manual' },
    );
    expect(await alice.sendMessage('second time', 'text', 'bob', { receipt: 'processed' })).toMatchObject({ receipt: 'processed' });
    expect(await codeOf(alice.sendMessage('never', 'text', 'bob', { receipt: 'processed' }))).toBe('CC_DEAD_LETTER');
    expect(await codeOf(alice.sendMessage('poison', 'text', 'bob', { receipt: 'processed' }))).toBe('CC_DEAD_LETTER');
    expect(attempts).toEqual([
      ['second time', 1],
      ['second time', 2],
      ['never', 1],
      ['never', 2],
      ['never', 3],
      ['poison', 1],
    ]);
    expect(await alice.sendMessage('second time', 'text', 'bob', { receipt: 'processed' })).toMatchObject({ receipt: 'processed' });
  });

  test('to a client without mailbox are handed over while it is there, and refused when it is not', async () => {
    const hub = await openHub();
    const [alice, guest] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'guest', mailbox: false })];
    const inbox = inboxOf(guest);
    expect(await alice.sendMessage('hello', 'text', 'guest', { receipt: 'processed' })).toMatchObject({ receipt: 'live' });
    await until(() => inbox.length === 1, 'the message');
    await guest.logout();
    expect(await codeOf(alice.sendMessage('hello', 'text', 'guest'))).toBe('CC_UNKNOWN_CLIENT');
  });

  test('reach a program that takes over, where its predecessor left off', async () => {
    const hub = await openHub();
    const [alice, first] = [await online({ url: hub.url, clientId: 'alice' }), await online({ url: hub.url, clientId: 'bob' })];
    const inbox = inboxOf(first);
    await alice.sendMessage('1', 'text', 'bob', { receipt: 'processed' });
    const second = newClient({ url: hub.url, clientId: 'bob' });
    const successors = inboxOf(second);
    await second.login();
    await alice.sendMessage('2', 'text', 'bob', { receipt: 'processed' });
    expect([contents(inbox), contents(successors)]).toEqual([['1'], ['2']]);
  });
});
