import type { OutgoingHttpHeaders } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { parseRange } from './byte-range.js';
import type { ObjectRecord } from './object-record.js';
import {
  announcedBytes,
  announcedMd5,
  bodyOf,
  describedObject,
  forbidsOverwrite,
  nameEncoder,
  readText,
  sendEmpty,
  sendXml,
  waitWithoutLimit,
  type Operation,
} from './operation.js';
import { OssError } from './oss-error.js';
import { headerText } from './oss-signature-v1.js';
import { parseDeleteBody } from './oss-xml.js';
import { xmlTime } from './oss-xml-writer.js';

/** PutObject */
export async function putObject(operation: Operation): Promise<void> {
  const { objects, key, res } = operation;
  const record = await objects.put(key, bodyOf(operation), {
    ...describedObject(operation),
    expectedBytes: announcedBytes(operation),
    expectedMd5: announcedMd5(operation),
    forbidOverwrite: forbidsOverwrite(operation),
  });
  sendEmpty(res, 200, {
    ETag: `"${record.etag}"`,
    'Content-MD5': Buffer.from(record.etag, 'hex').toString('base64'),
    'x-oss-hash-crc64ecma': record.crc64,
  });
}

/** GetObject and HeadObject; with `?objectMeta` GetObjectMeta, which never has a body. */
export async function getObject(operation: Operation): Promise<void> {
  const { objects, key, request, req, res } = operation;
  const object = await objects.open(key);
  try {
    const { record } = object;
    if (isNotModified(operation, record)) return sendEmpty(res, 304, { ETag: `"${record.etag}"`, 'Last-Modified': httpDate(record) });
    if (request.query.has('objectMeta')) {
      // The length is the object's, but there is no body, also for a GET (Python reads headers only); so the connection must end.
      const close = request.method === 'HEAD' ? {} : { Connection: 'close' };
      res.writeHead(200, { ...close, 'Content-Length': record.sizeBytes, ETag: `"${record.etag}"`, 'Last-Modified': httpDate(record) });
      res.end();
      return;
    }
    const range = parseRange(headerText(req.headers.range), record.sizeBytes);
    const sizeBytes = range ? range.end - range.start + 1 : record.sizeBytes;
    const headers: OutgoingHttpHeaders = { ...objectHeaders(record), ...overrides(operation), 'Content-Length': sizeBytes };
    if (range) headers['Content-Range'] = `bytes ${range.start}-${range.end}/${record.sizeBytes}`;
    res.writeHead(range ? 206 : 200, headers);
    if (request.method === 'HEAD') res.end();
    else await pipeline(object.read(range), res);
  } finally {
    await object.close();
  }
}

/** DeleteObject */
export async function deleteObject({ objects, key, res }: Operation): Promise<void> {
  await objects.delete(key);
  sendEmpty(res, 204);
}

/** DeleteMultipleObjects */
export async function deleteObjects(operation: Operation): Promise<void> {
  const { objects, request, res } = operation;
  const text = await readText(operation);
  const { quiet, keys } = parseDeleteBody(text);
  const { encode, element } = nameEncoder(request);
  for (const key of keys) await objects.delete(key);
  if (quiet) return sendEmpty(res, 200);
  sendXml(res, ['DeleteResult', [element, ...keys.map((key) => ['Deleted', [['Key', encode(key)]]] as const)]]);
}

/** CopyObject */
export async function copyObject(operation: Operation): Promise<void> {
  const { objects, key, bucket, req, res } = operation;
  const source = await objects.open(copySource(headerText(req.headers['x-oss-copy-source']), bucket));
  const replace = headerText(req.headers['x-oss-metadata-directive']).toUpperCase() === 'REPLACE';
  const { contentType, headers, sizeBytes } = source.record;
  const bytes = source.read();
  waitWithoutLimit(operation);
  let record: ObjectRecord;
  try {
    record = await objects.put(key, bytes, {
      ...(replace ? describedObject(operation) : { contentType, headers }),
      expectedBytes: sizeBytes,
      forbidOverwrite: forbidsOverwrite(operation),
    });
  } finally {
    bytes.destroy();
    await source.close();
  }
  res.setHeader('x-oss-hash-crc64ecma', record.crc64);
  sendXml(res, [
    'CopyObjectResult',
    [
      ['ETag', `"${record.etag}"`],
      ['LastModified', xmlTime(record.lastModifiedMs)],
    ],
  ]);
}

function copySource(header: string, bucket: string): string {
  let path: string;
  try {
    path = decodeURIComponent(header.split('?')[0] ?? '');
  } catch (cause) {
    throw new OssError('InvalidArgument', 'The copy source is malformed.', { cause });
  }
  const start = `/${bucket}/`;
  const rooted = path.startsWith('/') ? path : `/${path}`;
  if (!rooted.startsWith(start)) throw new OssError('NoSuchBucket', 'The source bucket does not exist.');
  return rooted.slice(start.length);
}

function objectHeaders(record: ObjectRecord): OutgoingHttpHeaders {
  return {
    'Accept-Ranges': 'bytes',
    'Content-Type': record.contentType,
    ETag: `"${record.etag}"`,
    'Last-Modified': httpDate(record),
    ...record.headers,
    'x-oss-hash-crc64ecma': record.crc64,
    'x-oss-object-type': record.type,
    'x-oss-storage-class': 'Standard',
  };
}

const OVERRIDABLE = ['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-type', 'expires'];

/** `response-content-type=...` and its like; they are signed with the request. */
function overrides({ request }: Operation): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const name of OVERRIDABLE) {
    const value = request.query.get(`response-${name}`);
    if (!value) continue;
    if (/[^\t\u0020-\u007e\u0080-\u00ff]/.test(value)) throw new OssError('InvalidArgument', `"response-${name}" has a character that headers cannot carry.`);
    headers[name] = value;
  }
  return headers;
}

/** @throws OssError `PreconditionFailed` */
function isNotModified({ req }: Operation, record: ObjectRecord): boolean {
  const match = headerText(req.headers['if-match']);
  const noneMatch = headerText(req.headers['if-none-match']);
  const modifiedSince = Date.parse(headerText(req.headers['if-modified-since']));
  const unmodifiedSince = Date.parse(headerText(req.headers['if-unmodified-since']));
  if (match !== '' && !matchesEtag(match, record)) throw new OssError('PreconditionFailed');
  if (match === '' && record.lastModifiedMs > unmodifiedSince) throw new OssError('PreconditionFailed');
  if (noneMatch !== '') return matchesEtag(noneMatch, record);
  return record.lastModifiedMs <= modifiedSince;
}

function matchesEtag(header: string, record: ObjectRecord): boolean {
  return header === '*' || header.split(',').some((etag) => etag.trim().replace(/^W\//, '').replaceAll('"', '').toUpperCase() === record.etag);
}

function httpDate(record: ObjectRecord): string {
  return new Date(record.lastModifiedMs).toUTCString();
}
