import { CrossCommError } from '../protocol/index.js';

/**
 * The text of a binary frame that holds JSON. As Python's `json.loads(bytes)`, UTF-8, UTF-16 and UTF-32 are told apart
 * by a byte order mark or by where the zero bytes are (wire facts 1).
 * @throws CrossCommError `CC_INVALID_FRAME`
 */
export function textOfBinaryFrame(bytes: Buffer): string {
  const { encoding, skip } = detectEncoding(bytes);
  const body = bytes.subarray(skip);
  if (encoding === 'utf-32le' || encoding === 'utf-32be') return decodeUtf32(body, encoding === 'utf-32le');
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(body);
  } catch (cause) {
    throw new CrossCommError('CC_INVALID_FRAME', { detail: `The binary frame is not ${encoding}.`, cause });
  }
}

type JsonEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

function detectEncoding(bytes: Buffer): { encoding: JsonEncoding; skip: number } {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? { encoding: 'utf-32le', skip: 4 } : { encoding: 'utf-16le', skip: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', skip: 2 };
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return { encoding: 'utf-32be', skip: 4 };
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', skip: 3 };
  if (a === 0 && bytes.length >= 2) return { encoding: b === 0 ? 'utf-32be' : 'utf-16be', skip: 0 };
  if (b === 0) return { encoding: c === 0 && d === 0 && bytes.length >= 4 ? 'utf-32le' : 'utf-16le', skip: 0 };
  return { encoding: 'utf-8', skip: 0 };
}

function decodeUtf32(bytes: Buffer, littleEndian: boolean): string {
  if (bytes.length % 4 !== 0) throw new CrossCommError('CC_INVALID_FRAME', 'The binary frame is not UTF-32.');
  let text = '';
  for (let i = 0; i < bytes.length; i += 4) {
    const point = littleEndian ? bytes.readUInt32LE(i) : bytes.readUInt32BE(i);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
      throw new CrossCommError('CC_INVALID_FRAME', 'The binary frame is not UTF-32.');
    text += String.fromCodePoint(point);
  }
  return text;
}
