import { setMaxListeners } from 'node:events';
import { throwIfAborted } from '../storage-abort.js';

/** A pool's size and what ends it. */
export interface PoolOptions {
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` for every item, at most `concurrency` at one time. After the first failure the workers' signal fires,
 * no further item is begun, and the failure is thrown once all running ones have ended.
 */
export async function runBounded<T>(
  items: Iterable<T> | AsyncIterable<T>,
  options: PoolOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  // Each running request listens to it; their number is bounded by `concurrency`, not by Node's guess of ten.
  setMaxListeners(0, signal);
  const source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failed = false;
  let failure: unknown;
  let next: Promise<unknown> = Promise.resolve();

  // Iterators may not be asked again before they answered, so the workers take turns.
  const take = (): Promise<IteratorResult<T>> => {
    const turn = next.then(() => source.next());
    next = turn.catch(() => undefined);
    return turn;
  };
  const worker = async (): Promise<void> => {
    while (!failed) {
      try {
        throwIfAborted(options.signal);
        const item = await take();
        if (item.done || failed) return;
        await work(item.value, signal);
      } catch (error) {
        if (!failed) {
          failed = true;
          failure = error;
          stop.abort(error);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, worker));
  if (failed) {
    await source.return?.();
    throwIfAborted(options.signal);
    throw failure;
  }
}
