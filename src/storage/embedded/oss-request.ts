import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { OssError } from './oss-error.js';

/** A request, decoded but not yet trusted. */
export interface OssRequest {
  readonly method: string;
  /** Percent-decoded path; begins with `/`. Dot segments are kept: they belong to the key. */
  readonly path: string;
  /** Decoded query parameters; a parameter without a value has the empty string. */
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
}

/** One way to read a request's URL: which bucket and key it means. */
export interface OssTarget {
  /** Empty for the service itself (`GET /`). */
  readonly bucket: string;
  /** Empty for the bucket itself. */
  readonly key: string;
}

/** @throws OssError `InvalidURI`, and `InvalidArgument` for a parameter that is given twice */
export function parseOssRequest(req: IncomingMessage): OssRequest {
  const url = req.url ?? '/';
  const mark = url.indexOf('?');
  const rawPath = mark === -1 ? url : url.slice(0, mark);
  try {
    const path = decodeURIComponent(rawPath);
    return { method: req.method ?? 'GET', path, query: parseQuery(mark === -1 ? '' : url.slice(mark + 1)), headers: req.headers };
  } catch (cause) {
    throw cause instanceof OssError ? cause : new OssError('InvalidURI', undefined, { cause });
  }
}

/**
 * The ways to read a URL, most likely first. The same URL can mean different keys: `/b/k` is key `k` of bucket `b`
 * in path style, but key `b/k` when the host names the bucket, and the Node SDK names the bucket in the host even
 * where it also stands in the path. The signature covers bucket and key, so the caller takes the reading it fits.
 */
export function possibleTargets(request: OssRequest, bucket: string): readonly OssTarget[] {
  const { path } = request;
  if (path === '/') return [{ bucket: '', key: '' }, ...(hostNames(request, bucket) ? [{ bucket, key: '' }] : [])];
  const slash = path.indexOf('/', 1);
  const pathStyle = { bucket: slash === -1 ? path.slice(1) : path.slice(1, slash), key: slash === -1 ? '' : path.slice(slash + 1) };
  const hostStyle = { bucket, key: path.slice(1) };
  return hostNames(request, bucket) && pathStyle.bucket !== bucket ? [hostStyle, pathStyle] : [pathStyle, hostStyle];
}

/** Whether the store should answer the request at all, rather than another handler of the same server. */
export function isForStore(req: IncomingMessage, bucket: string): boolean {
  const authorization = req.headers.authorization ?? '';
  if (authorization.startsWith('OSS ') || authorization.startsWith('OSS4-HMAC-SHA256 ')) return true;
  const url = req.url ?? '/';
  if (url === `/${bucket}` || url.startsWith(`/${bucket}/`) || url.startsWith(`/${bucket}?`)) return true;
  return /[?&](?:OSSAccessKeyId|x-oss-signature)=/.test(url);
}

function hostNames(request: OssRequest, bucket: string): boolean {
  return (request.headers.host ?? '').startsWith(`${bucket}.`);
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodePlus(equals === -1 ? pair : pair.slice(0, equals));
    // Two values for one name could be signed as one and read as the other.
    if (query.has(name)) throw new OssError('InvalidArgument', 'A query parameter is given twice.');
    query.set(name, equals === -1 ? '' : decodePlus(pair.slice(equals + 1)));
  }
  return query;
}

/** Python writes a space in a query as `+`. */
function decodePlus(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
