import { OssError } from './oss-error.js';
import { childText, parseXml } from './oss-xml-reader.js';

/** Body of `POST /?delete`. */
export interface DeleteBody {
  readonly quiet: boolean;
  readonly keys: readonly string[];
}

const MAX_DELETE_KEYS = 1_000;

/** @throws OssError `MalformedXML` */
export function parseDeleteBody(text: string): DeleteBody {
  const root = parseXml(text);
  if (root.name !== 'Delete') throw new OssError('MalformedXML');
  const keys = root.children.filter(({ name }) => name === 'Object').map((object) => childText(object, 'Key'));
  if (keys.length === 0 || keys.length > MAX_DELETE_KEYS || keys.some((key) => !key)) throw new OssError('MalformedXML');
  return { quiet: childText(root, 'Quiet')?.trim().toLowerCase() === 'true', keys: keys as string[] };
}

/** Body of `POST /<key>?uploadId=`. */
export function parseCompleteBody(text: string, maxParts: number): { readonly partNumber: number; readonly etag: string }[] {
  const root = parseXml(text);
  if (root.name !== 'CompleteMultipartUpload') throw new OssError('MalformedXML');
  const parts = root.children.filter(({ name }) => name === 'Part');
  if (parts.length === 0 || parts.length > maxParts) throw new OssError('MalformedXML');
  return parts.map((part) => {
    const number = childText(part, 'PartNumber')?.trim() ?? '';
    const etag = childText(part, 'ETag')?.trim();
    if (!/^\d{1,5}$/.test(number) || !etag) throw new OssError('MalformedXML');
    return { partNumber: Number(number), etag };
  });
}
