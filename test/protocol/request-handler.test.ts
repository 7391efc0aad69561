import { describe, expect, test } from '@jest/globals';
import { REQUEST_HANDLER_KEY, RequestHandler, readRequestActions } from '../../src/protocol/index.js';

class Calculator {
  @RequestHandler('add')
  @RequestHandler('sum')
  add(): void {}

  plain(): void {}
}

const actionsOf = (name: keyof Calculator): readonly string[] => readRequestActions(Calculator.prototype[name]);

describe('@RequestHandler', () => {
  test('names the actions of a method, several when stacked', () => {
    expect(actionsOf('add')).toEqual(['sum', 'add']);
    expect(actionsOf('plain')).toEqual([]);
    expect(readRequestActions(undefined)).toEqual([]);
  });

  test('works as a standard decorator and leaves no property that is seen', () => {
    const method = (): void => undefined;
    RequestHandler('x'.repeat(128))(method, { kind: 'method', name: 'onX' });
    expect(readRequestActions(method)).toEqual(['x'.repeat(128)]);
    expect([Object.keys(method), Object.getOwnPropertySymbols(method)]).toEqual([[], [REQUEST_HANDLER_KEY]]);
  });

  test.each([
    ['an empty action', () => RequestHandler('')(() => 1, { kind: 'method', name: 'onX' }), '@RequestHandler on onX needs an action of 1 to 128 characters'],
    ['an action that is too long', () => RequestHandler('x'.repeat(129))(() => 1, { kind: 'method', name: 'onX' }), '1 to 128 characters'],
    ['a field', () => RequestHandler('a')(undefined, { kind: 'field', name: 'x' }), '@RequestHandler on x is not a method'],
    ['a static method', () => RequestHandler('a')(() => 1, { kind: 'method', name: 'x', static: true }), 'static'],
  ])('refuses %s', (_, decorate, text) => {
    expect(decorate).toThrow(expect.objectContaining({ code: 'CC_INVALID_LISTENER', message: expect.stringContaining(text) }));
  });
});
