import { createHmac } from 'node:crypto';
import type { OssRequest, OssTarget } from './oss-request.js';

/** Query parameters that are part of the signed resource in V1; the lists of the Python and Node SDKs together. */
const SUB_RESOURCES = new Set([
  'acl', 'append', 'asyncFetch', 'bucketInfo', 'callback', 'callback-var', 'cname', 'comp', 'continuation-token', 'cors',
  'delete', 'encryption', 'endTime', 'group', 'img', 'inventory', 'inventoryId', 'lifecycle', 'link', 'live', 'location',
  'logging', 'metaQuery', 'objectInfo', 'objectMeta', 'partNumber', 'policy', 'position', 'qos', 'qosInfo', 'referer',
  'replication', 'replicationLocation', 'replicationProgress', 'requestPayment', 'resourceGroup', 'response-cache-control',
  'response-content-disposition', 'response-content-encoding', 'response-content-language', 'response-content-type',
  'response-expires', 'restore', 'security-token', 'sequential', 'startTime', 'stat', 'status', 'style', 'styleName',
  'symlink', 'tagging', 'transferAcceleration', 'uploadId', 'uploads', 'versionId', 'versioning', 'versions', 'vod',
  'website', 'worm', 'wormExtend', 'wormId', 'x-oss-process', 'x-oss-request-payer', 'x-oss-traffic-limit',
]); // prettier-ignore

/**
 * Signature version 1: base64 of HMAC-SHA1 over method, Content-MD5, Content-Type, date, the `x-oss-` headers and
 * the resource with its sub-resources. `date` is the Date header, or the time of expiry of a signed URL.
 */
export function signV1(request: OssRequest, target: OssTarget, key: { readonly secret: string; readonly date: string }): Buffer {
  const { headers } = request;
  const signed = Object.keys(headers)
    .filter((name) => name.startsWith('x-oss-'))
    .sort()
    .map((name) => `${name}:${headerText(headers[name])}\n`)
    .join('');
  const head = [request.method, headerText(headers['content-md5']), headerText(headers['content-type']), key.date, signed].join('\n');
  // Node reads header bytes as Latin-1; the resource is UTF-8.
  return createHmac('sha1', key.secret).update(Buffer.from(head, 'latin1')).update(Buffer.from(resource(request, target), 'utf8')).digest();
}

function resource(request: OssRequest, { bucket, key }: OssTarget): string {
  const names = [...request.query.keys()].filter((name) => SUB_RESOURCES.has(name)).sort();
  const query = names.map((name) => (request.query.get(name) ? `${name}=${request.query.get(name)}` : name)).join('&');
  return `${bucket === '' ? '/' : `/${bucket}/${key}`}${query === '' ? '' : `?${query}`}`;
}

/** A header's value as text; empty when it is missing. */
export function headerText(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value.join(', ') : (value ?? '')).trim();
}
