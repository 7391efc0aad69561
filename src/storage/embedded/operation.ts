import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StorageOptions } from '../storage.options.js';
import type { MultipartStore } from './multipart-store.js';
import type { ObjectDescription } from './object-record.js';
import type { ObjectStore } from './object-store.js';
import { OssError } from './oss-error.js';
import type { OssRequest } from './oss-request.js';
import { headerText } from './oss-signature-v1.js';
import { toXml, type XmlElement } from './oss-xml-writer.js';

/** What an operation of the embedded store works with; the request's signature has been checked. */
export interface Operation {
  readonly objects: ObjectStore;
  readonly uploads: MultipartStore;
  readonly options: StorageOptions;
  readonly request: OssRequest;
  readonly bucket: string;
  readonly key: string;
  /** Body of the request. */
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}

/** Answers with an XML document. */
export function sendXml(res: ServerResponse, root: XmlElement): void {
  const body = Buffer.from(toXml(root), 'utf8');
  res.writeHead(200, { 'Content-Type': 'application/xml', 'Content-Length': body.length });
  res.end(body);
}

/** Answers without a body. */
export function sendEmpty(res: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  res.writeHead(status, status === 204 || status === 304 ? headers : { ...headers, 'Content-Length': '0' });
  res.end();
}

/**
 * The body of the request. Unlike the request itself it may be left half-read: the connection stays open then, so
 * that a refusal can still be answered.
 */
export function bodyOf({ req }: Operation): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => req.iterator({ destroyOnReturn: false }) };
}

/** Joining and copying move nothing over the connection for a while, and that is not the client's fault. */
export function waitWithoutLimit({ req }: Operation): void {
  req.socket?.setTimeout(0);
}

/** Reads a small request body as text. @throws OssError `EntityTooLarge` */
export async function readText(operation: Operation): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(operation)) {
    size += chunk.length;
    if (size > operation.options.maxXmlBytes) throw new OssError('EntityTooLarge');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The announced length of the body, or `undefined` for a chunked one. @throws OssError `EntityTooLarge` */
export function announcedBytes({ req, options }: Operation): number | undefined {
  const text = req.headers['content-length'];
  if (text === undefined) return undefined;
  const size = Number(text);
  if (size > options.maxObjectBytes) throw new OssError('EntityTooLarge');
  return size;
}

/** `Content-MD5` as upper-case hexadecimal. @throws OssError `InvalidDigest` when it is no MD5 */
export function announcedMd5({ req }: Operation): string | undefined {
  const text = headerText(req.headers['content-md5']);
  if (text === '') return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== text) throw new OssError('InvalidDigest');
  return bytes.toString('hex').toUpperCase();
}

const KEPT_HEADERS = new Set(['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires']);
const MAX_META_BYTES = 8 * 1024;

/** What the request says about the object it creates. @throws OssError `InvalidArgument` when its metadata is too long */
export function describedObject({ req }: Operation): ObjectDescription {
  const headers: Record<string, string> = {};
  let metaBytes = 0;
  for (const [name, value] of Object.entries(req.headers)) {
    const isMeta = name.startsWith('x-oss-meta-');
    if (!isMeta && !KEPT_HEADERS.has(name)) continue;
    headers[name] = headerText(value);
    if (isMeta) metaBytes += name.length + headerText(value).length;
  }
  if (metaBytes > MAX_META_BYTES) throw new OssError('InvalidArgument', 'The user metadata is longer than 8 KiB.');
  const contentType = headerText(req.headers['content-type']);
  return { headers, ...(contentType === '' ? {} : { contentType }) };
}

/** Whether the request forbids to replace an object. */
export function forbidsOverwrite({ req }: Operation): boolean {
  return headerText(req.headers['x-oss-forbid-overwrite']).toLowerCase() === 'true';
}

/** A query parameter as a whole number within limits. @throws OssError `InvalidArgument` */
export function numberParameter(request: OssRequest, name: string, bounds: { fallback: number; min: number; max: number }): number {
  const text = request.query.get(name);
  if (text === undefined || text === '') return bounds.fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= bounds.min && value <= bounds.max)) throw new OssError('InvalidArgument', `"${name}" must be between ${bounds.min} and ${bounds.max}.`);
  return value;
}

/** How names are written into a document: `encoding-type=url` or as they are. @throws OssError `InvalidArgument` */
export function nameEncoder(request: OssRequest): { encode: (name: string) => string; element: XmlElement | undefined } {
  const type = request.query.get('encoding-type');
  if (type === undefined || type === '') return { encode: (name) => name, element: undefined };
  if (type !== 'url') throw new OssError('InvalidArgument', 'The only encoding-type is "url".');
  return { encode: (name) => encodeURIComponent(name), element: ['EncodingType', 'url'] };
}
