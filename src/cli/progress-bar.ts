import cliProgress from 'cli-progress';
import type { Terminal } from './terminal.js';

/** Shows how far a transfer is: a bar on a terminal, one line at the end otherwise. */
export interface TransferDisplay {
  readonly onProgress: (progress: { readonly transferredBytes: number; readonly totalBytes: number }) => void;
  /** Ends the display; says what was transferred when it is told that all of it was. */
  done(isComplete: boolean): void;
}

export function transferDisplay(terminal: Terminal, label: string): TransferDisplay {
  if (terminal.json || !terminal.isInteractive) {
    let total = 0;
    return {
      onProgress: ({ totalBytes }) => {
        total = totalBytes;
      },
      done: (isComplete) => {
        if (isComplete) terminal.note(`${label}: ${total} bytes transferred`);
      },
    };
  }
  const bar = new cliProgress.SingleBar({ format: `${label} {bar} {percentage}% | {value}/{total} bytes`, clearOnComplete: true, hideCursor: true });
  let isStarted = false;
  return {
    onProgress: ({ transferredBytes, totalBytes }) => {
      if (!isStarted) bar.start(totalBytes, transferredBytes);
      isStarted = true;
      bar.update(transferredBytes);
    },
    done: () => bar.stop(),
  };
}
