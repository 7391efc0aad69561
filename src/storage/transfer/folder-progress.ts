import type { TransferOptions, TransferProgress } from './transfer.options.js';

/** Adds the progress of many files up to one. */
export class FolderProgress {
  private transferredBytes = 0;
  private doneFiles = 0;

  constructor(
    private readonly totals: { readonly totalBytes: number; readonly totalFiles: number },
    private readonly onProgress: TransferOptions['onProgress'],
  ) {
    this.report();
  }

  /** A progress callback for one file. */
  forFile(): (progress: TransferProgress) => void {
    let counted = 0;
    return ({ transferredBytes }) => {
      this.transferredBytes += transferredBytes - counted;
      counted = transferredBytes;
      this.report();
    };
  }

  fileDone(): void {
    this.doneFiles++;
    this.report();
  }

  private report(): void {
    this.onProgress?.({ transferredBytes: this.transferredBytes, doneFiles: this.doneFiles, ...this.totals });
  }
}
