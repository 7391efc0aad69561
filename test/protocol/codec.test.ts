import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { CrossCommError, USER_MESSAGE_TYPES, decodeEnvelope, encodeEnvelope, parsePythonJson, type Envelope } from '../../src/protocol/index.js';
import { textOfBinaryFrame } from '../../src/gateway/frame-text.js';

const anyEnvelope: fc.Arbitrary<Envelope> = fc.record(
  {
    msgId: fc.string(),
    fromClientId: fc.string({ unit: 'binary' }),
    toClientId: fc.string({ unit: 'binary' }),
    msgType: fc.constantFrom(...USER_MESSAGE_TYPES, 'login' as const, 'error' as const),
    content: fc.jsonValue({ maxDepth: 4 }),
    timestamp: fc.double({ noNaN: true, noDefaultInfinity: true }).map((seconds) => seconds + 0),
    ossKey: fc.option(fc.string()),
    ext: fc.dictionary(fc.string(), fc.jsonValue()),
  },
  { requiredKeys: ['msgId', 'fromClientId', 'toClientId', 'msgType', 'content', 'timestamp', 'ossKey'] },
);

/** JSON with the white space that JSON allows, anywhere between its tokens. */
const spacedJson = fc
  .tuple(fc.jsonValue(), fc.array(fc.constantFrom(' ', '\t', '\n', '\r'), { maxLength: 3 }))
  .map(([value, spaces]) => spaces.join('') + JSON.stringify(value, null, spaces.filter((space) => space !== '\r').join('') || 1) + spaces.join(''));

/** Throws everything that is not a {@link CrossCommError}. */
function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CrossCommError) return error.code;
    throw error;
  }
}

describe('The codec', () => {
  test('gives back every envelope it encoded', () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const read = decodeEnvelope(encodeEnvelope(envelope), { allowExt: true });
        expect(JSON.stringify(read)).toBe(JSON.stringify(envelope));
      }),
    );
  });

  test('writes exactly the seven keys in the order of the Python side, and ext only when there is one', () => {
    fc.assert(
      fc.property(anyEnvelope, (envelope) => {
        const keys = Object.keys(JSON.parse(encodeEnvelope(envelope)) as object);
        const seven = ['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key'];
        expect(keys).toEqual(envelope.ext === undefined ? seven : [...seven, 'ext']);
      }),
    );
  });

  test('throws nothing but a CrossCommError, whatever text it reads', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json(), spacedJson), (text) => void codeOf(() => decodeEnvelope(text))));
  });

  test('throws nothing but a CrossCommError for any change of a frame', () => {
    const change = fc.tuple(fc.nat(), fc.nat(12), fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('"', '{', '[', ',', 'NaN', '\\u', '-', '\u0000', 'null')));
    fc.assert(
      fc.property(anyEnvelope, fc.array(change, { minLength: 1, maxLength: 4 }), (envelope, changes) => {
        let text = encodeEnvelope(envelope);
        for (const [at, length, insert] of changes) text = text.slice(0, at % (text.length + 1)) + insert + text.slice((at % (text.length + 1)) + length);
        codeOf(() => decodeEnvelope(text, { allowExt: true }));
      }),
      { numRuns: 500 },
    );
  });

  test('throws nothing but a CrossCommError for any values behind the seven keys', () => {
    const value = fc.anything({ withNullPrototype: false, withObjectString: true, maxDepth: 3 });
    const keys = ['msg_id', 'from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp', 'oss_key', 'ext'];
    const frame = fc.record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] });
    fc.assert(fc.property(frame, (wire) => void codeOf(() => decodeEnvelope(JSON.stringify(wire, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v))))));
  });

  test('throws nothing but a CrossCommError for any bytes of a binary frame', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void codeOf(() => decodeEnvelope(textOfBinaryFrame(Buffer.from(bytes))))));
  });

  test('keeps a msg_id that is no string as its JSON text and reads odd times and keys as absent', () => {
    const text = '{"msg_id":{"a":[1]},"from_client_id":"a","to_client_id":"b","msg_type":"text","content":null,"timestamp":"now","oss_key":5}';
    expect(decodeEnvelope(text)).toMatchObject({ msgId: '{"a":[1]}', timestamp: 0, ossKey: null, content: null });
  });
});

describe('Python JSON', () => {
  test('is read as JSON.parse reads it wherever JSON.parse can', () => {
    fc.assert(fc.property(fc.oneof(fc.json(), spacedJson), (text) => expect(parsePythonJson(text, 1_000)).toStrictEqual(JSON.parse(text))));
  });

  test('is refused where JSON.parse refuses it, unless NaN or Infinity is in it', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"', '"a"', '1', '-', '.5', 'e3', '01', 'true', 'null', ' ', '\\', '\u00a0', "'");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        const strict = attempt(() => JSON.parse(text) as unknown);
        expect(attempt(() => parsePythonJson(text, 1_000))).toStrictEqual(strict);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['NaN', Number.NaN],
    [' [NaN, -Infinity,Infinity] ', [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]],
    ['{"a": {"b": NaN}}', { a: { b: Number.NaN } }],
    ['["$", "\\u0024NaN", "NaN", NaN, {"$": "-Infinity", "NaN": "\\\\"}]', ['$', '$NaN', 'NaN', Number.NaN, { $: '-Infinity', NaN: '\\' }]],
    ['1e400', Number.POSITIVE_INFINITY],
    ['-0.0', -0],
  ])('%s is a value', (text, value) => {
    expect(parsePythonJson(text, 8)).toStrictEqual(value);
  });

  test.each(['nan', 'NAN', '+Infinity', '- Infinity', '-NaN', 'NaNNaN', '[NaN,]', '{"a":NaN,}', '{NaN:1}', '"\n"', "'a'", '', 'Infinity1', '1Infinity', '1NaN', '"a\\NaN', '"a NaN', '["a":NaN]'])('%j is none', (text) => {
    expect(codeOf(() => parsePythonJson(text, 8))).toBe('CC_INVALID_FRAME');
  });

  test('is as deep as allowed and not deeper', () => {
    expect(codeOf(() => parsePythonJson('[[[]]]', 3))).toBeUndefined();
    expect(codeOf(() => parsePythonJson('[[[]]]', 2))).toBe('CC_TOO_DEEP');
    expect(codeOf(() => parsePythonJson('{"a":'.repeat(500_000), 128))).toBe('CC_TOO_DEEP');
  });

  test('takes __proto__ for data', () => {
    const value = parsePythonJson('{"__proto__": {"polluted": NaN}}', 8) as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect('polluted' in {}).toBe(false);
  });
});

function attempt(action: () => unknown): unknown {
  try {
    return { value: action() };
  } catch {
    // what kind of failure is compared elsewhere
    return 'refused';
  }
}
