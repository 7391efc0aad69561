/** Settings of a {@link LogMailStore}. */
export interface LogMailStoreOptions {
  /** Folder of its files; made when it is not there. */
  readonly directory: string;
  /** Length at which a new file begins, in bytes. */
  readonly segmentBytes: number;
  /** Bytes on disk beyond which no message is taken. */
  readonly maxStoreBytes: number;
  /** How long message ids are remembered, in milliseconds. */
  readonly duplicateWindowMs: number;
  /** How many message ids are remembered at most. */
  readonly maxRememberedIds: number;
  /** Bytes of the last messages' frames that stay in memory. */
  readonly cacheBytes: number;
  /**
   * Segments' worth of dead bytes that are left alone under load; default 8. Ids are written again with each segment that
   * goes, so the fewer go the better.
   */
  readonly slackSegments?: number;
  /** How long to wait for another hub that has the folder to end, in milliseconds; default 0. */
  readonly lockWaitMs?: number;
}
