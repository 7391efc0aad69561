import { createHmac, createPublicKey, createSecretKey, timingSafeEqual, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import { CrossCommError } from '../protocol/index.js';
import { jsonObject } from './credential-files.js';

/** Signatures that are known. There is no `none`. */
export const JWT_ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** Shorter ones can be guessed from one token (RFC 7518, 3.2). */
const MIN_SECRET_BYTES = 32;
const MIN_RSA_BITS = 2_048;
/** Two numbers of P-256 (RFC 7518, 3.4). */
const ES256_BYTES = 64;

/** A key, and the one algorithm its type is for: a token cannot choose another. */
export interface JwtKey {
  readonly key: KeyObject;
  readonly algorithm: JwtAlgorithm;
  readonly kid: string | undefined;
}

/** Makes the key of HS256. @throws CrossCommError `CC_INVALID_OPTION` */
export function secretKey(secret: string | Buffer, kid?: string): JwtKey {
  const bytes = Buffer.from(secret as string, 'utf8');
  if (bytes.length < MIN_SECRET_BYTES) throw new CrossCommError('CC_INVALID_OPTION', `The secret is shorter than ${MIN_SECRET_BYTES} bytes.`);
  return { key: createSecretKey(bytes), algorithm: 'HS256', kid };
}

/** Reads a public key in PEM. @throws CrossCommError `CC_INVALID_OPTION` */
export function publicKey(pem: string): JwtKey {
  // Node would take the public half of it; but then it lies where it should not
  if (pem.includes('PRIVATE KEY')) throw new CrossCommError('CC_INVALID_OPTION', 'It is a private key; give the public one.');
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new CrossCommError('CC_INVALID_OPTION', 'It is no public key in PEM.');
  }
  return asymmetric(key, undefined);
}

/** Reads a JSON Web Key Set; keys for other uses or of other types are left out. @throws CrossCommError `CC_INVALID_OPTION` */
export function keySet(text: string): readonly JwtKey[] {
  const { keys } = jsonObject(text);
  if (!Array.isArray(keys)) throw new CrossCommError('CC_INVALID_OPTION', 'It has no list of keys.');
  const usable = keys.flatMap((jwk: unknown) => keyOf((jwk ?? {}) as JsonWebKey & Readonly<Record<string, unknown>>) ?? []);
  if (usable.length === 0) throw new CrossCommError('CC_INVALID_OPTION', 'It has no key for HS256, RS256 or ES256.');
  return usable;
}

function keyOf(jwk: JsonWebKey & Readonly<Record<string, unknown>>): JwtKey | undefined {
  const { kty, kid, use, alg, k, crv, key_ops: operations } = jwk;
  if (use !== undefined && use !== 'sig') return undefined;
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  const algorithm = kty === 'oct' ? 'HS256' : kty === 'RSA' ? 'RS256' : kty === 'EC' && crv === 'P-256' ? 'ES256' : undefined;
  if (algorithm === undefined || (alg !== undefined && alg !== algorithm)) return undefined;
  const name = typeof kid === 'string' ? kid : undefined;
  if (jwk.d !== undefined) throw new CrossCommError('CC_INVALID_OPTION', `The key ${JSON.stringify(name ?? '')} is a private key; give the public one.`);
  if (algorithm === 'HS256') return secretKey(Buffer.from(typeof k === 'string' ? k : '', 'base64url'), name);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new CrossCommError('CC_INVALID_OPTION', `The key ${JSON.stringify(name ?? '')} cannot be read.`);
  }
  return asymmetric(key, name);
}

function asymmetric(key: KeyObject, kid: string | undefined): JwtKey {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return { key, algorithm: 'RS256', kid };
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { key, algorithm: 'ES256', kid };
  throw new CrossCommError('CC_INVALID_OPTION', `It is neither an RSA key of at least ${MIN_RSA_BITS} bits nor one of P-256.`);
}

/** Whether the signature is that of the key, by the key's own algorithm. */
export function isSignedBy({ key, algorithm }: JwtKey, signed: string, signature: Buffer): boolean {
  switch (algorithm) {
    case 'HS256': {
      const expected = createHmac('sha256', key).update(signed).digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    }
    case 'RS256':
      return verify('sha256', Buffer.from(signed), key, signature);
    case 'ES256':
      return signature.length === ES256_BYTES && verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature);
  }
}
