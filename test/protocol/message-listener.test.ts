import { describe, expect, test } from '@jest/globals';
import { CommMsgType, MESSAGE_LISTENER_KEY, MessageListener, listenerFilter, passesFilter, readListenerFilters } from '../../src/protocol/index.js';

class Service {
  @MessageListener()
  all(): void {}

  @MessageListener({ msgType: [CommMsgType.FILE, CommMsgType.IMAGE], fromClientId: 'camera', downloadDirectory: './in' })
  files(): void {}

  @MessageListener(CommMsgType.TEXT)
  @MessageListener([CommMsgType.DICT, CommMsgType.JSON])
  stacked(): void {}

  plain(): void {}
}

class Derived extends Service {
  override plain(): void {}
}

const filtersOf = (name: keyof Service, owner: typeof Service = Service): ReturnType<typeof readListenerFilters> => readListenerFilters(owner.prototype[name]);

describe('@MessageListener', () => {
  test('without options takes everything', () => {
    const [filter] = filtersOf('all');
    expect(filter).toEqual({ msgTypes: undefined, fromClientId: undefined, downloadDirectory: undefined });
    expect(filter !== undefined && passesFilter(filter, 'login_response', 'anyone')).toBe(true);
  });

  test('filters by type and sender', () => {
    const [filter] = filtersOf('files');
    expect(filter).toEqual({ msgTypes: new Set(['file', 'image']), fromClientId: 'camera', downloadDirectory: './in' });
    if (filter === undefined) throw new Error('no filter');
    expect([passesFilter(filter, 'file', 'camera'), passesFilter(filter, 'file', 'eve'), passesFilter(filter, 'text', 'camera')]).toEqual([true, false, false]);
  });

  test('stacks: each adds a filter to the same method', () => {
    expect(filtersOf('stacked').map(({ msgTypes }) => [...(msgTypes ?? [])])).toEqual([['dict', 'json'], ['text']]);
  });

  test('leaves other methods alone, also the overriding ones of a subclass', () => {
    expect(filtersOf('plain')).toEqual([]);
    expect(filtersOf('plain', Derived)).toEqual([]);
    expect(filtersOf('all', Derived)).toHaveLength(1);
    expect(readListenerFilters('no method')).toEqual([]);
  });

  test('works as a standard decorator, called with the method and its context', () => {
    const method = (): void => undefined;
    expect(MessageListener('bytes')(method, { kind: 'method', name: 'onBytes' })).toBeUndefined();
    expect(readListenerFilters(method)).toHaveLength(1);
    expect(Object.keys(method)).toEqual([]);
    expect(Object.getOwnPropertySymbols(method)).toEqual([MESSAGE_LISTENER_KEY]);
  });

  test.each([
    ['a field', () => MessageListener()(undefined, { kind: 'field', name: 'onText' }), 'onText is not a method'],
    ['a class', () => MessageListener()(5, { kind: 'class', name: 'Service' }), 'Service is not a method'],
    ['an accessor', () => MessageListener()(Service.prototype, 'size', { get: () => 1 }), 'Service.size is not a method'],
    ['an unknown type', () => MessageListener('video' as never)(Service.prototype, 'x', { value: () => 1 }), 'Service.x has the msgType video'],
    ['an upper-case type', () => MessageListener('TEXT' as never)(Service.prototype, 'x', { value: () => 1 }), 'TEXT'],
    ['no type at all', () => MessageListener([])(Service.prototype, 'x', { value: () => 1 }), '[]'],
    ['an empty sender', () => MessageListener({ fromClientId: '' })(Service.prototype, 'x', { value: () => 1 }), 'fromClientId'],
    ['an empty directory', () => MessageListener({ downloadDirectory: '' })(Service.prototype, 'x', { value: () => 1 }), 'downloadDirectory'],
    ['a sender that is no string', () => listenerFilter({ fromClientId: 5 as never }), 'fromClientId'],
    ['the Python name of an option', () => listenerFilter({ msg_type: 'text' } as never), 'unknown option "msg_type"'],
  ])('refuses %s at definition, by name', (_what, define, text) => {
    expect(define).toThrow(expect.objectContaining({ code: 'CC_INVALID_LISTENER', message: expect.stringContaining(text) }));
  });
});

describe('@MessageListener where it could never be called', () => {
  test('refuses static and #private methods and classes, in both kinds of decorators', () => {
    const decorate: (target: unknown, context?: unknown, descriptor?: PropertyDescriptor) => void = MessageListener();
    class Service {
      static make(): void {}
      on(): void {}
    }
    const refusals: [string, () => void][] = [
      ['static', () => decorate(Service, 'make', Object.getOwnPropertyDescriptor(Service, 'make'))],
      ['static', () => decorate(() => undefined, { kind: 'method', name: 'make', static: true, private: false })],
      ['static or #private', () => decorate(() => undefined, { kind: 'method', name: '#on', static: false, private: true })],
      ['not a method', () => decorate(Service)],
      ['not a method', () => decorate(Service, { kind: 'class', name: 'Service' })],
    ];
    for (const [text, refusal] of refusals) expect(refusal).toThrow(text);
    expect(() => decorate(Service.prototype, 'on', Object.getOwnPropertyDescriptor(Service.prototype, 'on'))).not.toThrow();
  });
});
