// @ts-check

/** Not zero: `ws` spares itself the unmasking when all four bytes are 0. */
export const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/**
 * Bytes in front of the payload of a frame, without a mask.
 *
 * @param {number} payloadBytes below 65,536
 */
export function headerBytes(payloadBytes) {
  return payloadBytes < 126 ? 2 : 4;
}

/**
 * One whole text frame as a client sends it.
 *
 * @param {Buffer} payload
 * @returns {Buffer}
 */
export function maskedFrame(payload) {
  const head = headerBytes(payload.length);
  const frame = Buffer.allocUnsafe(head + MASK.length + payload.length);
  frame[0] = 0x81;
  if (head === 2) frame[1] = 0x80 | payload.length;
  else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(payload.length, 2);
  }
  MASK.copy(frame, head);
  const start = head + MASK.length;
  for (let i = 0; i < payload.length; i++) frame[start + i] = /** @type {number} */ (payload[i]) ^ /** @type {number} */ (MASK[i & 3]);
  return frame;
}
