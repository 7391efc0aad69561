import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { ConnectedClient } from '../../src/clients/index.js';
import { ListenerDispatcher, ListenerRegistry, ListenersOptions, type AttachmentDownloader } from '../../src/listeners/index.js';
import type { ListenerHandle } from '../../src/listeners/listener.registry.js';
import { ListenerRunner } from '../../src/listeners/listener.runner.js';
import { listenerFilter, passesFilter, type Envelope, type MessageListenerOptions } from '../../src/protocol/index.js';

const TYPES = ['text', 'json', 'dict', 'file'] as const;
const SENDERS = ['alice', 'bob', 'carol', '__proto__'];

const anyFilter = fc
  .record(
    { msgType: fc.oneof(fc.constantFrom(...TYPES), fc.subarray([...TYPES], { minLength: 1 })), fromClientId: fc.constantFrom(...SENDERS.slice(1)), downloadDirectory: fc.constant('in') },
    { requiredKeys: [] },
  )
  .map((options) => listenerFilter(options as MessageListenerOptions));

const handleOf = (name: string, filters: ListenerHandle['filters'], invoke: ListenerHandle['invoke'] = () => undefined): ListenerHandle => ({ name, filters, invoke });

describe('Matching a message with the listeners', () => {
  test('finds those whose filters it passes, in their order, each with the first such filter, also after more are added', () => {
    fc.assert(
      fc.property(fc.array(fc.array(anyFilter, { minLength: 1, maxLength: 3 }), { maxLength: 8 }), (filterLists) => {
        const registry = new ListenerRegistry();
        const handles: ListenerHandle[] = [];
        for (const [index, filters] of [[], ...filterLists].entries()) {
          const handle = handleOf(`listener ${index}`, filters);
          handles.push(handle);
          registry.add(handle);
          for (const type of TYPES)
            for (const sender of SENDERS) {
              const expected = handles.flatMap((candidate) => {
                const filter = candidate.filters.find((one) => passesFilter(one, type, sender));
                return filter === undefined ? [] : [{ handle: candidate, filter }];
              });
              expect(registry.match(type, sender)).toEqual(expected.length === 0 ? undefined : expected);
            }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('costs nothing new for the next message of the same kind, and remembers nothing about senders nobody asked for', () => {
    const registry = new ListenerRegistry();
    registry.add(handleOf('any', [listenerFilter('text')]));
    registry.add(handleOf('of bob', [listenerFilter({ fromClientId: 'bob' })]));
    expect(registry.match('text', 'alice')).toBe(registry.match('text', 'stranger'));
    expect(registry.match('text', 'bob')).toBe(registry.match('text', 'bob'));
    expect(registry.match('text', 'bob')).toHaveLength(2);
    expect(registry.match('dict', 'alice')).toBeUndefined();
  });
});

describe('A listener that makes the hub hand out another message while it runs', () => {
  const envelopeOf = (fromClientId: string, content: string): Envelope => ({ msgId: content, fromClientId, toClientId: 'server', msgType: 'text', content, timestamp: 1, ossKey: null });

  test.each([
    ['at once', () => undefined],
    ['later', () => new Promise((resolve) => setTimeout(resolve, 2))],
  ])('and is done %s keeps the order of each sender', async (_when, result) => {
    const registry = new ListenerRegistry();
    const options = Object.assign(new ListenersOptions(), { maxConcurrentListeners: 2 });
    const dispatcher = new ListenerDispatcher(registry, new ListenerRunner({} as AttachmentDownloader), options);
    const say = (sender: string, content: string): void => dispatcher.dispatch({ clientId: sender } as ConnectedClient, envelopeOf(sender, content));
    const calls: string[] = [];
    const listen = (listener: string): void =>
      registry.add(
        handleOf(listener, [listenerFilter({})], (client, { content }) => {
          calls.push(`${client.clientId} ${content as string} ${listener}`);
          if (content === 'first' && listener === 'one') for (const next of ['second', 'third']) for (const sender of ['alice', 'bob', 'carol']) say(sender, next);
          return result();
        }),
      );
    listen('one');
    listen('two');
    say('alice', 'first');
    while (dispatcher.stats.pending > 0) await new Promise((resolve) => setTimeout(resolve, 2));
    const expected = (sender: string): string[] =>
      ['first', 'second', 'third'].slice(sender === 'alice' ? 0 : 1).flatMap((content) => [`${sender} ${content} one`, `${sender} ${content} two`]);
    for (const sender of ['alice', 'bob', 'carol']) expect(calls.filter((call) => call.startsWith(sender))).toEqual(expected(sender));
    say('alice', 'after');
    expect(calls.slice(-1)).toEqual([expect.stringContaining('alice after')]);
  });
});
