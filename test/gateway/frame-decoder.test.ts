import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { decodeTextFrame } from '../../src/gateway/frame-decoder.js';
import { CrossCommError, decodeEnvelope, type Envelope } from '../../src/protocol/index.js';

const OPTIONS = { maxNestingDepth: 16, allowExt: true };

/** What a decoder makes of a text: the envelope's members, or the refusal. */
function outcome(decode: () => Envelope): unknown {
  try {
    const { msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey, ext } = decode();
    return { msgId, fromClientId, toClientId, msgType, content, timestamp, ossKey, ext };
  } catch (error) {
    expect(error).toBeInstanceOf(CrossCommError);
    return (error as CrossCommError).message;
  }
}

function expectSame(text: string): void {
  const frame = Buffer.from(text);
  expect(outcome(() => decodeTextFrame(frame, OPTIONS))).toEqual(outcome(() => decodeEnvelope(frame.toString('utf8'), OPTIONS)));
}

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('中文', 'é', 'Ã©', '\u0085', '😀', '\ufeff'));
const anyJson = fc.oneof(anyText, fc.jsonValue({ stringUnit: 'grapheme' }));

describe('decoding a frame byte by byte', () => {
  test('gives what decoding it as UTF-8 gives, for every envelope', () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            msg_id: anyText,
            from_client_id: anyText,
            to_client_id: anyText,
            msg_type: fc.constantFrom('text', 'json', 'dict', 'bytes', 'file', 'login', 'list_clients', 'request', 'video', 'é'),
            content: anyJson,
            timestamp: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), anyText),
            oss_key: fc.oneof(fc.constant(null), anyText),
            ext: fc.dictionary(fc.string(), anyJson),
            é: fc.constant(1),
          },
          { requiredKeys: ['from_client_id', 'to_client_id', 'msg_type', 'content', 'timestamp'] },
        ),
        fc.boolean(),
        (wire, escaped) => {
          const text = JSON.stringify(wire);
          expectSame(escaped ? text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : text);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('refuses with the same words, for every text', () => {
    fc.assert(fc.property(anyText, expectSame), { numRuns: 500 });
    for (const text of ['', '\u00a0{}', '\ufeff{}', '{"é": 1}', '{"é', '"中文"', '{"msg_id": "é"}', `${'['.repeat(40)}"é"${']'.repeat(40)}`]) expectSame(text);
  });

  test('reads an id written in UTF-8 and one written in escapes as the same id', () => {
    const raw = '{"msg_id":"m","from_client_id":"é","to_client_id":"中","msg_type":"text","content":"é","timestamp":1}';
    const escaped = raw.replace('"é"', '"\\u00e9"');
    for (const text of [raw, escaped]) {
      const { fromClientId, toClientId, content } = decodeTextFrame(Buffer.from(text), OPTIONS);
      expect({ fromClientId, toClientId, content }).toEqual({ fromClientId: 'é', toClientId: '中', content: 'é' });
    }
  });

  test('judges the depth of content by what is there, also when two keys look alike in Latin-1', () => {
    const deep = `${'['.repeat(20)}${']'.repeat(20)}`;
    const text = `{"msg_id":"m","from_client_id":"a","to_client_id":"b","msg_type":"dict","content":{"é":${deep},"\\u00c3\\u00a9":1},"timestamp":1}`;
    expect(() => decodeTextFrame(Buffer.from(text), OPTIONS)).toThrow(/CC_TOO_DEEP/);
  });
});
