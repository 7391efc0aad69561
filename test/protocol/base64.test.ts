import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeBase64Leniently, encodeBase64, fromWireContent, toWireContent } from '../../src/protocol/index.js';

describe('Base64', () => {
  test('encodes any bytes as Node does and decodes them again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(decodeBase64Leniently(text)).toEqual(bytes);
      }),
    );
  });

  test('encodes a megabyte', () => {
    const bytes = new Uint8Array(1_000_001).map((_, i) => i * 31);
    expect(encodeBase64(bytes) === Buffer.from(bytes).toString('base64')).toBe(true);
  });

  test('skips what is not of the alphabet, as Python does', () => {
    const junk = fc.array(fc.constantFrom('*', ' ', '\n', '-', '_', '.', '\u0000', '\u007f'), { maxLength: 3 });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), fc.infiniteStream(junk), (bytes, stream) => {
        const dirty = Array.from(encodeBase64(bytes), (character) => (stream.next().value as string[]).join('') + character).join('');
        expect(decodeBase64Leniently(dirty)).toEqual(bytes);
      }),
    );
  });

  // results of base64.b64decode of Python 3.11
  test.each([
    ['', ''],
    ['***', ''],
    ['=', ''],
    ['====', ''],
    ['QQ==', '41'],
    ['Q=Q=', undefined],
    ['QQ', undefined],
    ['QQ=', undefined],
    ['Q', undefined],
    ['Q===', undefined],
    ['QUI=', '4142'],
    ['QUI', undefined],
    ['QQ==QUJD', '41'],
    ['QUJD====', '414243'],
    ['=QUJD', '414243'],
    ['QUJD\n', '414243'],
    ['QUJDé', undefined],
    ['QQ==é', undefined],
    ['already a str', undefined],
  ])('decodes %j as Python', (text, hex) => {
    const bytes = decodeBase64Leniently(text);
    expect(bytes === undefined ? undefined : Buffer.from(bytes).toString('hex')).toBe(hex);
  });
});

describe('Content', () => {
  test('bytes survive the way out and in', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => expect(fromWireContent('bytes', toWireContent('bytes', bytes))).toEqual(bytes)));
  });

  test('bytes that cannot be decoded stay the text they were', () => {
    expect(fromWireContent('bytes', 'QQ')).toBe('QQ');
    expect(fromWireContent('bytes', [1, 2])).toEqual([1, 2]);
    expect(fromWireContent('text', 'QQ==')).toBe('QQ==');
  });

  test('any JSON value passes as dict unchanged and as json in a string', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(toWireContent('dict', value)).toBe(value);
        if (typeof value !== 'string') expect(toWireContent('json', value)).toBe(JSON.stringify(value));
      }),
    );
  });

  test.each([
    ['json', '{nope'],
    ['json', undefined],
    ['dict', { x: Number.NaN }],
    ['dict', [Number.POSITIVE_INFINITY]],
    ['dict', 10n],
    ['dict', () => 1],
    ['bytes', 5],
    ['file', ''],
    ['image', 5],
    ['folder', null],
  ] as const)('%s refuses %p', (type, content) => {
    expect(() => toWireContent(type, content)).toThrow(expect.objectContaining({ code: 'CC_INVALID_CONTENT' }));
  });

  test('dict refuses a cycle', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(() => toWireContent('dict', cycle)).toThrow(expect.objectContaining({ code: 'CC_INVALID_CONTENT' }));
  });

  test('text takes anything as String() does', () => {
    expect([5, null, true, 'x'].map((value) => toWireContent('text', value))).toEqual(['5', 'null', 'true', 'x']);
  });
});
