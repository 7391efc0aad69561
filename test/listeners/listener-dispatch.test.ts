import { afterEach, describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { CommMsgType, MessageListener, type Message } from '../../src/index.js';
import { ListenerDispatcher } from '../../src/listeners/index.js';
import { startTestHub, type TestHub, type TestHubOptions } from '../../src/testing/index.js';
import { RawClient } from '../module/raw-client.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { waitUntil } from '../module/wait-until.js';

/** Calls wait until the test lets them go. */
@Injectable()
class Gated {
  readonly running: string[] = [];
  readonly done: string[] = [];
  readonly #open: (() => void)[] = [];
  isOpen = false;

  @MessageListener(CommMsgType.TEXT)
  async onText({ fromClientId, content }: Message<string>): Promise<void> {
    const name = `${fromClientId}${content}`;
    this.running.push(name);
    if (!this.isOpen) await new Promise<void>((resolve) => this.#open.push(resolve));
    this.running.splice(this.running.indexOf(name), 1);
    this.done.push(name);
  }

  /** Lets the longest waiting call finish. */
  release(): void {
    this.#open.shift()?.();
  }

  releaseAll(): void {
    this.isOpen = true;
    for (const open of this.#open.splice(0)) open();
  }
}

@Injectable()
class Failing {
  readonly reached: unknown[] = [];

  @MessageListener(CommMsgType.DICT)
  throwsAtOnce(): void {
    throw new Error('broken at once');
  }

  @MessageListener(CommMsgType.DICT)
  rejectsLater(): Promise<void> {
    return Promise.reject(new Error('broken later'));
  }

  @MessageListener(CommMsgType.DICT)
  throwsText(): void {
    throw 'a text is thrown';
  }

  @MessageListener(CommMsgType.DICT)
  stillRuns(message: Message): void {
    this.reached.push(message.content);
  }
}

describe('Listeners', () => {
  let hub: TestHub;
  const clients: RawClient[] = [];

  async function start(options: TestHubOptions = {}): Promise<{ gated: Gated; dispatcher: ListenerDispatcher }> {
    hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false, providers: [Gated, Failing], ...options });
    return { gated: hub.app.get(Gated), dispatcher: hub.app.get(ListenerDispatcher) };
  }

  async function login(clientId: string): Promise<RawClient> {
    const client = await RawClient.login(hub.url, clientId);
    clients.push(client);
    return client;
  }

  afterEach(async () => {
    hub.app.get(Gated).releaseAll();
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await hub.close();
  });

  test('keep the order of one sender while several senders interleave', async () => {
    const { gated } = await start();
    const [a, b] = [await login('a'), await login('b')];
    for (const content of ['1', '2', '3']) {
      a.send({ content });
      b.send({ content });
    }
    await waitUntil(() => gated.running.length === 2);
    expect([...gated.running].sort()).toEqual(['a1', 'b1']);
    gated.release();
    gated.release();
    await waitUntil(() => gated.done.length === 2 && gated.running.length === 2);
    expect([...gated.running].sort()).toEqual(['a2', 'b2']);
    gated.releaseAll();
    await waitUntil(() => gated.done.length === 6);
    expect(gated.done.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(gated.done.filter((name) => name.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
  });

  test('keep the order of one sender over thousands of messages', async () => {
    const { gated } = await start();
    const a = await login('a');
    gated.isOpen = true;
    for (let i = 0; i < 3000; i++) a.send({ content: String(i) });
    await waitUntil(() => gated.done.length === 3000);
    expect(gated.done).toEqual(Array.from({ length: 3000 }, (_, i) => `a${i}`));
  });

  test('run for at most maxConcurrentListeners senders at a time, and for all in the end', async () => {
    const { gated } = await start({ maxConcurrentListeners: 2 });
    for (const id of ['a', 'b', 'c', 'd']) {
      const client = await login(id);
      client.send({ content: '1' });
      client.send({ content: '2' });
      await client.settled();
    }
    expect(gated.running).toEqual(['a1', 'b1']);
    gated.release();
    await waitUntil(() => gated.running.includes('a2'));
    expect(gated.running).toEqual(['b1', 'a2']);
    gated.release();
    gated.release();
    await waitUntil(() => gated.running.includes('c1'));
    expect(gated.running).toHaveLength(2);
    gated.releaseAll();
    await waitUntil(() => gated.done.length === 8);
  });

  test('never hold up the relay, however slow they are', async () => {
    const { gated, dispatcher } = await start();
    const [a, b] = [await login('a'), await login('b')];
    for (let i = 0; i < 100; i++) a.send({ toClientId: 'b', content: String(i) });
    await a.settled();
    for (let i = 0; i < 100; i++) expect((await b.next()).content).toBe(String(i));
    expect(gated.done).toEqual([]);
    expect(dispatcher.stats).toEqual({ pending: 100, missed: 0 });
  });

  test('miss messages beyond maxPendingListenerMessages, which is counted and logged, while receivers get all', async () => {
    const { gated, dispatcher } = await start({ maxPendingListenerMessages: 3 });
    const logger = RecordingLogger.install();
    try {
      const [a, b] = [await login('a'), await login('b')];
      for (let i = 0; i < 10; i++) a.send({ toClientId: 'b', content: String(i) });
      await a.settled();
      expect(dispatcher.stats).toEqual({ pending: 3, missed: 7 });
      expect(logger.warnings).toEqual([expect.stringMatching(/Listeners are too slow: 1 messages missed so far, 3 waiting\. .*raise maxPendingListenerMessages/)]);
      for (let i = 0; i < 10; i++) expect((await b.next()).content).toBe(String(i));
      gated.releaseAll();
      await waitUntil(() => dispatcher.stats.pending === 0);
      a.send({ content: 'again' });
      await waitUntil(() => gated.done.includes('aagain'));
      expect(gated.done).toEqual(['a0', 'a1', 'a2', 'aagain']);
    } finally {
      logger.restore();
    }
  });

  test('that throw do not disturb others, and are logged with class and method', async () => {
    await start();
    const logger = RecordingLogger.install();
    try {
      const [a, b] = [await login('a'), await login('b')];
      a.send({ msgType: 'dict', content: { n: 1 } });
      a.send({ msgType: 'dict', content: { n: 2 } });
      const { reached } = hub.app.get(Failing);
      await waitUntil(() => reached.length === 2);
      expect(reached).toEqual([{ n: 1 }, { n: 2 }]);
      expect((await b.next()).content).toEqual({ n: 1 });
      const log = logger.errors.join('\n');
      expect(log).toMatch(/Listener Failing\.throwsAtOnce failed on a dict message.*broken at once/);
      expect(log).toMatch(/Listener Failing\.rejectsLater failed on a dict message.*broken later/);
      expect(log).toMatch(/Listener Failing\.throwsText failed on a dict message.*a text is thrown/);
    } finally {
      logger.restore();
    }
  });

  test('still get the messages of a sender that has gone', async () => {
    const { gated } = await start();
    const a = await login('a');
    a.send({ content: '1' });
    a.send({ content: '2' });
    await a.settled();
    await a.close();
    gated.releaseAll();
    await waitUntil(() => gated.done.length === 2);
    expect(gated.done).toEqual(['a1', 'a2']);
  });
});
