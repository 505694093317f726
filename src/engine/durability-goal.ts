/**
 * The goal that everything is durable that was committed when the goal was set.
 *
 * A session may end before: the goal then moves to the one that follows, whose first pass sees all of it.
 */

import type { Session } from './session.ts';

export class DurabilityGoal {
  readonly #current: () => Session | null;
  #session: Session | null = null;
  #ticket = 0;
  #calm = (): void => {};

  /** Sets the goal in the session that `current` names, now and whenever it is asked for. */
  constructor(current: () => Session | null) {
    this.#current = current;
    this.#follow();
  }

  isReached(): boolean {
    this.#follow();
    return this.#session?.isDurable(this.#ticket) === true;
  }

  /** Nobody waits any more. */
  end(): void {
    this.#calm();
  }

  #follow(): void {
    const session = this.#current();
    if (session === this.#session) return;
    this.#calm();
    this.#session = session;
    this.#ticket = session?.ticket() ?? 0;
    this.#calm = session?.hurry() ?? ((): void => {});
  }
}
