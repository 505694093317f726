/** Long-running work: bells that coalesce wake-ups, and the slices that keep an event loop responsive. */

import type { Clock } from './ports.ts';
import type { MonoMs } from './ids.ts';

export const LIMITS = { sliceMs: 5 } as const;

/** Wake-ups that coalesce: any number of rings before a wait are one. */
export class Bell {
  #rung = false;
  #waiting: AbortController | undefined;

  ring(): void {
    this.#rung = true;
    this.#waiting?.abort();
  }

  /**
   * Resolves at the next ring (at once after an unheard one), after `ms`, or when `signal` aborts. One
   * waiter.
   */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const waiting = new AbortController();
      const stop = (): void => waiting.abort();
      this.#waiting = waiting;
      signal.addEventListener('abort', stop);
      await clock.sleep(ms, waiting.signal);
      signal.removeEventListener('abort', stop);
      this.#waiting = undefined;
    }
    this.#rung = false;
  }
}

/** Yields whenever the present slice of work has run for `sliceMs`: call `breathe` between small steps. */
export class Slices {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #startedMs: MonoMs;

  constructor(clock: Clock, sliceMs: number = LIMITS.sliceMs) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#startedMs = clock.monoMs();
  }

  async breathe(): Promise<void> {
    if (this.#clock.monoMs() - this.#startedMs < this.#sliceMs) return;
    await this.#clock.yield();
    this.#startedMs = this.#clock.monoMs();
  }
}
