import { CrossCommError } from '../protocol/index.js';

/** How a call may be ended by its caller. */
export interface CallOptions {
  /** Ends the call with `CC_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the call ends with `CC_TIMEOUT`. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Calls `expire` once, with `CC_ABORTED` or `CC_TIMEOUT`, unless the returned function was called before. A signal
 * that has fired already expires at once, before this function returns.
 */
export function armDeadline(options: CallOptions, expire: (error: CrossCommError) => void): () => void {
  const { signal, timeoutMs } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const onAbort = (): void => end(abortedError(signal as AbortSignal));
  const disarm = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };
  const end = (error: CrossCommError): void => {
    disarm();
    expire(error);
  };
  if (signal?.aborted) onAbort();
  else {
    signal?.addEventListener('abort', onAbort);
    if (timeoutMs !== undefined && timeoutMs <= MAX_TIMER_MS)
      timer = setTimeout(() => end(new CrossCommError('CC_TIMEOUT', `It took longer than ${timeoutMs} ms.`)), timeoutMs);
  }
  return disarm;
}

/** Longer timers fire at once, in browsers and in Node. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export function abortedError(signal: AbortSignal): CrossCommError {
  return new CrossCommError('CC_ABORTED', { cause: signal.reason });
}
