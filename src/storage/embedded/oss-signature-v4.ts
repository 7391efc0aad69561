import { createHash, createHmac } from 'node:crypto';
import type { OssRequest, OssTarget } from './oss-request.js';
import { headerText } from './oss-signature-v1.js';

/** The `Credential` of a V4 signature, taken apart. */
export interface CredentialScope {
  readonly accessKeyId: string;
  /** `yyyymmdd` */
  readonly day: string;
  readonly region: string;
  readonly product: string;
}

/** What a V4 signature is made with. */
export interface V4Key {
  readonly secret: string;
  readonly scope: CredentialScope;
  /** `yyyymmddThhmmssZ` */
  readonly date: string;
  /** Names of further signed headers, lower case. */
  readonly additionalHeaders: readonly string[];
}

/** How parameters without a value are written; SDKs differ, see {@link signaturesV4}. */
type EmptyValues = 'bare' | 'equals' | 'bare-sub-resources';

const BARE_SUB_RESOURCES = new Set(['acl', 'bucketInfo', 'delete', 'location', 'objectMeta', 'stat', 'uploads']);

/**
 * Signature version 4 (OSS4-HMAC-SHA256) in every accepted spelling. Empty parameters are signed as `name` by the
 * documentation and the Python SDK, while the Node SDK signs `name=` except for sub-resources; when no parameter is
 * empty, all three are the same.
 */
export function* signaturesV4(request: OssRequest, target: OssTarget, key: V4Key): Iterable<Buffer> {
  yield signV4(request, target, { ...key, emptyValues: 'bare' });
  if (![...request.query.values()].includes('')) return;
  yield signV4(request, target, { ...key, emptyValues: 'equals' });
  yield signV4(request, target, { ...key, emptyValues: 'bare-sub-resources' });
}

/** One V4 signature, as raw bytes. */
export function signV4(request: OssRequest, target: OssTarget, key: V4Key & { readonly emptyValues?: EmptyValues }): Buffer {
  const { scope } = key;
  const resource = `/${target.bucket === '' ? '' : `${target.bucket}/`}${target.key}`;
  const canonical = [
    request.method,
    encodeStrict(resource).replaceAll('%2F', '/'),
    canonicalQuery(request, key.emptyValues ?? 'bare'),
    canonicalHeaders(request, key.additionalHeaders),
    [...key.additionalHeaders].sort().join(';'),
    headerText(request.headers['x-oss-content-sha256']) || 'UNSIGNED-PAYLOAD',
  ].join('\n');
  const text = ['OSS4-HMAC-SHA256', key.date, formatScope(scope), createHash('sha256').update(canonical).digest('hex')].join('\n');
  const day = hmac(`aliyun_v4${key.secret}`, scope.day);
  return hmac(hmac(hmac(hmac(day, scope.region), scope.product), 'aliyun_v4_request'), text);
}

/** `20250102/cn-hangzhou/oss/aliyun_v4_request` */
export function formatScope({ day, region, product }: CredentialScope): string {
  return `${day}/${region}/${product}/aliyun_v4_request`;
}

/** The counterpart of {@link formatScope} with the access key id in front; `undefined` when it is malformed. */
export function parseCredential(text: string): CredentialScope | undefined {
  const parts = text.split('/');
  const [accessKeyId, day, region, product, end] = parts;
  if (parts.length !== 5 || !accessKeyId || !day || !region || !product || end !== 'aliyun_v4_request') return undefined;
  return { accessKeyId, day, region, product };
}

/** Percent-encoding of RFC 3986: everything but letters, digits and `-._~`. */
export function encodeStrict(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `20250102T030405Z` */
export function formatV4Date(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** The counterpart of {@link formatV4Date}: milliseconds since the epoch, or NaN. */
export function parseV4Date(text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function canonicalQuery({ query }: OssRequest, emptyValues: EmptyValues): string {
  return [...query]
    .filter(([name]) => name !== 'x-oss-signature')
    .map(([name, value]) => [encodeStrict(name), value === '' ? undefined : encodeStrict(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (value !== undefined) return `${name}=${value}`;
      const bare = emptyValues === 'bare' || (emptyValues === 'bare-sub-resources' && BARE_SUB_RESOURCES.has(name));
      return bare ? name : `${name}=`;
    })
    .join('&');
}

function canonicalHeaders({ headers }: OssRequest, additional: readonly string[]): string {
  const names = new Set(additional);
  for (const name of Object.keys(headers)) if (name === 'content-type' || name === 'content-md5' || name.startsWith('x-oss-')) names.add(name);
  // Node reads header bytes as Latin-1; what was signed are those bytes as UTF-8 text.
  return [...names]
    .sort()
    .map((name) => `${name}:${Buffer.from(headerText(headers[name]), 'latin1').toString('utf8')}\n`)
    .join('');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
