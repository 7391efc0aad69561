import type { SignedUrlRequest } from '../file-storage.js';
import type { StoreCredentials } from './generate-credentials.js';
import type { OssRequest } from './oss-request.js';
import { encodeStrict, formatScope, formatV4Date, signV4, type CredentialScope } from './oss-signature-v4.js';

/** The store takes any region; this is the default of the SDKs. */
const REGION = 'cn-hangzhou';

/** Path and query of a V4 presigned URL: `/<bucket>/<key>?x-oss-...`. */
export function presignPath(
  request: SignedUrlRequest,
  signer: { readonly bucket: string; readonly credentials: StoreCredentials; readonly nowMs: number },
): string {
  const { accessKeyId, accessKeySecret } = signer.credentials;
  const date = formatV4Date(signer.nowMs);
  const scope: CredentialScope = { accessKeyId, day: date.slice(0, 8), region: REGION, product: 'oss' };
  const query = new Map<string, string>([
    ...Object.entries(request.query ?? {}),
    ['x-oss-credential', `${accessKeyId}/${formatScope(scope)}`],
    ['x-oss-date', date],
    ['x-oss-expires', String(Math.ceil(request.expiresSeconds))],
    ['x-oss-signature-version', 'OSS4-HMAC-SHA256'],
  ]);
  const unsigned: OssRequest = { method: request.method, path: '', query, headers: {} };
  const target = { bucket: signer.bucket, key: request.key };
  const signature = signV4(unsigned, target, { secret: accessKeySecret, scope, date, additionalHeaders: [] }).toString('hex');
  const text = [...query, ['x-oss-signature', signature] as const].map(([name, value]) => `${encodeStrict(name)}=${encodeStrict(value)}`).join('&');
  return `/${signer.bucket}/${encodeStrict(request.key).replaceAll('%2F', '/')}?${text}`;
}
