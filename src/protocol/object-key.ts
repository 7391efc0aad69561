import { CrossCommError } from './cross-comm.error.js';
import { LONE_SURROGATE, utf8ByteLength } from './client-id.js';
import { PROTOCOL_LIMITS } from './limits.js';

const FORBIDDEN_CHARACTERS = /[\u0000-\u001f\u007f<>:"|?*\\]/;
const RESERVED_NAMES = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?$/i;

/**
 * Why a slash-separated relative path from the wire (an `oss_key`, a name inside a folder) may not become a local
 * path, or `undefined` when it may. Refused on every system alike, so that a key that works on Linux cannot hurt on
 * Windows: `.` and `..`, absolute paths, backslashes, drive letters and streams (`:`), NUL and control characters,
 * device names (`CON`, `nul.txt`), names that end in a dot or space, empty parts.
 */
export function relativePathProblem(path: unknown): string | undefined {
  if (typeof path !== 'string' || path === '') return 'It is empty or not a string.';
  if (utf8ByteLength(path) > PROTOCOL_LIMITS.maxObjectKeyBytes) return `It is longer than ${PROTOCOL_LIMITS.maxObjectKeyBytes} bytes.`;
  if (path.startsWith('/')) return 'It is absolute.';
  if (LONE_SURROGATE.test(path)) return 'It contains half a surrogate pair.';
  for (const part of path.split('/')) {
    if (part === '') return 'It has an empty part.';
    if (part === '.' || part === '..') return `It contains "${part}".`;
    if (FORBIDDEN_CHARACTERS.test(part)) return 'It contains a character that is not allowed in file names.';
    if (RESERVED_NAMES.test(part)) return 'It contains a name that is reserved on some systems.';
    if (part.endsWith('.') || part.endsWith(' ')) return 'A part ends in a dot or a space.';
    if (utf8ByteLength(part) > 255) return 'A part is longer than 255 bytes.';
  }
  return undefined;
}

/**
 * Returns the path when it is safe to append to a directory.
 * @throws CrossCommError `CC_UNSAFE_PATH` otherwise
 */
export function assertRelativePath(path: unknown): string {
  const problem = relativePathProblem(path);
  if (problem !== undefined) throw new CrossCommError('CC_UNSAFE_PATH', problem);
  return path as string;
}

/** Longest part of a key that is made of a client id, in bytes: file systems take names of 255. */
const MAX_ID_PART_BYTES = 200;

/** Random and time source of a key, given by the caller because this folder is pure. */
export interface KeyStamp {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Eight lower-case hexadecimal digits. */
  readonly hex8: string;
}

/**
 * The prefix below which a client's objects lie: `cross_comm/<client id>/` (wire facts 6, Files).
 * @throws CrossCommError `CC_UNSAFE_PATH` for an id that is too long for file names
 */
export function clientKeyPrefix(clientId: string): string {
  return `cross_comm/${keySafeClientId(clientId)}/`;
}

/** Object key of one file: `cross_comm/<client id>/<ms>_<8 hex><ext>`, the extension as in the name, case kept. */
export function fileObjectKey(clientId: string, fileName: string, stamp: KeyStamp): string {
  return `${clientKeyPrefix(clientId)}${stamp.nowMs}_${stamp.hex8}${extensionOf(fileName)}`;
}

/** Key prefix of a folder: `cross_comm/<client id>/<ms>_<8 hex>_folder/`. */
export function folderObjectPrefix(clientId: string, stamp: KeyStamp): string {
  return `${clientKeyPrefix(clientId)}${stamp.nowMs}_${stamp.hex8}_folder/`;
}

/**
 * Client ids may hold what file names may not; those characters become `%XX`, so that the key stays downloadable. No two
 * ids have the same: who may write below one prefix must not write below another's.
 */
function keySafeClientId(clientId: string): string {
  const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  const safe = clientId.replace(/[%<>:"|?*\\/]/g, escape).replace(/[. ]$/, escape);
  if (utf8ByteLength(safe) > MAX_ID_PART_BYTES)
    throw new CrossCommError('CC_UNSAFE_PATH', `The client id is too long for files: at most ${MAX_ID_PART_BYTES} bytes, characters that file names cannot have counted as three.`);
  return RESERVED_NAMES.test(safe) || safe.startsWith('.') ? `${escape(safe)}${safe.slice(1)}` : safe;
}

function extensionOf(fileName: string): string {
  const base = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1);
  const dot = base.lastIndexOf('.');
  const extension = dot > 0 ? base.slice(dot) : '';
  return relativePathProblem(`x${extension}`) === undefined && extension.length <= 32 ? extension : '';
}
