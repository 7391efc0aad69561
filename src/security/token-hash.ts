import { createHash, scrypt, timingSafeEqual } from 'node:crypto';
import { CrossCommError } from '../protocol/index.js';

/** A token as it is stored: never itself. */
export type TokenHash =
  | { readonly kind: 'sha256'; readonly text: string; readonly hash: Buffer }
  | { readonly kind: 'scrypt'; readonly text: string; readonly cost: number; readonly blockSize: number; readonly salt: Buffer; readonly hash: Buffer };

const SHA256 = /^sha256:([0-9a-f]{64})$/i;
const SCRYPT = /^scrypt:(\d{1,8}):(\d{1,2}):([0-9a-f]{16,128}):([0-9a-f]{32,128})$/i;

/** Memory one check may take, in bytes. */
const MAX_SCRYPT_BYTES = 256 * 1024 * 1024;

/** `sha256:<64 hex>` of a token: what options and token files hold. For long random tokens; weak ones need scrypt. */
export function hashToken(token: string): string {
  return `sha256:${sha256(token).toString('hex')}`;
}

/**
 * Reads `sha256:<64 hex>` or `scrypt:<N>:<r>:<salt hex>:<hash hex>` (p is 1).
 * @throws CrossCommError `CC_INVALID_OPTION`, without the text itself: it may be a token by mistake
 */
export function parseTokenHash(text: unknown, of: string): TokenHash {
  const plain = typeof text === 'string' ? text : '';
  const [, sha] = SHA256.exec(plain) ?? [];
  if (sha !== undefined) return { kind: 'sha256', text: plain.toLowerCase(), hash: Buffer.from(sha, 'hex') };
  const [, cost, blockSize, salt, hash] = SCRYPT.exec(plain) ?? [];
  if (cost !== undefined && blockSize !== undefined && salt !== undefined && hash !== undefined && hash.length % 2 === 0 && salt.length % 2 === 0) {
    const [n, r] = [Number(cost), Number(blockSize)];
    const isPower = n > 1 && Number.isInteger(Math.log2(n));
    if (isPower && r > 0 && 128 * n * r <= MAX_SCRYPT_BYTES)
      return { kind: 'scrypt', text: plain.toLowerCase(), cost: n, blockSize: r, salt: Buffer.from(salt, 'hex'), hash: Buffer.from(hash, 'hex') };
  }
  throw new CrossCommError('CC_INVALID_OPTION', `The token of ${JSON.stringify(of)} is neither "sha256:<64 hex>" nor "scrypt:<N>:<r>:<salt hex>:<hash hex>".`);
}

/** Compares in constant time; at once for SHA-256, beside the event loop for scrypt. */
export function isTokenOf(hash: TokenHash, token: string): boolean | Promise<boolean> {
  if (hash.kind === 'sha256') return timingSafeEqual(hash.hash, sha256(token));
  const { cost, blockSize, salt, hash: expected } = hash;
  return new Promise((resolve, reject) => {
    scrypt(token, salt, expected.length, { N: cost, r: blockSize, p: 1, maxmem: MAX_SCRYPT_BYTES * 2 }, (error, derived) => {
      if (error === null) resolve(timingSafeEqual(expected, derived));
      else reject(error);
    });
  });
}

function sha256(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}
