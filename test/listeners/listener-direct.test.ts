import { afterEach, describe, expect, test } from '@jest/globals';
import { Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { ExternalContextCreator } from '@nestjs/core';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { EMPTY, Observable, of } from 'rxjs';
import { CommMsgType, MessageListener, type ConnectedClient, type Message } from '../../src/index.js';
import { bindListener } from '../../src/listeners/listener-binding.js';
import { startTestHub, type TestHub } from '../../src/testing/index.js';
import { RawClient } from '../module/raw-client.js';
import { RecordingLogger } from '../module/recording.logger.js';
import { waitUntil } from '../module/wait-until.js';

/** What was seen, by the name of the class. */
const seen = new Map<string, unknown[]>();
const notes = (name: string): unknown[] => seen.get(name) ?? [];
const note = ({ constructor: { name } }: object, entry: unknown): void => void seen.set(name, [...notes(name), entry]);

/** Can be awaited, and is no promise. */
function thenable(end: () => void): object {
  const later = {};
  Reflect.set(later, 'then', (resolve: () => void) => {
    setTimeout(() => {
      end();
      resolve();
    }, 10);
  });
  return later;
}

class Listeners {
  @MessageListener({ msgType: CommMsgType.TEXT, fromClientId: 'alice' })
  bare(...args: unknown[]): void {
    note(this, ['bare', args]);
  }

  @MessageListener({ msgType: CommMsgType.TEXT, fromClientId: 'alice' })
  decorated(@MessageBody('content') content: unknown, nothing: unknown, @ConnectedSocket() client: ConnectedClient, @MessageBody() message: Message): void {
    note(this, ['decorated', content, nothing, client, message]);
  }

  @MessageListener({ msgType: CommMsgType.TEXT, fromClientId: 'stack' })
  stack(): void {
    note(this, new Error('where am I').stack?.includes('external-context-creator'));
  }

  @MessageListener({ fromClientId: 'results' })
  results({ content }: Message<string>): unknown {
    note(this, `begin ${content}`);
    const end = (): void => note(this, `end ${content}`);
    const later = new Observable<number>((subscriber) => {
      const timer = setTimeout(() => {
        end();
        subscriber.next(1);
        subscriber.complete();
      }, 10);
      return () => clearTimeout(timer);
    });
    switch (content) {
      case 'promise':
        return new Promise<void>((resolve) => setTimeout(resolve, 10)).then(end);
      case 'thenable':
        return thenable(end);
      case 'observable':
        return later;
      case 'promise of an observable':
        return Promise.resolve(later);
      case 'observable of an observable':
        // only the outer one is the listener's: what it yields is a value
        return of(new Observable(() => note(this, 'never subscribed')));
      default:
        end();
        return content === 'null' ? null : content === 'object' ? {} : content;
    }
  }

  @MessageListener({ fromClientId: 'faults' })
  faults({ content }: Message<string>): unknown {
    if (content === 'throw') throw new Error('thrown');
    if (content === 'throw text') throw 'a text';
    if (content === 'reject') return Promise.reject(new Error('rejected'));
    if (content === 'empty') return EMPTY;
    note(this, content);
    return undefined;
  }
}

class Welcoming implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class Direct extends Listeners {}

@UseGuards(new Welcoming())
@Injectable()
class Guarded extends Listeners {}

describe('A listener without enhancers', () => {
  let hub: TestHub;

  afterEach(async () => {
    seen.clear();
    await hub.close();
  });

  async function start(clientId: string): Promise<RawClient> {
    hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false, providers: [Direct, Guarded] });
    return RawClient.login(hub.url, clientId);
  }

  async function say(clientId: string, ...contents: string[]): Promise<RawClient> {
    const client = await start(clientId);
    for (const content of contents) client.send({ content });
    await client.settled();
    return client;
  }

  test('is called with exactly what one with enhancers gets', async () => {
    const client = await say('alice', 'hi');
    await waitUntil(() => notes('Direct').length === 2 && notes('Guarded').length === 2);
    expect(notes('Direct')).toEqual(notes('Guarded'));
    const [[, bare], decorated] = notes('Direct') as [[string, unknown[]], unknown[]];
    expect(bare).toEqual([expect.objectContaining({ content: 'hi', fromClientId: 'alice' }), hub.registry.find('alice')]);
    expect(decorated.slice(0, 4)).toEqual(['decorated', 'hi', undefined, hub.registry.find('alice')]);
    expect(decorated[4]).not.toBe(bare[0]);
    await client.close();
  });

  test('does not pay for the machinery of those that have some', async () => {
    const client = await say('stack', 'x');
    await waitUntil(() => notes('Guarded').length > 0);
    expect([notes('Direct'), notes('Guarded')]).toEqual([[false], [true]]);
    await client.close();
  });

  test('is waited for, whatever it returns, before the next message of its sender', async () => {
    const contents = ['promise', 'text', 'thenable', 'null', 'observable', 'object', 'promise of an observable', 'last'];
    const client = await say('results', ...contents);
    const expected = contents.flatMap((content) => [`begin ${content}`, `end ${content}`]);
    await waitUntil(() => notes('Direct').length >= expected.length && notes('Guarded').length >= expected.length);
    expect(notes('Direct')).toEqual(expected);
    expect(notes('Guarded')).toEqual(expected);
    await client.close();
  });

  test('has only its own Observable run, not one that comes out of it', async () => {
    const client = await say('results', 'observable of an observable', 'last');
    await waitUntil(() => notes('Direct').includes('end last') && notes('Guarded').includes('end last'));
    expect(notes('Direct')).toEqual(['begin observable of an observable', 'begin last', 'end last']);
    expect(notes('Guarded')).toEqual(notes('Direct'));
    await client.close();
  });

  test.each([
    ['throw', 'thrown'],
    ['throw text', 'a text'],
    ['reject', 'rejected'],
    ['empty', 'EmptyError'],
  ])('that fails by "%s" is logged once, with class and method, like any other, and gets the next message', async (content, problem) => {
    const client = await start('faults');
    const logger = RecordingLogger.install();
    try {
      for (const text of [content, 'next']) client.send({ content: text });
      await waitUntil(() => notes('Direct').length > 0 && notes('Guarded').length > 0);
      for (const name of ['Direct', 'Guarded'])
        expect(logger.errors.filter((line) => line.includes(`Listener ${name}.faults failed on a text message.`) && line.includes(problem))).toHaveLength(1);
      expect(logger.errors).toHaveLength(2);
      expect([...seen.values()]).toEqual([['next'], ['next']]);
      await client.close();
    } finally {
      logger.restore();
    }
  });
});

describe('A Nest that does not show which enhancers a listener has', () => {
  const NAMES = ['guardsContextCreator', 'interceptorsContextCreator', 'pipesContextCreator', 'filtersContextCreator'] as const;
  type Inside = Record<(typeof NAMES)[number], { create(...args: unknown[]): unknown }>;

  test.each(NAMES)('runs it itself: %s', async (hidden) => {
    const hub = await startTestHub({ storage: { driver: 'none' }, persistPresence: false });
    try {
      const creator = hub.app.get(ExternalContextCreator, { strict: false });
      const original = (creator as unknown as Inside)[hidden];
      // what is no list, and a filter handler that keeps its filters to itself
      const create = (...args: unknown[]): unknown => (Array.isArray(original.create(...args)) ? { length: 0, concat: (more: unknown) => more } : { next: () => undefined });
      const other = Object.create(creator, { [hidden]: { value: Object.create(original, { create: { value: create } }) as unknown } }) as ExternalContextCreator;
      const instance = new Direct();
      MessageBody()(Direct.prototype, 'stack', 0);
      const place = { instance, methodName: 'stack', method: () => instance.stack(), module: undefined };
      void bindListener(other, place)({} as ConnectedClient, {} as Message, 'text');
      await waitUntil(() => notes('Direct').length > 0);
      expect(notes('Direct')).toEqual([true]);
    } finally {
      seen.clear();
      await hub.close();
    }
  });
});
