/** How far a transfer has come. */
export interface TransferProgress {
  /** Bytes of the finished and the running files; goes back when a failed part is sent again. */
  readonly transferredBytes: number;
  readonly totalBytes: number;
  /** Finished files; of a single file 0 or 1. */
  readonly doneFiles: number;
  readonly totalFiles: number;
}

/** Options that every transfer understands. Sizes in bytes, durations in milliseconds. */
export interface TransferOptions {
  /** Ends the transfer with `CC_ABORTED`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TransferProgress) => void;
  /** Size of one part of a large file; raised when the file would need more than 10,000. Default 8 MiB. */
  readonly partSizeBytes?: number;
  /** Parts (of a file) or files (of a folder) that move at one time. Default 4 parts, 16 files. */
  readonly concurrency?: number;
  /** How often a failed request is tried in all. Default 5. */
  readonly attempts?: number;
  /** Wait before the second attempt; doubled for each further one, with jitter. Default 200 ms. */
  readonly retryDelayMs?: number;
}

/** The defaults of {@link TransferOptions}. */
export const TRANSFER_DEFAULTS = {
  /** Files up to this size travel in one request. Also the default size of a part. */
  partSizeBytes: 8 * 1024 * 1024,
  /** Parts of one file at one time. */
  partConcurrency: 4,
  /** Files of one folder at one time. */
  fileConcurrency: 16,
  attempts: 5,
  retryDelayMs: 200,
  /** The smallest part OSS takes, except the last. */
  minPartBytes: 100 * 1024,
  /** The most parts OSS takes. */
  maxParts: 10_000,
} as const;
