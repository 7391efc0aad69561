import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { posix, win32 } from 'node:path';
import {
  assertClientId,
  assertRelativePath,
  clientIdProblem,
  clientKeyPrefix,
  fileObjectKey,
  folderObjectPrefix,
  relativePathProblem,
  utf8ByteLength,
} from '../../src/protocol/index.js';

const part = fc.oneof(
  fc.constantFrom('..', '.', '', '/', '\\', 'C:', 'c:\\x', 'CON', 'nul.txt', 'com1', 'a.', 'a ', 'a', 'ä', '\u0000', '~', '$HOME', '%2e%2e', 'lpt1.log', '..\\..', '\u2025', '..;'),
  fc.string({ maxLength: 8 }),
);
const anyPath = fc.array(part, { maxLength: 6 }).chain((parts) => fc.constantFrom('/', '\\', '//').map((separator) => parts.join(separator)));

describe('A path from the wire', () => {
  test('never leaves its directory, on Linux or on Windows', () => {
    fc.assert(
      fc.property(fc.oneof(anyPath, fc.string({ unit: 'binary' })), (path) => {
        if (relativePathProblem(path) !== undefined) return;
        expect(posix.resolve('/base/dir', path).startsWith('/base/dir/')).toBe(true);
        expect(win32.resolve('D:\\base\\dir', path).startsWith('D:\\base\\dir\\')).toBe(true);
        expect(path).not.toContain('\u0000');
      }),
      { numRuns: 3_000 },
    );
  });

  test.each(['a', 'a/b/c.txt', 'cross_comm/alice/1_0c3f94b0.txt', '你好/ö 1.PNG', '.hidden', 'a..b', 'console', 'x'.repeat(255)])('%s is allowed', (path) => {
    expect(assertRelativePath(path)).toBe(path);
  });

  test.each([
    '', '/', '/etc/passwd', '..', '../x', 'a/../b', 'a/..', './a', 'a/./b', 'a//b', 'a/', 'C:/x', 'C:x', 'a:stream', 'a\\b', '..\\x', 'a\u0000b', 'a\nb',
    'CON', 'con.txt', 'a/NUL', 'COM1', 'lpt9.x', 'LPT¹', 'a.', 'a ', 'a/b./c', 'x'.repeat(256), 'ä'.repeat(128), `${'x/'.repeat(512)}x`, 5, null, undefined, ['a'],
  ])('%p is refused', (path) => {
    expect(() => assertRelativePath(path)).toThrow(expect.objectContaining({ code: 'CC_UNSAFE_PATH' }));
  });

  test('made by this side is always allowed on the other', () => {
    const id = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), part).filter((text) => clientIdProblem(text) === undefined);
    fc.assert(
      fc.property(id, anyPath, (clientId, name) => {
        const stamp = { nowMs: 1_795_220_322_489, hex8: '0c3f94b0' };
        const key = fileObjectKey(clientId, name, stamp);
        expect(relativePathProblem(key)).toBeUndefined();
        expect(key.startsWith(clientKeyPrefix(clientId))).toBe(true);
        expect(key.split('/')).toHaveLength(3);
        expect(relativePathProblem(folderObjectPrefix(clientId, stamp).replace(/\/$/, ''))).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  test('two clients never share a prefix', () => {
    const id = fc.oneof(part, fc.string({ unit: fc.constantFrom('a', '%', '2', 'F', '/', '.', ' ', ':', '3', 'A'), maxLength: 6 })).filter((text) => clientIdProblem(text) === undefined);
    fc.assert(
      fc.property(id, id, (a, b) => {
        fc.pre(a !== b);
        expect(clientKeyPrefix(a).startsWith(clientKeyPrefix(b))).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a client whose id makes no file name has no prefix, in place of one that it shares', () => {
    expect(clientKeyPrefix('a'.repeat(200))).toBe(`cross_comm/${'a'.repeat(200)}/`);
    for (const id of ['a'.repeat(201), ':'.repeat(67)]) expect(() => clientKeyPrefix(id)).toThrow(expect.objectContaining({ code: 'CC_UNSAFE_PATH' }));
  });

  test('keeps the extension of the name, case and all', () => {
    const stamp = { nowMs: 1, hex8: '00000000' };
    expect(fileObjectKey('a', '/tmp/pic.PNG', stamp)).toBe('cross_comm/a/1_00000000.PNG');
    expect(fileObjectKey('a', 'report.final.txt', stamp)).toBe('cross_comm/a/1_00000000.txt');
    expect(fileObjectKey('a', 'C:\\x\\noext', stamp)).toBe('cross_comm/a/1_00000000');
    expect(fileObjectKey('a', '.bashrc', stamp)).toBe('cross_comm/a/1_00000000');
    expect(folderObjectPrefix('a: b', stamp)).toBe('cross_comm/a%3A b/1_00000000_folder/');
  });
});

describe('A client id', () => {
  test('is counted in the bytes that UTF-8 takes', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(utf8ByteLength(text)).toBe(Buffer.byteLength(text))));
    expect(utf8ByteLength('\ud83d')).toBe(Buffer.byteLength('\ud83d'));
  });

  test('is any printable Unicode string of 1 to 256 bytes that is not reserved', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (id) => {
        const isFine = id !== '' && Buffer.byteLength(id) <= 256 && !/[\u0000-\u001f\u007f-\u009f]/.test(id) && Buffer.from(id).toString() === id;
        expect(clientIdProblem(id) === undefined).toBe(isFine);
      }),
    );
  });

  test.each(['', 'all', 'server', 5, null, undefined, {}, 'a\tb', 'x'.repeat(257), '\udc00', '\ud83dx'])('%p is refused', (id) => {
    expect(() => assertClientId(id)).toThrow(expect.objectContaining({ code: 'CC_INVALID_CLIENT_ID' }));
  });
});
