import {
  announcedBytes,
  announcedMd5,
  bodyOf,
  describedObject,
  forbidsOverwrite,
  nameEncoder,
  numberParameter,
  readText,
  sendEmpty,
  sendXml,
  waitWithoutLimit,
  type Operation,
} from './operation.js';
import { parseCompleteBody } from './oss-xml.js';
import { xmlTime } from './oss-xml-writer.js';

/** InitiateMultipartUpload */
export async function initiateUpload(operation: Operation): Promise<void> {
  const { uploads, request, bucket, key, res } = operation;
  const { encode, element } = nameEncoder(request);
  const { uploadId } = await uploads.begin(key, describedObject(operation));
  sendXml(res, ['InitiateMultipartUploadResult', [element, ['Bucket', bucket], ['Key', encode(key)], ['UploadId', uploadId]]]);
}

/** UploadPart */
export async function uploadPart(operation: Operation): Promise<void> {
  const { uploads, request, key, res, options } = operation;
  const partNumber = numberParameter(request, 'partNumber', { fallback: 0, min: 1, max: options.maxParts });
  const part = await uploads.putPart(bodyOf(operation), {
    key,
    uploadId: request.query.get('uploadId') ?? '',
    partNumber,
    expectedBytes: announcedBytes(operation),
    expectedMd5: announcedMd5(operation),
  });
  sendEmpty(res, 200, {
    ETag: `"${part.etag}"`,
    'Content-MD5': Buffer.from(part.etag, 'hex').toString('base64'),
    'x-oss-hash-crc64ecma': part.crc64,
  });
}

/** CompleteMultipartUpload */
export async function completeUpload(operation: Operation): Promise<void> {
  const { uploads, request, bucket, key, req, res, options } = operation;
  const uploadId = request.query.get('uploadId') ?? '';
  const { encode, element } = nameEncoder(request);
  // `x-oss-complete-all: yes` without a body takes every part there is.
  const all = String(req.headers['x-oss-complete-all'] ?? '').toLowerCase() === 'yes';
  const parts = all ? uploads.parts(key, uploadId) : parseCompleteBody(await readText(operation), options.maxParts);
  waitWithoutLimit(operation);
  const record = await uploads.complete(key, uploadId, { parts, forbidOverwrite: forbidsOverwrite(operation) });
  res.setHeader('x-oss-hash-crc64ecma', record.crc64);
  res.setHeader('ETag', `"${record.etag}"`);
  sendXml(res, [
    'CompleteMultipartUploadResult',
    [
      element,
      ['Location', `http://${req.headers.host ?? ''}/${encodeURIComponent(key)}`],
      ['Bucket', bucket],
      ['Key', encode(key)],
      ['ETag', `"${record.etag}"`],
    ],
  ]);
}

/** AbortMultipartUpload */
export async function abortUpload({ uploads, request, key, res }: Operation): Promise<void> {
  await uploads.abort(key, request.query.get('uploadId') ?? '');
  sendEmpty(res, 204);
}

/** ListParts */
export function listParts({ uploads, request, bucket, key, res }: Operation): void {
  const uploadId = request.query.get('uploadId') ?? '';
  const max = numberParameter(request, 'max-parts', { fallback: 1_000, min: 1, max: 1_000 });
  const marker = numberParameter(request, 'part-number-marker', { fallback: 0, min: 0, max: 10_000 });
  const { encode, element } = nameEncoder(request);
  const rest = uploads.parts(key, uploadId).filter((part) => part.partNumber > marker);
  const shown = rest.slice(0, max);
  sendXml(res, [
    'ListPartsResult',
    [
      element,
      ['Bucket', bucket],
      ['Key', encode(key)],
      ['UploadId', uploadId],
      ['StorageClass', 'Standard'],
      ['PartNumberMarker', marker],
      ['NextPartNumberMarker', shown.at(-1)?.partNumber ?? marker],
      ['MaxParts', max],
      ['IsTruncated', rest.length > shown.length],
      ...shown.map(
        (part) =>
          [
            'Part',
            [
              ['PartNumber', part.partNumber],
              ['LastModified', xmlTime(part.lastModifiedMs)],
              ['ETag', `"${part.etag}"`],
              ['HashCrc64ecma', part.crc64],
              ['Size', part.sizeBytes],
            ],
          ] as const,
      ),
    ],
  ]);
}

/** ListMultipartUploads */
export function listUploads({ uploads, request, bucket, res }: Operation): void {
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const max = numberParameter(request, 'max-uploads', { fallback: 1_000, min: 1, max: 1_000 });
  const { encode, element } = nameEncoder(request);
  const all = uploads.list(prefix);
  const isShown = ({ key, uploadId }: { key: string; uploadId: string }): boolean =>
    key < keyMarker || (key === keyMarker && (idMarker === '' || uploadId === idMarker));
  const at = keyMarker === '' ? -1 : all.findLastIndex(isShown);
  const rest = all.slice(at + 1);
  const shown = rest.slice(0, max);
  const last = shown.at(-1);
  sendXml(res, [
    'ListMultipartUploadsResult',
    [
      element,
      ['Bucket', bucket],
      ['KeyMarker', encode(keyMarker)],
      ['UploadIdMarker', idMarker],
      ['NextKeyMarker', encode(last?.key ?? '')],
      ['NextUploadIdMarker', last?.uploadId ?? ''],
      ['Delimiter', ''],
      ['Prefix', encode(prefix)],
      ['MaxUploads', max],
      ['IsTruncated', rest.length > shown.length],
      ...shown.map(
        (upload) =>
          [
            'Upload',
            [
              ['Key', encode(upload.key)],
              ['UploadId', upload.uploadId],
              ['StorageClass', 'Standard'],
              ['Initiated', xmlTime(upload.initiatedMs)],
            ],
          ] as const,
      ),
    ],
  ]);
}
