import { randomUUID } from 'node:crypto';

/** Eight random hexadecimal digits. Node makes UUIDs out of a pool, which costs a twentieth of asking for random bytes each time. */
export function randomHex8(): string {
  return randomUUID().slice(0, 8);
}
