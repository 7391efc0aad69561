import { CrossCommError, PROTOCOL_LIMITS, utf8ByteLength } from '../protocol/index.js';

/**
 * Why a frame may not be sent to this server, or `undefined` when it may.
 *
 * @param limitBytes the hub's announced limit; undefined towards a protocol-1 server, which takes 1 MiB and writes the
 *   message anew in Python's spelling, where it must not pass 1 MiB either: the receiver would die of it (wire facts 9.6)
 */
export function frameSizeProblem(frame: string, limitBytes: number | undefined): CrossCommError | undefined {
  const limit = limitBytes ?? PROTOCOL_LIMITS.legacyReceiveBytes;
  // no UTF-16 unit takes more than three bytes in UTF-8, or six in Python's spelling
  if (frame.length * (limitBytes === undefined ? 6 : 3) <= limit) return undefined;
  const bytes = limitBytes === undefined ? Math.max(utf8ByteLength(frame), pythonFrameBytes(frame)) : utf8ByteLength(frame);
  if (bytes <= limit) return undefined;
  return new CrossCommError('CC_TOO_LARGE', {
    detail: `It takes ${bytes} bytes${limitBytes === undefined ? ' in the spelling of a Python server' : ''}, the limit is ${limit}.`,
    data: { bytes, limit },
  });
}

/** Bytes of a frame after Python's `json.dumps`: non-ASCII as `\uXXXX`, a space behind every comma and colon. */
export function pythonFrameBytes(frame: string): number {
  let bytes = frame.length;
  let inString = false;
  for (let i = 0; i < frame.length; i++) {
    const unit = frame.charCodeAt(i);
    if (unit === 0x22) inString = !inString;
    else if (!inString) {
      if (unit === 0x2c || unit === 0x3a) bytes++;
      // 1e-7 is 1e-07 there
      else if (unit === 0x2d && frame[i - 1] === 'e' && !isDigit(frame.charCodeAt(i + 2))) bytes++;
    } else if (unit === 0x5c) i++;
    else if (unit > 0x7e) bytes += 5;
  }
  return bytes;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}
