import { join } from 'node:path';

/** One file of the log. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  /** Bytes of good blocks. */
  bytes: number;
}

const PATTERN = /^mail-(\d{8,})\.log$/;

/** End of the name of a segment that is being repaired; it does not count until it is renamed. */
export const REPAIRED_SUFFIX = '.repaired';

/** Where a segment is. */
export function segmentPath(directory: string, number: number): string {
  return join(directory, `mail-${String(number).padStart(8, '0')}.log`);
}

/** @returns the numbers of the segments among file names, growing */
export function segmentNumbers(names: readonly string[]): number[] {
  return names
    .map((name) => Number(PATTERN.exec(name)?.[1] ?? 0))
    .filter((number) => number > 0)
    .sort((left, right) => left - right);
}
