import { CrossCommError, PROTOCOL_LIMITS, utf8ByteLength } from '../protocol/index.js';

/**
 * Why a frame may not be sent to this server, or `undefined` when it may.
 *
 * @param limitBytes the hub's announced limit; undefined towards a protocol-1 server, which takes 1 MiB and writes the
 *   message anew in Python's spelling, where it must not pass 1 MiB either: the receiver would die of it (wire facts 9.6)
 */
export function frameSizeProblem(frame: string, limitBytes: number | undefined): CrossCommError | undefined {
  const isPython = limitBytes === undefined;
  const limit = limitBytes ?? PROTOCOL_LIMITS.legacyReceiveBytes;
  // no UTF-16 unit takes more than three bytes in UTF-8, or six in Python's spelling
  if (frame.length * (isPython ? 6 : 3) <= limit) return undefined;
  const bytes = Math.max(utf8ByteLength(frame), isPython ? pythonFrameBytes(frame) : 0);
  if (bytes <= limit) return undefined;
  const detail = `It takes ${bytes} bytes${isPython ? ' in Python' : ''}, the limit is ${limit}.`;
  return new CrossCommError('CC_TOO_LARGE', { detail, data: { bytes, limit } });
}

const STRING = /"(?:[^"\\]+|\\.)*"/g;
/** A space follows each comma and colon, and 1e-7 is 1e-07 there. */
const LONGER = /[,:]|e-\d\b/g;

/** Bytes of a frame after Python's `json.dumps`, which also writes everything but ASCII as `\uXXXX`. */
export function pythonFrameBytes(frame: string): number {
  const ascii = frame.replace(/[^ -~]/g, '\\u0000');
  return ascii.length + (frame.replace(STRING, '').match(LONGER)?.length ?? 0);
}
