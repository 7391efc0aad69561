import { CrossCommError } from '../protocol/index.js';

/** The error of an operation that its caller's signal ended. */
export function abortedError(signal?: AbortSignal): CrossCommError {
  return new CrossCommError('CC_ABORTED', signal?.reason === undefined ? {} : { cause: signal.reason });
}

/** @throws CrossCommError `CC_ABORTED` when the signal has fired */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}

/** Settles as `promise` does, or with `CC_ABORTED` as soon as the signal fires; `onAbort` then frees what is held. */
export async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined, onAbort?: () => void): Promise<T> {
  if (signal === undefined) return promise;
  let listener: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    listener = () => {
      onAbort?.();
      reject(abortedError(signal));
    };
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (listener !== undefined) signal.removeEventListener('abort', listener);
    // The race may be over before the operation is: its late failure belongs to nobody.
    promise.catch(() => undefined);
  }
}
