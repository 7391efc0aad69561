/** How a lost connection is tried again. Durations in milliseconds. */
export interface ReconnectOptions {
  /** Upper bound of the wait before the first attempt; doubled for each further one. Default 500. */
  readonly minDelayMs?: number;
  /** Upper bound of every wait. Default 20,000. */
  readonly maxDelayMs?: number;
  /** Attempts in a row before the client gives up and is `closed`. Default: no end. */
  readonly maxAttempts?: number;
}

export type ReconnectPolicy = Required<ReconnectOptions>;

/** The defaults of {@link ReconnectOptions}. */
export const RECONNECT_DEFAULTS: ReconnectPolicy = {
  minDelayMs: 500,
  maxDelayMs: 20_000,
  maxAttempts: Infinity,
};

/**
 * The wait before an attempt: a random time between nothing and the doubled bound ("full jitter"), so that the
 * clients of a restarted hub do not all come back in the same moment.
 *
 * @param attempt 1 for the first attempt after the loss
 * @param random a number in [0, 1)
 */
export function reconnectDelayMs(policy: ReconnectPolicy, attempt: number, random: number): number {
  // 2 ** 1024 is Infinity, which Math.min takes
  return Math.floor(random * Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (attempt - 1)));
}
