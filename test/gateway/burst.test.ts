import { describe, expect, test } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import * as fc from 'fast-check';
import type { ClientEvent } from '../../src/clients/index.js';
import { MessageListener, type Message } from '../../src/index.js';
import { UNLIMITED, openHub, until, untilConnections } from '../support/open-hub.js';
import { RawClient } from '../support/raw-client.js';
import { wireFrame, type WireFrame } from '../support/wire.js';

/** Numbers 0 to `count - 1`. */
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

/** Reads frames until one with this content; the contents before it. */
async function contentsUntil(client: RawClient, last: unknown): Promise<unknown[]> {
  const contents: unknown[] = [];
  for (;;) {
    const { content } = await client.next();
    if (content === last) return contents;
    contents.push(content);
  }
}

@Injectable()
class Throwing {
  calls = 0;

  @MessageListener()
  throwsAtOnce(): void {
    this.calls++;
    throw new Error('on purpose');
  }

  @MessageListener()
  rejects(): Promise<void> {
    return Promise.reject(new Error('on purpose'));
  }
}

@Injectable()
class Kicking {
  @MessageListener()
  onMessage(message: Message): void {
    if (message.content === 'kick') this.kick();
  }

  kick: () => void = () => undefined;
}

describe('A burst of messages', () => {
  test('reaches everyone else when one of its receivers is cut off in its middle', async () => {
    const hub = await openHub(UNLIMITED);
    const sender = await RawClient.old(hub.url, 'sender');
    const [one, gone, two] = [await RawClient.old(hub.url, 'one'), await RawClient.old(hub.url, 'gone'), await RawClient.old(hub.url, 'two')];
    const count = 4_000;
    for (const n of numbers(count)) {
      sender.send({ to_client_id: 'all', content: n });
      if (n === count / 2) gone.socket.terminate();
      // several turns of the hub's event loop, so that the end falls between and into batches
      if (n % 500 === 0) await new Promise(setImmediate);
    }
    sender.send({ to_client_id: 'all', content: 'end' });
    for (const client of [one, two]) expect(await contentsUntil(client, 'end')).toEqual(numbers(count));
    await untilConnections(hub, 3);
    expect(await sender.list(true)).toEqual(['sender', 'one', 'two']);
  });

  test('reaches everyone else when a listener disconnects a receiver within the turn, and that one gets what came before', async () => {
    const hub = await openHub({ ...UNLIMITED, providers: [Kicking] });
    hub.app.get(Kicking).kick = () => hub.service.disconnectClient('gone');
    const sender = await RawClient.old(hub.url, 'sender');
    const [one, gone] = [await RawClient.old(hub.url, 'one'), await RawClient.old(hub.url, 'gone')];
    const contents = [...numbers(50), 'kick', ...numbers(50), 'end'];
    for (const content of contents) sender.send({ to_client_id: 'all', content });
    expect(await contentsUntil(one, 'end')).toEqual(contents.slice(0, -1));
    expect((await gone.closed()).code).toBe(4000);
    expect(gone.unread.map((text) => (JSON.parse(text) as WireFrame).content)).toEqual(contents.slice(0, 51));
  });

  test('reaches those who read, complete and in order, while one that does not is closed with 4013 and offline', async () => {
    const hub = await openHub({ ...UNLIMITED, maxBufferedBytes: 256 * 1024, closeTimeoutMs: 4_000 });
    const events: ClientEvent[] = [];
    hub.service.clientEvents.subscribe((event) => events.push(event));
    const sender = await RawClient.old(hub.url, 'sender');
    const [one, stuck, two] = [await RawClient.old(hub.url, 'one'), await RawClient.old(hub.url, 'stuck'), await RawClient.old(hub.url, 'two')];
    stuck.socket.pause();
    const body = 'x'.repeat(8 * 1024);
    let sent = 0;
    const readers = [one, two].map(async (client) => {
      const seen: number[] = [];
      for (;;) {
        const { content } = await client.next();
        if (content === 'end') return seen;
        seen.push(Number.parseInt(content as string, 10));
      }
    });
    while (hub.registry.find('stuck') !== undefined) {
      for (let burst = 0; burst < 40; burst++) sender.send({ to_client_id: 'all', content: `${sent++} ${body}` });
      // paced by the hub, so that only the one that does not read is slow
      expect(await sender.list(true)).toBeDefined();
      expect(sent).toBeLessThan(10_000);
    }
    for (let more = 0; more < 100; more++) sender.send({ to_client_id: 'all', content: `${sent++} ${body}` });
    sender.send({ to_client_id: 'all', content: 'end' });
    for (const seen of await Promise.all(readers)) expect(seen).toEqual(numbers(sent));
    expect(events.at(-1)).toMatchObject({ type: 'left', clientId: 'stuck', reason: 'slow_receiver' });
    expect(hub.service.getOnlineClients()).toEqual(['sender', 'one', 'two']);
    stuck.socket.resume();
    expect((await stuck.closed()).code).toBe(4013);
    // what it got before the end has no hole
    const got = stuck.unread.map((text) => Number.parseInt((JSON.parse(text) as WireFrame).content as string, 10));
    expect(got).toEqual(numbers(got.length));
  });

  test('is relayed unharmed by listeners that throw at each of its messages', async () => {
    const hub = await openHub({ ...UNLIMITED, providers: [Throwing] });
    const [alice, bob] = [await RawClient.old(hub.url, 'alice'), await RawClient.old(hub.url, 'bob')];
    for (const n of numbers(500)) alice.send({ to_client_id: 'bob', content: n });
    alice.send({ to_client_id: 'bob', content: 'end' });
    expect(await contentsUntil(bob, 'end')).toEqual(numbers(500));
    await until(() => hub.app.get(Throwing).calls === 501, 'all calls');
    await alice.expectNothingElse();
  });

  test('of broadcasts is seen without a gap, and nothing twice, by clients that come and go meanwhile', async () => {
    const hub = await openHub(UNLIMITED);
    const sender = await RawClient.old(hub.url, 'sender');
    const watcher = await RawClient.old(hub.url, 'watcher');
    let next = 0;
    const over = new AbortController();
    const stream = (async () => {
      while (!over.signal.aborted) {
        for (let burst = 0; burst < 20; burst++) sender.send({ to_client_id: 'all', content: next++ });
        await new Promise(setImmediate);
      }
      sender.send({ to_client_id: 'all', content: 'end' });
    })();
    const seenByGuests: number[][] = [];
    const guest = async (id: string): Promise<void> => {
      const client = await RawClient.connect(hub.url);
      const answer = await client.login(id);
      // nothing may come before the answer to the login
      expect(answer.msg_type).toBe('login_response');
      const seen: number[] = [];
      while (seen.length < 60) seen.push((await client.next()).content as number);
      client.send({ msg_type: 'logout' });
      // what was under way when the hub read the logout still comes
      await client.close();
      seen.push(...client.unread.map((text) => (JSON.parse(text) as WireFrame).content as number));
      seenByGuests.push(seen);
    };
    const stayers = await Promise.all(
      numbers(6).map(async (n) => {
        await guest(`guest-${n}`);
        return RawClient.old(hub.url, `stayer-${n}`);
      }),
    );
    await until(() => stayers.every((client) => client.unread.length > 20), 'messages for those who stay');
    over.abort();
    await stream;
    expect(await contentsUntil(watcher, 'end')).toEqual(numbers(next));
    for (const seen of seenByGuests) expect(seen).toEqual(numbers(seen.length).map((n) => n + (seen[0] as number)));
    for (const client of stayers) {
      const seen = (await contentsUntil(client, 'end')) as number[];
      // a suffix: up to the very last
      expect(seen).toEqual(numbers(seen.length).map((n) => n + next - seen.length));
    }
    expect(seenByGuests).toHaveLength(6);
  });

  test.each([false, true])('of mixed sizes up to 1 MiB arrives byte for byte and in order at several receivers (compression: %s)', async (compression) => {
    const hub = await openHub({ ...UNLIMITED, compression, maxBufferedBytes: 64 * 1024 * 1024 });
    const sender = await RawClient.old(hub.url, 'sender');
    const receivers = await Promise.all(
      ['one', 'two', 'three'].map(async (id) => {
        const client = await RawClient.connect(hub.url, { perMessageDeflate: compression });
        await client.login(id);
        return client;
      }),
    );
    const overhead = JSON.stringify(wireFrame({ from_client_id: 'sender', to_client_id: 'three', timestamp: 1.5, msg_id: 'm' })).length;
    const sizes = [0, 1, 125 - overhead, 126, 1_023, 1_024, 32_768 - overhead, 32_769 - overhead, 65_535 - overhead, 65_536 - overhead, 131_072, 300_000, 1_048_576 - overhead];
    const expected = new Map<string, string[]>(['one', 'two', 'three'].map((id) => [id, []]));
    for (const [n, bytes] of [...sizes, ...sizes.toReversed(), ...sizes].entries()) {
      const to = n % 4 === 0 ? 'three' : 'all';
      // half of it beyond ASCII, so that bytes and characters differ
      const content = n % 2 === 0 ? 'x'.repeat(Math.max(bytes, 0)) : '中'.repeat(Math.max(bytes, 0) / 3);
      const sent = sender.send({ to_client_id: to, content, timestamp: 1.5, msg_id: 'm' });
      for (const [id, texts] of expected) if (to === 'all' || to === id) texts.push(sent);
    }
    for (const client of receivers) for (const [n, text] of (expected.get(client.id) as string[]).entries()) expect([n, (await client.nextText()) === text]).toEqual([n, true]);
    for (const client of receivers) await client.expectNothingElse();
  });

  test('keeps the order per pair and loses nothing, however direct, broadcast and own messages of several senders interleave', async () => {
    const hub = await openHub(UNLIMITED);
    const ids = ['a', 'b', 'c', 'd'];
    const clients = await Promise.all(ids.map((id) => RawClient.old(hub.url, id)));
    const step = fc.record({
      from: fc.nat(3),
      to: fc.constantFrom('all', ...ids),
      bytes: fc.oneof({ weight: 8, arbitrary: fc.nat(200) }, { weight: 2, arbitrary: fc.integer({ min: 30_000, max: 140_000 }) }),
      // a pause lets the hub's turn end
      pause: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const expected = new Map<string, string[]>();
        for (const [n, { from, to, bytes, pause }] of steps.entries()) {
          const sender = clients[from] as RawClient;
          const content = `${n} ${'x'.repeat(bytes)}`;
          sender.send({ to_client_id: to, content });
          for (const id of ids) {
            if (to === id || (to === 'all' && id !== sender.id)) {
              const pair = `${sender.id}>${id}`;
              expected.set(pair, [...(expected.get(pair) ?? []), content]);
            }
          }
          if (pause) await new Promise(setImmediate);
        }
        // each sender tells all that it is done; the mark is the last of each pair
        for (const client of clients) {
          client.send({ to_client_id: 'all', content: 'mark' });
          client.send({ to_client_id: client.id, content: 'mark' });
        }
        const seen = new Map<string, string[]>();
        for (const client of clients) {
          for (let marks = 0; marks < ids.length; ) {
            const { from_client_id, content } = await client.next();
            if (content === 'mark') marks++;
            else {
              const pair = `${from_client_id}>${client.id}`;
              seen.set(pair, [...(seen.get(pair) ?? []), content as string]);
            }
          }
          expect(client.unread).toEqual([]);
        }
        for (const pair of new Set([...expected.keys(), ...seen.keys()])) {
          const label = (texts: readonly string[] = []): string[] => texts.map((text) => `${text.split(' ')[0]}:${text.length}`);
          expect([pair, ...label(seen.get(pair))]).toEqual([pair, ...label(expected.get(pair))]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
