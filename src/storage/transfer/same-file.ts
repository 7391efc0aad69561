import { lstat } from 'node:fs/promises';
import type { FileStorage, ObjectInfo } from '../file-storage.js';
import { digestFile, matchesObject } from './transfer-digest.js';

/** Whether a regular local file (not a link) holds exactly the object's bytes, by size and checksum. */
export async function isSameFile(
  storage: FileStorage,
  question: { readonly path: string; readonly info: ObjectInfo; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const { path, info, signal } = question;
  const found = await lstat(path).catch(() => undefined); // whatever the reason, there is nothing to reuse
  if (!found?.isFile() || found.size !== info.sizeBytes) return false;
  // Listings of OSS carry no CRC-64, and without a checksum equal sizes prove nothing.
  const known = info.crc64 === undefined ? await storage.head(info.key, signal ? { signal } : {}) : info;
  if (known.crc64 === undefined && known.etag.includes('-')) return false;
  return matchesObject(await digestFile(path, { signal }), known);
}
