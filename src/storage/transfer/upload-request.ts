import type { TransferOptions } from './transfer.options.js';

/** What a cut multipart upload needs to go on; plain JSON, holds no secret. */
export interface UploadCheckpoint {
  readonly key: string;
  readonly uploadId: string;
  readonly sizeBytes: number;
  /** Modification time of the file, milliseconds since the epoch. */
  readonly modifiedMs: number;
  readonly partSizeBytes: number;
}

/** What to upload, and where to. */
export interface UploadFileRequest extends TransferOptions {
  readonly key: string;
  /** Local path of a regular file (a symbolic link to one is followed: the caller named it). */
  readonly path: string;
  /** Continues a multipart upload that was cut; ignored when the file has changed since. */
  readonly checkpoint?: UploadCheckpoint;
  /**
   * Receives the checkpoint of a multipart upload when it begins; it is plain JSON. With this callback a failed or
   * aborted upload is left in the storage, so that the checkpoint can continue it; without, its parts are removed.
   */
  readonly onCheckpoint?: (checkpoint: UploadCheckpoint) => void;
}
