const STARTED_AT_MS = Date.now() - performance.now();

/**
 * Milliseconds since the epoch, read off the monotonic clock: a jump of the system's clock while the hub runs lets
 * nothing expire, and no time be counted twice.
 */
export function steadyNowMs(): number {
  return STARTED_AT_MS + performance.now();
}
