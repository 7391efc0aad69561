import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A secret of 32 bytes. */
export const SECRET = '0123456789abcdef0123456789abcdef';

export const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** The text of a public key. */
export const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** An entry of a key set. */
export const jwk = (key: KeyObject, more: object): object => ({ ...key.export({ format: 'jwk' }), ...more });

/** Unix seconds from now. */
export const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What is signed, with the header and the claims exactly as given. */
export const unsigned = (header: object, claims: object): string => `${part(header)}.${part(claims)}`;

/** A token of HS256; without `exp` in the claims it ends in a minute. */
export function hs256(claims: object, { secret = SECRET, header = {} }: { readonly secret?: string | Buffer; readonly header?: object } = {}): string {
  return sealed(unsigned({ alg: 'HS256', typ: 'JWT', ...header }, { exp: inSeconds(60), ...claims }), secret);
}

/** Signs a text by HS256, whatever it is. */
export function sealed(text: string, secret: string | Buffer = SECRET): string {
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** A token of RS256. */
export function rs256(claims: object, header: object = {}, key: KeyObject = rsa.privateKey): string {
  const text = unsigned({ alg: 'RS256', ...header }, { exp: inSeconds(60), ...claims });
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** A token of ES256. */
export function es256(claims: object, header: object = {}, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363'): string {
  const text = unsigned({ alg: 'ES256', ...header }, { exp: inSeconds(60), ...claims });
  return `${text}.${sign('sha256', Buffer.from(text), { key: ec.privateKey, dsaEncoding }).toString('base64url')}`;
}
