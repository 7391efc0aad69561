import { timingSafeEqual } from 'node:crypto';
import { OssError } from './oss-error.js';
import type { OssRequest, OssTarget } from './oss-request.js';
import { headerText, signV1 } from './oss-signature-v1.js';
import { parseCredential, parseV4Date, signaturesV4, type V4Key } from './oss-signature-v4.js';

/** What signatures are checked against. */
export interface SignatureRules {
  /** The secret of an access key id, if the store knows it. */
  readonly secretOf: (accessKeyId: string) => string | undefined;
  readonly skewMs: number;
  readonly maxUrlValidityMs: number;
  readonly nowMs: number;
}

/**
 * Checks a request's signature (V1 or V4, in the Authorization header or in the query) and returns that reading of
 * its URL which was signed.
 *
 * @throws OssError `AccessDenied` without a signature or with an expired one, `InvalidAccessKeyId`,
 * `RequestTimeTooSkewed`, `SignatureDoesNotMatch`
 */
export function verifySignature(request: OssRequest, targets: readonly OssTarget[], rules: SignatureRules): OssTarget {
  const { query } = request;
  const authorization = headerText(request.headers.authorization);
  if (authorization.startsWith('OSS4-HMAC-SHA256 ')) return verifyV4Header(request, targets, { ...rules, authorization });
  if (authorization.startsWith('OSS ')) return verifyV1Header(request, targets, { ...rules, authorization });
  if (query.has('x-oss-signature')) return verifyV4Query(request, targets, rules);
  if (query.has('OSSAccessKeyId') && query.has('Signature')) return verifyV1Query(request, targets, rules);
  throw new OssError('AccessDenied', 'The request is not signed.');
}

type HeaderRules = SignatureRules & { readonly authorization: string };

function verifyV1Header(request: OssRequest, targets: readonly OssTarget[], rules: HeaderRules): OssTarget {
  const [accessKeyId = '', signature = ''] = rules.authorization.slice('OSS '.length).trim().split(':');
  const secret = findSecret(accessKeyId, rules);
  const date = headerText(request.headers['x-oss-date']) || headerText(request.headers.date);
  assertFresh(Date.parse(date), rules);
  return pick(targets, signature, 'base64', (target) => [signV1(request, target, { secret, date })]);
}

function verifyV1Query(request: OssRequest, targets: readonly OssTarget[], rules: SignatureRules): OssTarget {
  const { query } = request;
  const secret = findSecret(query.get('OSSAccessKeyId') ?? '', rules);
  const date = query.get('Expires') ?? '';
  const expiresMs = /^\d{1,12}$/.test(date) ? Number(date) * 1000 : Number.NaN;
  const target = pick(targets, query.get('Signature') ?? '', 'base64', (candidate) => [signV1(request, candidate, { secret, date })]);
  if (!(expiresMs >= rules.nowMs)) throw new OssError('AccessDenied', 'Request has expired.');
  return target;
}

function verifyV4Header(request: OssRequest, targets: readonly OssTarget[], rules: HeaderRules): OssTarget {
  const fields = new Map(
    rules.authorization
      .slice('OSS4-HMAC-SHA256 '.length)
      .split(',')
      .map((field): [string, string] => {
        const equals = field.indexOf('=');
        return [field.slice(0, Math.max(0, equals)).trim(), field.slice(equals + 1).trim()];
      }),
  );
  const date = headerText(request.headers['x-oss-date']) || headerText(request.headers.date);
  const key = v4Key({ credential: fields.get('Credential'), date, additional: fields.get('AdditionalHeaders') }, rules);
  assertFresh(parseV4Date(date), rules);
  return pick(targets, fields.get('Signature') ?? '', 'hex', (target) => signaturesV4(request, target, key));
}

function verifyV4Query(request: OssRequest, targets: readonly OssTarget[], rules: SignatureRules): OssTarget {
  const { query } = request;
  if (query.get('x-oss-signature-version') !== 'OSS4-HMAC-SHA256') throw new OssError('InvalidArgument', 'The signature version is not supported.');
  const date = query.get('x-oss-date') ?? '';
  const key = v4Key({ credential: query.get('x-oss-credential'), date, additional: query.get('x-oss-additional-headers') }, rules);
  const target = pick(targets, query.get('x-oss-signature') ?? '', 'hex', (candidate) => signaturesV4(request, candidate, key));
  const signedMs = parseV4Date(date);
  const seconds = query.get('x-oss-expires') ?? '';
  const validMs = /^\d{1,9}$/.test(seconds) ? Number(seconds) * 1000 : Number.NaN;
  if (!(validMs <= rules.maxUrlValidityMs) || !(signedMs + validMs >= rules.nowMs)) throw new OssError('AccessDenied', 'Request has expired.');
  if (signedMs > rules.nowMs + rules.skewMs) throw new OssError('RequestTimeTooSkewed');
  return target;
}

function v4Key(given: { credential: string | undefined; date: string; additional: string | undefined }, rules: SignatureRules): V4Key {
  const scope = parseCredential(given.credential ?? '');
  if (!scope) throw new OssError('InvalidArgument', 'The credential of the signature is malformed.');
  if (!given.date.startsWith(scope.day)) throw new OssError('SignatureDoesNotMatch');
  const secret = findSecret(scope.accessKeyId, rules);
  const additionalHeaders = (given.additional ?? '').split(';').filter((name) => name !== '');
  return { secret, scope, date: given.date, additionalHeaders };
}

function findSecret(accessKeyId: string, rules: SignatureRules): string {
  const secret = rules.secretOf(accessKeyId);
  if (secret === undefined) throw new OssError('InvalidAccessKeyId');
  return secret;
}

function assertFresh(dateMs: number, { nowMs, skewMs }: SignatureRules): void {
  if (Number.isNaN(dateMs)) throw new OssError('AccessDenied', 'OSS authentication requires a valid Date.');
  if (Math.abs(nowMs - dateMs) > skewMs) throw new OssError('RequestTimeTooSkewed');
}

/** The first target whose signature is the given one; compared in constant time. */
function pick(targets: readonly OssTarget[], given: string, encoding: 'hex' | 'base64', sign: (target: OssTarget) => Iterable<Buffer>): OssTarget {
  const bytes = Buffer.from(given, encoding);
  for (const target of targets)
    for (const expected of sign(target)) if (expected.length === bytes.length && timingSafeEqual(expected, bytes)) return target;
  throw new OssError('SignatureDoesNotMatch');
}
