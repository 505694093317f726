/**
 * Waiting in tests: the only file in which a test may sleep or poll.
 *
 * A test says what it waits for, never how long something takes; the time-out only says when to give up.
 */

import { setTimeout as sleep } from 'node:timers/promises';

export const LIMITS = { timeoutMs: 10_000, pollMinMs: 1, pollMaxMs: 50 } as const;

export interface UntilOptions {
  /** When to give up; 10 s unless said. */
  readonly timeoutMs?: number;
  /** What is waited for, for the message: "until … ". */
  readonly what: string;
}

/**
 * Asks `condition` again and again until its answer is neither `false`, `null` nor `undefined`, and returns
 * that answer. What it throws is thrown at once. Throws an Error that names `what` after `timeoutMs`.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: UntilOptions,
): Promise<Exclude<T, false | null | undefined>> {
  const timeoutMs = options.timeoutMs ?? LIMITS.timeoutMs;
  const startMs = performance.now();
  for (let pollMs: number = LIMITS.pollMinMs; ; pollMs = Math.min(pollMs * 2, LIMITS.pollMaxMs)) {
    const answer = await condition();
    if (answer !== false && answer !== null && answer !== undefined) {
      return answer as Exclude<T, false | null | undefined>;
    }
    if (performance.now() - startMs > timeoutMs) {
      throw new Error(`waited ${timeoutMs} ms in vain until ${options.what}`);
    }
    await sleep(pollMs);
  }
}

/** Rejects after `timeoutMs` unless `work` has settled, so that a hang is a failure that says `what` hung. */
export async function within<T>(work: Promise<T>, options: UntilOptions): Promise<T> {
  const timeoutMs = options.timeoutMs ?? LIMITS.timeoutMs;
  const over = new AbortController();
  const timeout = sleep(timeoutMs, undefined, { signal: over.signal }).then(
    () => Promise.reject(new Error(`waited ${timeoutMs} ms in vain until ${options.what}`)),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, timeout]);
  } finally {
    over.abort();
  }
}

/**
 * Pauses for a moment of chance, for tests that strike at random moments (a kill): never to wait *for*
 * anything.
 */
export async function pause(ms: number): Promise<void> {
  await sleep(ms);
}
