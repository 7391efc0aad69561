import type { Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Batch } from './batch.js';
import { sealBlock } from './block.js';
import { recoverLog, repairSegment, type RecoveredLog } from './log-recovery.js';
import type { Life } from './record.js';
import { SegmentWriter } from './segment-writer.js';
import { segmentNumbers, segmentPath } from './segments.js';
import type { StoreFileSystem } from './store-file-system.js';

/** A log that was read, and is ready to be written. */
export interface OpenedLog {
  readonly recovered: RecoveredLog;
  readonly segments: SegmentWriter;
  /** To be recorded before anything else. */
  readonly life: Life;
  /** The epoch is a new one that is not on disk yet. */
  readonly isFresh: boolean;
}

/** Settings of {@link openLog}. */
export interface LogOpeningOptions {
  readonly directory: string;
  readonly segmentBytes: number;
  readonly duplicateWindowMs: number;
  readonly maxRememberedIds: number;
}

/** Reads a log and decides about its epoch; damaged segments are repaired. */
export async function openLog(fileSystem: StoreFileSystem, options: LogOpeningOptions, logger: Logger): Promise<OpenedLog> {
  const { directory, segmentBytes } = options;
  await makeDurable(fileSystem, directory);
  let recovered = await recoverLog(fileSystem, directory, options);
  if (recovered.damaged.length > 0) {
    // the new epoch first: a crash in between leaves the damage, which is found again
    const segments = new SegmentWriter(fileSystem, directory, segmentBytes, [...recovered.segments]);
    segments.beginNew();
    await writeLifeBlock(segments, lifeOf(recovered, newEpoch()));
    await segments.close();
    for (const segment of recovered.damaged) await repairSegment(fileSystem, directory, segment, logger);
    recovered = await recoverLog(fileSystem, directory, options);
    if (recovered.damaged.length > 0) throw new Error(`The store in ${directory} cannot be repaired.`);
  }
  const known = recovered.replay.life?.epoch;
  if (recovered.isTorn) logger.warn(`The end of ${recovered.segments.at(-1)?.path ?? directory} is incomplete and is cut off.`);
  if (recovered.hasGap) logger.error(`Files are missing among those of ${directory}: messages may be lost.`);
  const isFresh = known === undefined || recovered.isTorn || recovered.hasGap;
  const life = lifeOf(recovered, isFresh ? newEpoch() : known);
  return { recovered, segments: new SegmentWriter(fileSystem, directory, segmentBytes, recovered.segments), life, isFresh };
}

/**
 * A killed process may have left a block and names that no sync made safe. They are found now, and so they count: a
 * message sent again is acked because of them.
 */
async function makeDurable(fileSystem: StoreFileSystem, directory: string): Promise<void> {
  const last = segmentNumbers(await fileSystem.list(directory)).at(-1);
  if (last === undefined) return;
  const file = await fileSystem.open(segmentPath(directory, last), 'write');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  await fileSystem.syncDirectory(directory);
}

function newEpoch(): string {
  return randomBytes(9).toString('base64url');
}

function lifeOf({ replay, gaps }: RecoveredLog, epoch: string): Life {
  return { epoch, reservedSeq: Math.max(replay.maxSeq, replay.life?.reservedSeq ?? 0), gaps };
}

async function writeLifeBlock(segments: SegmentWriter, life: Life): Promise<void> {
  const batch = new Batch();
  batch.life(life);
  await segments.prepare();
  const { writer } = batch;
  sealBlock(writer.buffer, writer.length, batch.count, segments.number, segments.offset);
  await segments.write(writer.buffer, writer.length);
  await segments.sync();
}
