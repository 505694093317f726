/** Retrying what is `unavailable`, with full jitter. Everything else is thrown at once. */

import { isFault } from './fault.ts';
import type { Chance, Clock } from './ports.ts';

export const LIMITS = { attemptsMax: 6, backoffMinMs: 50, backoffMaxMs: 5_000 } as const;

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  readonly attemptsMax?: number;
  /** Told before each wait. */
  readonly onRetry?: (error: Error, attempt: number, waitMs: number) => void;
}

/**
 * The wait before attempt `attempt` (1 is the first repetition): uniform in 0 … min(cap, base·2ⁿ), at least
 * half.
 */
export function backoffMs(chance: Chance, attempt: number): number {
  const bound = Math.min(LIMITS.backoffMaxMs, LIMITS.backoffMinMs * 2 ** Math.min(attempt, 20));
  return bound / 2 + (chance.u32() / 2 ** 32) * (bound / 2);
}

/** Runs `operation` until it succeeds, fails for good, or `attemptsMax` attempts were `unavailable`. */
export async function retry<T>(
  clock: Clock,
  chance: Chance,
  operation: () => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const attemptsMax = options.attemptsMax ?? LIMITS.attemptsMax;
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (!isFault(error, 'unavailable') || attempt >= attemptsMax || options.signal?.aborted === true)
        throw error;
      const waitMs = backoffMs(chance, attempt);
      options.onRetry?.(error, attempt, waitMs);
      await clock.sleep(waitMs, options.signal);
    }
  }
}
