import { crc32 } from 'node:zlib';

/*
 * One commit is one block: magic, number of its segment, its place in the file, length and number of its records,
 * checksum over all of that and the records. The place is in it so that bytes inside a message can never pass for a
 * block. Numbers are little-endian.
 */

/** Bytes in front of the records of a block. */
export const BLOCK_HEADER_BYTES = 28;

/** Begins with a byte that UTF-8 does not have. */
export const BLOCK_MAGIC = Buffer.from([0xff, 0x43, 0x4d, 0x01]);

const CRC_AT = 24;

/** Fills in the header of a block, whose records begin behind it. */
export function sealBlock(buffer: Buffer, length: number, count: number, segment: number, offset: number): void {
  BLOCK_MAGIC.copy(buffer, 0);
  buffer.writeUInt32LE(segment, 4);
  buffer.writeDoubleLE(offset, 8);
  buffer.writeUInt32LE(length - BLOCK_HEADER_BYTES, 16);
  buffer.writeUInt32LE(count, 20);
  buffer.writeUInt32LE(checksum(buffer, 0, length), CRC_AT);
}

/**
 * Length of the block that begins at `at`, judged by its header alone.
 * @returns 0 when none does
 */
export function blockLength(buffer: Buffer, at: number, segment: number, offset: number): number {
  if (buffer.readUInt32LE(at) !== BLOCK_MAGIC.readUInt32LE(0)) return 0;
  if (buffer.readUInt32LE(at + 4) !== segment || buffer.readDoubleLE(at + 8) !== offset) return 0;
  return BLOCK_HEADER_BYTES + buffer.readUInt32LE(at + 16);
}

/** Whether the checksum of a block that is there completely holds. */
export function isIntact(buffer: Buffer, at: number, length: number): boolean {
  return buffer.readUInt32LE(at + CRC_AT) === checksum(buffer, at, length);
}

function checksum(buffer: Buffer, at: number, length: number): number {
  return crc32(buffer.subarray(at + BLOCK_HEADER_BYTES, at + length), crc32(buffer.subarray(at, at + CRC_AT)));
}
