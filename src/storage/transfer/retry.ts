import { setTimeout as delay } from 'node:timers/promises';
import { CrossCommError } from '../../protocol/index.js';
import { abortedError, throwIfAborted } from '../storage-abort.js';
import { TRANSFER_DEFAULTS, type TransferOptions } from './transfer.options.js';

const LONGEST_DELAY_MS = 10_000;

/**
 * Runs `operation` until it succeeds, fails for good or has been tried `attempts` times.
 * Errors whose code is retryable (and those without a code: sockets, timers) are tried again after a growing pause.
 */
export async function withRetries<T>(operation: () => Promise<T>, options: TransferOptions): Promise<T> {
  const attempts = options.attempts ?? TRANSFER_DEFAULTS.attempts;
  const firstDelayMs = options.retryDelayMs ?? TRANSFER_DEFAULTS.retryDelayMs;
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(options.signal);
    try {
      return await operation();
    } catch (error) {
      if (options.signal?.aborted) throw abortedError(options.signal);
      if (attempt >= attempts || !isWorthRetrying(error)) throw error;
    }
    const pauseMs = Math.min(LONGEST_DELAY_MS, firstDelayMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2);
    await delay(pauseMs, undefined, options.signal ? { signal: options.signal } : {}).catch(() => {
      throw abortedError(options.signal);
    });
  }
}

function isWorthRetrying(error: unknown): boolean {
  if (error instanceof CrossCommError) return error.retryable && error.code !== 'CC_ABORTED';
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ETIMEDOUT' || code === 'ECONNREFUSED';
}
