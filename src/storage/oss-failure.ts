import { CrossCommError, type ErrorCode } from '../protocol/index.js';

/** What the ali-oss client puts on its errors. */
interface OssFailure {
  readonly name?: string;
  /** OSS error code, e.g. `NoSuchKey`; for network errors the error's name. */
  readonly code?: string;
  /** HTTP status; -1 network error, -2 time-out. */
  readonly status?: number;
  readonly requestId?: string;
}

/**
 * Translates a failure of the OSS client. Its own message is not repeated: for a wrong signature it contains what was
 * signed, and with signed URLs the URL. Code, status and request id are enough to find it in the logs of OSS.
 */
export function fromOssFailure(error: unknown): CrossCommError {
  if (error instanceof CrossCommError) return error;
  const { name = '', code = name, status, requestId } = (typeof error === 'object' && error !== null ? error : {}) as OssFailure;
  const detail = `OSS answered ${code || 'with an error'}${status && status > 0 ? ` (HTTP ${status})` : ''}${requestId ? `, request ${requestId}` : ''}.`;
  return new CrossCommError(codeFor(code, status), { detail, cause: withoutRequest(error) });
}

function codeFor(code: string, status: number | undefined): ErrorCode {
  if (code === 'NoSuchKey' || code === 'NoSuchUpload') return 'CC_FILE_NOT_FOUND';
  if (code === 'NoSuchBucket') return 'CC_STORAGE_DENIED';
  if (code === 'BadDigest' || code === 'InvalidDigest') return 'CC_CHECKSUM_MISMATCH';
  if (status === 403 || status === 401) return 'CC_STORAGE_DENIED';
  if (status === 404) return 'CC_FILE_NOT_FOUND';
  return 'CC_STORAGE_FAILED';
}

/** The client's errors carry the whole request, the Authorization header included; a logger would print it. */
function withoutRequest(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, code = name, status, requestId } = error as Error & OssFailure;
  const clean = new Error(code);
  clean.name = name;
  if (error.stack) clean.stack = error.stack.replace(`${error.name}: ${error.message}`, `${name}: ${code}`).replaceAll(error.message, code);
  return Object.assign(clean, { code, status, requestId });
}
