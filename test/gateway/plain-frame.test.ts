import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { readPlainFrame, readPlainMsgId, readPlainRest } from '../../src/gateway/plain-frame.js';
import { decodeEnvelope } from '../../src/protocol/index.js';

const PLAIN = '{"msg_id": "alice_1_00", "from_client_id": "alice", "to_client_id": "bob", "msg_type": "text", "content": "hello", "timestamp": 1795220314.8697875, "oss_key": null}';

/** What is read without parsing is what parsing gives; what is not read is nobody's loss. */
function expectAgreement(frame: Buffer): boolean {
  const text = frame.toString('latin1');
  const plain = readPlainFrame(text);
  if (plain === undefined) return false;
  const { msgId, fromClientId, toClientId, msgType, ossKey, ext, content, timestamp } = decodeEnvelope(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(frame), { allowExt: plain.asksLive });
  expect(plain).toEqual({ fromClientId, toClientId, msgType, asksLive: ext !== undefined });
  expect({ ossKey, ext }).toEqual({ ossKey: null, ext: plain.asksLive ? { delivery: 'live' } : undefined });
  expect(readPlainRest(text)).toEqual({ content, timestamp });
  expect(readPlainMsgId(text, Buffer.from(frame))).toBe(msgId);
  return true;
}

describe('reading a plain frame without parsing it', () => {
  test.each([
    ['Python spelling', PLAIN],
    ['compact spelling', JSON.stringify(JSON.parse(PLAIN))],
    ['another speaker', PLAIN.replace('"alice"', '"alicia"')],
    ['no oss_key', PLAIN.replace(', "oss_key": null', '')],
    ['a live message, asked for as Python spells it', PLAIN.replace('null}', 'null, "ext": {"delivery": "live"}}')],
    ['a live message, asked for in compact spelling', PLAIN.replace(', "oss_key": null', ',"ext":{"delivery":"live"}')],
    ['CJK content', PLAIN.replace('hello', '你好')],
    ['scientific time', PLAIN.replace('1795220314.8697875', '1.795220759924E9')],
    ['an empty content', PLAIN.replace('hello', '')],
    ['nothing but punctuation', PLAIN.replace('alice_1_00', 'content:,}').replace('bob', ',}:').replace('hello', ', }: {timestamp: 1, ')],
    ['keys as values', PLAIN.replace('alice_1_00', 'content').replace('alice', 'content').replace('bob', 'timestamp').replace('hello', 'timestamp:')],
    ['the largest time', PLAIN.replace('1795220314.8697875', '1e999')],
  ])('reads %s', (_, text) => expect(expectAgreement(Buffer.from(text))).toBe(true));

  test.each([
    ['other white space', `${PLAIN} `],
    ['an escape in an id', PLAIN.replace('"bob"', '"b\\u006fb"')],
    ['an escape in the content', PLAIN.replace('hello', 'a\\nb')],
    ['a control character', PLAIN.replace('hello', 'a\u0001b')],
    ['an id beyond ASCII', PLAIN.replace('"bob"', '"bób"')],
    ['another order', '{"from_client_id": "alice", "msg_id": "m", "to_client_id": "bob", "msg_type": "text", "content": "x", "timestamp": 1}'],
    ['an empty ext', PLAIN.replace('null}', 'null, "ext": {}}')],
    ['another ext', PLAIN.replace('null}', 'null, "ext": {"delivery": "durable"}}')],
    ['more in its ext', PLAIN.replace('null}', 'null, "ext": {"delivery": "live", "a": 1}}')],
    ['an eighth key', PLAIN.replace('null}', 'null, "extra": 1}')],
    ['a key twice', PLAIN.replace('"content"', '"msg_type": "json", "content"')],
    ['an attachment', PLAIN.replace('null', '"cross_comm/alice/1_0.txt"')],
    ['an object as content', PLAIN.replace('"hello"', '{"a": 1}')],
    ['a control type', PLAIN.replace('"text"', '"login"')],
    ['a leading zero', PLAIN.replace('1795220314.8697875', '01')],
    ['a bare point', PLAIN.replace('1795220314.8697875', '1.')],
    ['a bare exponent', PLAIN.replace('1795220314.8697875', '1e')],
    ['NaN', PLAIN.replace('1795220314.8697875', 'NaN')],
    ['something behind it', `${PLAIN}x`],
    ['a torn end', PLAIN.slice(0, -1)],
  ])('leaves %s to the codec', (_, text) => expect(readPlainFrame(Buffer.from(text).toString('latin1'))).toBeUndefined());

  test.each([
    ['a plain one', PLAIN],
    ['a live one', PLAIN.replace('null}', 'null, "ext": {"delivery": "live"}}')],
  ])('agrees with the codec on every frame that is one byte away from %s', (_, frame) => {
    const base = Buffer.from(frame);
    let read = 0;
    for (let at = 0; at < base.length; at++) {
      for (const byte of [0x00, 0x0a, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x30, 0x3a, 0x41, 0x5c, 0x65, 0x7b, 0x7d, 0x7f]) {
        const changed = Buffer.from(base);
        changed[at] = byte;
        if (expectAgreement(changed)) read++;
        if (expectAgreement(Buffer.concat([base.subarray(0, at), Buffer.from([byte]), base.subarray(at)]))) read++;
      }
      expectAgreement(Buffer.concat([base.subarray(0, at), base.subarray(at + 1)]));
    }
    expect(read).toBeGreaterThan(500);
  });

  test('agrees with the codec on arbitrary envelopes', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('msg_id', 'content', 'timestamp', ':', ', ', '}'));
    fc.assert(
      fc.property(fc.tuple(text, text, text, fc.constantFrom('text', 'bytes', 'json', 'dict', 'file', 'x'), fc.jsonValue(), fc.double(), text), ([id, from, to, type, content, time, key]) => {
        const wire = { msg_id: id, from_client_id: from, to_client_id: to, msg_type: type, content, timestamp: time, oss_key: key === '' ? null : key };
        expectAgreement(Buffer.from(JSON.stringify(wire)));
      }),
      { numRuns: 2000 },
    );
  });
});
