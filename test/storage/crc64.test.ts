import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { combineCrc64, Crc64, crc64 } from '../../src/storage/index.js';

/** The definition, one bit at a time. */
function reference(bytes: Uint8Array): string {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  }
  return (crc ^ 0xffffffffffffffffn).toString();
}

describe('crc64', () => {
  test('has the check value of CRC-64/XZ, and 0 for nothing', () => {
    expect(BigInt(crc64(Buffer.from('123456789'))).toString(16)).toBe('995dc9bbdf1939fa');
    expect(crc64(new Uint8Array())).toBe('0');
  });

  test('agrees with the bitwise definition, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 6 }), (chunks) => {
        const crc = new Crc64();
        for (const chunk of chunks) crc.update(chunk);
        const whole = Buffer.concat(chunks);
        expect(crc.digest()).toBe(reference(whole));
        expect(crc.sizeBytes).toBe(whole.length);
      }),
    );
  });

  test('of a whole is combined from its parts', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
        expect(combineCrc64(crc64(a), crc64(b), b.length)).toBe(crc64(Buffer.concat([a, b])));
      }),
    );
  });

  test('combines lengths beyond 32 bits', () => {
    const mebibyte = Buffer.alloc(1024 * 1024, 'x');
    // 8 GiB of the same block by doubling, then the same by one step onto the first half.
    let crc = crc64(mebibyte);
    let size = mebibyte.length;
    while (size < 8 * 1024 ** 3) {
      crc = combineCrc64(crc, crc, size);
      size *= 2;
    }
    const half = (() => {
      let part = crc64(mebibyte);
      for (let bytes = mebibyte.length; bytes < 4 * 1024 ** 3; bytes *= 2) part = combineCrc64(part, part, bytes);
      return part;
    })();
    const rest = combineCrc64(half, crc64(mebibyte), mebibyte.length);
    expect(combineCrc64(half, half, 4 * 1024 ** 3)).toBe(crc);
    expect(combineCrc64(combineCrc64('0', half, 4 * 1024 ** 3), crc64(mebibyte), mebibyte.length)).toBe(rest);
  });
});
