import { stat } from 'node:fs/promises';
import { CrossCommError } from '../../protocol/index.js';

/** What tells one state of a local file from another. */
export interface LocalFileState {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/**
 * The state of a regular file.
 * @throws CrossCommError `CC_FILE_NOT_FOUND` when the path is missing or is not a regular file
 */
export async function localFileState(path: string): Promise<LocalFileState> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') throw notFound(`There is no file "${path}".`, cause);
    throw new CrossCommError('CC_STORAGE_FAILED', { detail: `"${path}" cannot be read (${cause.code ?? cause.message}).`, cause });
  });
  if (!found.isFile()) throw notFound(`"${path}" is not a file.`);
  return { sizeBytes: found.size, modifiedMs: found.mtimeMs };
}

/** @throws CrossCommError `CC_CHECKSUM_MISMATCH` when the file is no longer what it was */
export async function assertUnchanged(path: string, before: LocalFileState): Promise<void> {
  const now = await localFileState(path);
  if (now.sizeBytes !== before.sizeBytes || now.modifiedMs !== before.modifiedMs)
    throw new CrossCommError('CC_CHECKSUM_MISMATCH', `"${path}" changed while it was uploaded.`);
}

function notFound(detail: string, cause?: unknown): CrossCommError {
  return new CrossCommError('CC_FILE_NOT_FOUND', cause === undefined ? { detail } : { detail, cause });
}
