import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { removeTopLevelMember } from '../../src/protocol/index.js';

const space = fc.array(fc.constantFrom(' ', '\t', '\n', '\r'), { maxLength: 2 }).map((spaces) => spaces.join(''));
const name = fc.oneof(fc.constantFrom('ext', 'a', '', '"', '\\', 'e\\u0078t', '}', ','), fc.string());
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((json) => JSON.stringify(json)),
  fc.constantFrom('1.0', '-0.0', '9007199254740993', '"\\u4f60\\\\"', '"\\\\\\""', '{"ext": 1}', '[{"ext":"}"}]', '"{\\"ext\\":1}"'),
);
/** The members of an object with the white space before and behind each, keys spelt in one of two ways. */
const members = fc.array(fc.tuple(space, name, fc.boolean(), space, space, value, space), { maxLength: 6 });

function spelt(key: string, escaped: boolean): string {
  if (!escaped) return JSON.stringify(key);
  const units = Array.from({ length: key.length }, (_, i) => `\\u${key.charCodeAt(i).toString(16).padStart(4, '0')}`);
  return `"${units.join('')}"`;
}

describe('removeTopLevelMember', () => {
  test('leaves the object without the member, and every other member as it was spelt', () => {
    fc.assert(
      fc.property(members, space, space, (parts, before, behind) => {
        const texts = parts.map(([a, key, escaped, b, c, json, d]) => ({ key, text: `${a}${spelt(key, escaped)}${b}:${c}${json}${d}` }));
        const text = `${before}{${texts.map((part) => part.text).join(',')}}${behind}`;
        const result = removeTopLevelMember(text, 'ext');
        const expected = JSON.parse(text) as Record<string, unknown>;
        delete expected['ext'];
        expect(JSON.parse(result)).toStrictEqual(expected);
        const kept = texts.filter((part) => part.key !== 'ext');
        let from = 0;
        for (const part of kept) {
          const at = result.indexOf(part.text.trim(), from);
          expect(at).toBeGreaterThanOrEqual(from);
          from = at + part.text.trim().length;
        }
        if (kept.length === texts.length) expect(result).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['{"ext":1}', '{}'],
    ['{"ext":1,"ext":2,"ext":3}', '{}'],
    ['{"a":1,"ext":NaN,"b":-Infinity}', '{"a":1,"b":-Infinity}'],
    ['{"a":{"ext":1}}', '{"a":{"ext":1}}'],
    ['{ "a" : 1 , "ext" : [ 2 ] }', '{ "a" : 1  }'],
  ])('%s becomes %s', (text, result) => {
    expect(removeTopLevelMember(text, 'ext')).toBe(result);
  });
});
