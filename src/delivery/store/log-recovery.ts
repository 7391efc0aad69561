import { Logger } from '@nestjs/common';
import { BLOCK_HEADER_BYTES, sealBlock } from './block.js';
import { DuplicateIds } from './duplicate-ids.js';
import { LogReplay } from './log-replay.js';
import { MailTable } from './mail-table.js';
import { scanSegment } from './segment-scan.js';
import { REPAIRED_SUFFIX, segmentNumbers, segmentPath, type Segment } from './segments.js';
import type { StoreFile, StoreFileSystem } from './store-file-system.js';
import { join } from 'node:path';

/** What was found on disk. */
export interface RecoveredLog {
  readonly table: MailTable;
  readonly ids: DuplicateIds;
  readonly replay: LogReplay;
  readonly segments: Segment[];
  /** The end of the last segment is bad; it is not cut off yet. */
  readonly isTorn: boolean;
  /** Numbers of segments whose predecessor is missing. */
  readonly gaps: readonly number[];
  /** Segments are missing that were not known to be. */
  readonly hasGap: boolean;
  /** Segments with bad blocks that were passed over. */
  readonly damaged: readonly Segment[];
}

/** Reads all segments. Changes nothing but leftovers of repairs. */
export async function recoverLog(
  fileSystem: StoreFileSystem,
  directory: string,
  options: { readonly duplicateWindowMs: number; readonly maxRememberedIds: number },
): Promise<RecoveredLog> {
  const names = await fileSystem.list(directory);
  for (const name of names) if (name.endsWith(REPAIRED_SUFFIX)) await fileSystem.unlink(join(directory, name));
  const numbers = segmentNumbers(names);
  const table = new MailTable();
  const ids = new DuplicateIds(options.duplicateWindowMs, options.maxRememberedIds);
  const replay = new LogReplay(table, ids);
  const segments: Segment[] = [];
  const damaged: Segment[] = [];
  let isTorn = false;
  for (const number of numbers) {
    const path = segmentPath(directory, number);
    const scan = await reading(fileSystem, path, (file) =>
      scanSegment(file, number, (buffer, start, end, offset) => replay.applyBlock(buffer, start, end, number, offset)),
    );
    const segment = { number, path, bytes: scan.goodBytes };
    segments.push(segment);
    const hasBadEnd = scan.goodBytes < scan.sizeBytes;
    if (scan.isDamaged || (hasBadEnd && number !== numbers.at(-1))) damaged.push(segment);
    else isTorn = hasBadEnd;
  }
  ids.sort();
  const gaps = numbers.filter((number, index) => index > 0 && number !== (numbers[index - 1] ?? 0) + 1);
  const hasGap = gaps.some((gap) => replay.life?.gaps.includes(gap) !== true);
  return { table, ids, replay, segments, isTorn, gaps, hasGap, damaged };
}

/** Keeps a damaged segment aside and puts one in its place that has the good blocks only. */
export async function repairSegment(fileSystem: StoreFileSystem, directory: string, segment: Segment, logger: Logger): Promise<void> {
  const aside = `${segment.path}.${Date.now()}.damaged`;
  logger.error(`${segment.path} is damaged: messages may be lost. It is kept as ${aside}; what can be read of it is used.`);
  try {
    await copy(fileSystem, segment.path, aside);
    await copyGoodBlocks(fileSystem, segment, `${segment.path}${REPAIRED_SUFFIX}`);
  } catch (error) {
    // one per attempt would fill the disk
    await fileSystem.unlink(aside).catch(() => undefined);
    throw error;
  }
  await fileSystem.rename(`${segment.path}${REPAIRED_SUFFIX}`, segment.path);
  await fileSystem.syncDirectory(directory);
}

async function copy(fileSystem: StoreFileSystem, from: string, to: string): Promise<void> {
  await fileSystem.copy(from, to);
  const file = await fileSystem.open(to, 'write');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

async function copyGoodBlocks(fileSystem: StoreFileSystem, segment: Segment, to: string): Promise<void> {
  const repaired = await fileSystem.open(to, 'create');
  try {
    let length = 0;
    await reading(fileSystem, segment.path, (file) =>
      scanSegment(file, segment.number, async (buffer, start, end) => {
        const block = Buffer.from(buffer.subarray(start - BLOCK_HEADER_BYTES, end));
        sealBlock(block, block.length, block.readUInt32LE(20), segment.number, length);
        await writeAll(repaired, block, length);
        length += block.length;
      }),
    );
    await repaired.datasync();
  } finally {
    await repaired.close();
  }
}

async function reading<T>(fileSystem: StoreFileSystem, path: string, read: (file: StoreFile) => Promise<T>): Promise<T> {
  const file = await fileSystem.open(path, 'read');
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

async function writeAll(file: StoreFile, buffer: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < buffer.length) {
    const count = await file.write(buffer, written, buffer.length - written, position + written);
    if (count === 0) throw new Error('The system wrote nothing.');
    written += count;
  }
}
