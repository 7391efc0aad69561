import type { IndexEntry } from './object-index.js';
import { nameEncoder, numberParameter, sendXml, type Operation } from './operation.js';
import { OssError } from './oss-error.js';
import { xmlTime, type XmlElement } from './oss-xml-writer.js';

const OWNER: XmlElement = [
  'Owner',
  [
    ['ID', 'cross-comm'],
    ['DisplayName', 'cross-comm'],
  ],
];

/** ListObjects (V1) */
export function listObjects(operation: Operation): void {
  const { objects, request, bucket, res } = operation;
  const listing = readListing(operation);
  const marker = request.query.get('marker') ?? '';
  const page = objects.page({ ...listing, after: marker });
  const { encode, element } = nameEncoder(request);
  sendXml(res, [
    'ListBucketResult',
    [
      ['Name', bucket],
      ['Prefix', encode(listing.prefix)],
      ['Marker', encode(marker)],
      ['MaxKeys', listing.max],
      ['Delimiter', encode(listing.delimiter)],
      element,
      ['IsTruncated', page.next !== undefined],
      page.next === undefined ? undefined : ['NextMarker', encode(page.next)],
      ...page.entries.map((entry) => contents(entry, encode, true)),
      ...page.commonPrefixes.map((prefix) => commonPrefix(prefix, encode)),
    ],
  ]);
}

/** ListObjectsV2 */
export function listObjectsV2(operation: Operation): void {
  const { objects, request, bucket, res } = operation;
  const listing = readListing(operation);
  const token = request.query.get('continuation-token');
  const startAfter = request.query.get('start-after') ?? '';
  const page = objects.page({ ...listing, after: token ? decodeToken(token) : startAfter });
  const { encode, element } = nameEncoder(request);
  const withOwner = request.query.get('fetch-owner') === 'true';
  sendXml(res, [
    'ListBucketResult',
    [
      ['Name', bucket],
      ['Prefix', encode(listing.prefix)],
      startAfter === '' ? undefined : ['StartAfter', encode(startAfter)],
      ['MaxKeys', listing.max],
      ['Delimiter', encode(listing.delimiter)],
      element,
      ['IsTruncated', page.next !== undefined],
      token ? ['ContinuationToken', token] : undefined,
      page.next === undefined ? undefined : ['NextContinuationToken', Buffer.from(page.next, 'utf8').toString('base64')],
      ['KeyCount', page.entries.length + page.commonPrefixes.length],
      ...page.entries.map((entry) => contents(entry, encode, withOwner)),
      ...page.commonPrefixes.map((prefix) => commonPrefix(prefix, encode)),
    ],
  ]);
}

function readListing({ request }: Operation): { prefix: string; delimiter: string; max: number } {
  return {
    prefix: request.query.get('prefix') ?? '',
    delimiter: request.query.get('delimiter') ?? '',
    max: numberParameter(request, 'max-keys', { fallback: 100, min: 1, max: 1_000 }),
  };
}

function decodeToken(token: string): string {
  const text = Buffer.from(token, 'base64').toString('utf8');
  if (text === '' || Buffer.from(text, 'utf8').toString('base64') !== token) throw new OssError('InvalidArgument', 'The continuation token is not valid.');
  return text;
}

function contents(entry: IndexEntry, encode: (name: string) => string, withOwner: boolean): XmlElement {
  return [
    'Contents',
    [
      ['Key', encode(entry.key)],
      ['LastModified', xmlTime(entry.lastModifiedMs)],
      ['ETag', `"${entry.etag}"`],
      ['Type', entry.type],
      ['Size', entry.sizeBytes],
      ['StorageClass', 'Standard'],
      withOwner ? OWNER : undefined,
    ],
  ];
}

function commonPrefix(prefix: string, encode: (name: string) => string): XmlElement {
  return ['CommonPrefixes', [['Prefix', encode(prefix)]]];
}
