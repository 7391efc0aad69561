import { createHmac } from 'node:crypto';
import { request, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { StoreFixture } from './store-fixture.js';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface RawRequest {
  readonly method: string;
  readonly key?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  readonly id?: string;
  readonly secret?: string;
  readonly date?: string;
}

/** The sub-resources that these tests use, out of those that oss2 (Python) signs. */
const SIGNED = new Set(['continuation-token', 'delete', 'objectMeta', 'partNumber', 'uploadId', 'uploads', 'response-content-type']);

/** V1 as oss2 2.18 computes it (`auth.py`): an implementation of its own, so that a mistake in ours cannot hide. */
export function oss2Signature(secret: string, lines: readonly string[], resource: string): string {
  return createHmac('sha1', secret).update(`${lines.join('\n')}\n${resource}`, 'utf8').digest('base64');
}

/** Sends a request as oss2 does to an IP endpoint: path style, `+` for a space in queries, header `OSS id:signature`. */
export async function oss2Request(fixture: StoreFixture, raw: RawRequest): Promise<RawAnswer> {
  const { method, key = '', params = {}, headers = {}, body } = raw;
  const date = raw.date ?? new Date().toUTCString();
  const { accessKeyId, accessKeySecret } = fixture.store.credentials;
  const subResources = Object.keys(params)
    .filter((name) => SIGNED.has(name))
    .sort()
    .map((name) => (params[name] ? `${name}=${params[name]}` : name));
  const ossHeaders = Object.keys(headers)
    .filter((name) => name.toLowerCase().startsWith('x-oss-'))
    .sort()
    .map((name) => `${name.toLowerCase()}:${headers[name]}`);
  const resource = `/${fixture.bucket}/${key}${subResources.length > 0 ? `?${subResources.join('&')}` : ''}`;
  const lines = [method, headers['Content-MD5'] ?? '', headers['Content-Type'] ?? '', date, ...ossHeaders];
  const signature = oss2Signature(raw.secret ?? accessKeySecret, lines, resource);
  const query = Object.entries(params).map(([name, value]) => `${quotePlus(name)}=${quotePlus(value)}`);
  const path = `/${fixture.bucket}/${encodeURIComponent(key)}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  return send(fixture, { method, path, headers: { Date: date, Authorization: `OSS ${raw.id ?? accessKeyId}:${signature}`, ...headers }, body });
}

export async function send(
  fixture: StoreFixture,
  raw: { method: string; path: string; headers?: Record<string, string>; body?: Buffer | string | undefined },
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${fixture.url}${raw.path}`, { method: raw.method, headers: raw.headers ?? {}, path: raw.path }, (response) => {
      buffer(response).then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body, text: body.toString('utf8') }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end(raw.body);
  });
}

function quotePlus(text: string): string {
  return encodeURIComponent(text).replaceAll('%20', '+');
}

export function errorCode(answer: RawAnswer): string | undefined {
  return /<Code>([A-Za-z]+)<\/Code>/.exec(answer.text)?.[1];
}
