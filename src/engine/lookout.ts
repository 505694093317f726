/**
 * The lookout: watches a quiet database, and lets go of the watch of a busy one, whose writer it would slow.
 *
 * The log is written, and told of, before the commit is published. So after each event the lookout asks to
 * look soon, then ever more rarely.
 */

import type { Closer, Databases, Clock } from '../base/ports.ts';

export const LIMITS = { lookMsMin: 1 } as const;

export class Lookout {
  readonly #clock: Clock;
  readonly #databases: Databases;
  readonly #database: string;
  readonly #onChange: () => void;
  #watch: Closer | null = null;
  /** When the watch was armed or heard something last. */
  #heardMs = 0;

  constructor(clock: Clock, databases: Databases, database: string, onChange: () => void) {
    this.#clock = clock;
    this.#databases = databases;
    this.#database = database;
    this.#onChange = onChange;
  }

  get isArmed(): boolean {
    return this.#watch !== null;
  }

  /** Watches. What came before the watch was there is not heard: look once more. */
  arm(): void {
    this.#heardMs = this.#clock.monoMs();
    this.#watch ??= this.#databases.watch(this.#database, () => {
      this.#heardMs = this.#clock.monoMs();
      this.#onChange();
    });
  }

  disarm(): void {
    this.#watch?.close();
    this.#watch = null;
  }

  /** How long the next look may wait: as long again as the last event is ago. */
  pauseMs(): number {
    return Math.max(LIMITS.lookMsMin, this.#clock.monoMs() - this.#heardMs);
  }
}
