import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { bufferOf } from '../../src/clients/index.js';
import { mailFrame } from '../../src/delivery/mail-frame.js';
import { decodeEnvelope } from '../../src/protocol/index.js';

test('A frame gets its number behind its own bytes, whatever white space ends it, and nothing beside it is written', () => {
  const seq = fc.oneof(fc.nat({ max: 1_000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
  const space = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 60, size: 'max' });
  fc.assert(
    fc.property(seq, space, fc.string({ unit: 'grapheme' }), fc.nat({ max: 9 }), (number, behind, content, at) => {
      const members = JSON.stringify({ msg_id: 'm1', from_client_id: 'alice', to_client_id: 'bob', msg_type: 'text', content, timestamp: 1, oss_key: null }).slice(0, -1);
      const frame = Buffer.from(`${members}}${behind}`);
      const source = mailFrame(decodeEnvelope(frame.toString(), {}), frame, number);
      const expected = Buffer.from(`${members}, "ext": {"seq": ${number}}}`);
      expect(bufferOf(source).equals(expected)).toBe(true);
      // as it is put among others: what stands before it stays, and it ends where its length says
      const target = Buffer.alloc(at + source.length, 0xff);
      source.copy(target, at);
      expect(target.equals(Buffer.concat([Buffer.alloc(at, 0xff), expected]))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
