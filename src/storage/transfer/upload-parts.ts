import { CrossCommError } from '../../protocol/index.js';
import { combineCrc64 } from '../crc64.js';
import type { FileStorage, ObjectInfo, UploadedPart } from '../file-storage.js';
import { runBounded } from './bounded-pool.js';
import { openRange, putAndClose } from './file-body.js';
import { assertUnchanged, type LocalFileState } from './local-file.js';
import { withRetries } from './retry.js';
import { digestFile, type ByteDigest } from './transfer-digest.js';
import { TRANSFER_DEFAULTS } from './transfer.options.js';
import type { UploadCheckpoint, UploadFileRequest } from './upload-request.js';

interface PartPlan {
  readonly partNumber: number;
  readonly start: number;
  /** Inclusive. */
  readonly end: number;
}

/** Uploads a file in parallel parts; see `uploadFile`. */
export async function uploadParts(storage: FileStorage, request: UploadFileRequest, state: LocalFileState): Promise<ObjectInfo> {
  const { upload, present } = await beginOrContinue(storage, request, state);
  const parts: UploadedPart[] = [];
  const digests: ByteDigest[] = [];
  const sent = new Map<number, number>();
  const report = (partNumber: number, bytes: number): void => {
    sent.set(partNumber, bytes);
    let transferredBytes = 0;
    for (const count of sent.values()) transferredBytes += count;
    request.onProgress?.({ transferredBytes, totalBytes: state.sizeBytes, doneFiles: 0, totalFiles: 1 });
  };

  try {
    const concurrency = request.concurrency ?? TRANSFER_DEFAULTS.partConcurrency;
    await runBounded(planParts(state.sizeBytes, upload.partSizeBytes), { concurrency, signal: request.signal }, async (plan, signal) => {
      const done = await reuse(request.path, plan, present.get(plan.partNumber));
      const { part, digest } = done ?? (await sendPart(storage, { ...request, signal, upload, plan, report }));
      parts[plan.partNumber - 1] = part;
      digests[plan.partNumber - 1] = digest;
      report(plan.partNumber, digest.sizeBytes);
    });
    await assertUnchanged(request.path, state);
    const info = await storage.completeMultipart(request.key, upload.uploadId, parts);
    await assertWhole(storage, info, digests);
    return info;
  } catch (error) {
    if (request.onCheckpoint === undefined || isHopeless(error)) await giveUp(storage, upload);
    throw error;
  }
}

async function beginOrContinue(
  storage: FileStorage,
  request: UploadFileRequest,
  state: LocalFileState,
): Promise<{ upload: UploadCheckpoint; present: ReadonlyMap<number, UploadedPart> }> {
  const { checkpoint } = request;
  if (checkpoint && checkpoint.key === request.key && checkpoint.sizeBytes === state.sizeBytes && checkpoint.modifiedMs === state.modifiedMs) {
    const parts = await withRetries(() => storage.listParts(checkpoint.key, checkpoint.uploadId), request).catch((error: unknown) => {
      if (error instanceof CrossCommError && error.code === 'CC_FILE_NOT_FOUND') return undefined;
      throw error;
    });
    if (parts) return { upload: checkpoint, present: new Map(parts.map((part) => [part.partNumber, part])) };
  }
  const uploadId = await withRetries(() => storage.beginMultipart(request.key), request);
  const upload = { key: request.key, uploadId, ...state, partSizeBytes: partSizeFor(state.sizeBytes, request.partSizeBytes) };
  request.onCheckpoint?.(upload);
  return { upload, present: new Map() };
}

function partSizeFor(sizeBytes: number, wanted: number = TRANSFER_DEFAULTS.partSizeBytes): number {
  return Math.max(wanted, TRANSFER_DEFAULTS.minPartBytes, Math.ceil(sizeBytes / TRANSFER_DEFAULTS.maxParts));
}

function* planParts(sizeBytes: number, partSizeBytes: number): Iterable<PartPlan> {
  for (let start = 0, partNumber = 1; start < sizeBytes; start += partSizeBytes, partNumber++)
    yield { partNumber, start, end: Math.min(start + partSizeBytes, sizeBytes) - 1 };
}

/** A part of an earlier run counts when it is what the file holds at that place. */
async function reuse(path: string, plan: PartPlan, part: UploadedPart | undefined): Promise<{ part: UploadedPart; digest: ByteDigest } | undefined> {
  if (part?.sizeBytes !== plan.end - plan.start + 1) return undefined;
  const digest = await digestFile(path, { range: plan });
  return digest.md5 === part.etag.toUpperCase() ? { part, digest } : undefined;
}

interface SendPart extends UploadFileRequest {
  readonly signal: AbortSignal;
  readonly upload: UploadCheckpoint;
  readonly plan: PartPlan;
  readonly report: (partNumber: number, bytes: number) => void;
}

async function sendPart(storage: FileStorage, send: SendPart): Promise<{ part: UploadedPart; digest: ByteDigest }> {
  const { key, path, signal, upload, plan, report } = send;
  const { partNumber } = plan;
  const sizeBytes = plan.end - plan.start + 1;
  return withRetries(async () => {
    let sent = 0;
    const body = openRange({ path, start: plan.start, end: plan.end }, (count) => report(partNumber, (sent += count)));
    const part = await putAndClose(body, () => storage.putPart({ key, uploadId: upload.uploadId, partNumber, body, sizeBytes, signal }));
    const digest = body.digest();
    if (digest.md5 !== part.etag.toUpperCase()) throw new CrossCommError('CC_CHECKSUM_MISMATCH', `Part ${partNumber} of "${key}" arrived damaged.`);
    return { part, digest };
  }, send);
}

async function assertWhole(storage: FileStorage, info: ObjectInfo, digests: readonly ByteDigest[]): Promise<void> {
  const sizeBytes = digests.reduce((sum, digest) => sum + digest.sizeBytes, 0);
  const crc64 = digests.reduce((crc, digest) => combineCrc64(crc, digest.crc64, digest.sizeBytes), '0');
  if (info.sizeBytes === sizeBytes && (info.crc64 === undefined || info.crc64 === crc64)) return;
  await storage.remove([info.key]);
  throw new CrossCommError('CC_CHECKSUM_MISMATCH', `Object "${info.key}" was put together wrongly and removed.`);
}

function isHopeless(error: unknown): boolean {
  return error instanceof CrossCommError && (error.code === 'CC_CHECKSUM_MISMATCH' || error.code === 'CC_FILE_NOT_FOUND');
}

async function giveUp(storage: FileStorage, upload: UploadCheckpoint): Promise<void> {
  // The first failure is what the caller must see; a storage that cannot be reached removes stale uploads by age.
  await storage.abortMultipart(upload.key, upload.uploadId).catch(() => undefined);
}
