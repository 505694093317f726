/**
 * Lanes: bounded parallel work on items that come one by one. The first failure stops all lanes, and is
 * thrown once none is at work any more: what they share may be taken apart then.
 */

import { assert } from '../base/assert.ts';

/**
 * Runs `work` on every item, at most `width` at once. The signal that it gets aborts with `signal` or a
 * failure.
 */
export async function runLanes<T>(
  width: number,
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  assert(width >= 1, 'at least one lane');
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const source = iteratorOf(items);
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await source.next();
        if (next.done === true || stop.signal.aborted) return;
        await work(next.value, either);
      }
    } catch (error) {
      failures.push(error);
      stop.abort(error);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  if (failures.length === 0) return;
  await source.return?.(undefined);
  throw failures[0];
}

function iteratorOf<T>(items: Iterable<T> | AsyncIterable<T>): Iterator<T> | AsyncIterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
}
