/**
 * An application at work in a simulated world: transactions in bursts, checkpoints, failures, deaths and
 * restarts.
 *
 * Every step of SQLite's takes time, so that others see the states in between. Whoever waits for one of
 * SQLite's locks lets the step happen that will release it.
 */

import type { SimChance } from './world/chance.ts';
import type { SimClock } from './world/clock.ts';
import type { SqliteApplication } from './world/database.ts';
import { SqliteBusy } from './world/sqlite-connection.ts';
import type { Steps } from './world/sqlite-connection.ts';
import { randomChanges } from './workload.ts';

const LIMITS = { stepMs: 0.05, burstMax: 40, restartMs: 30 } as const;

/** How likely each thing is at each turn of the application; transactions fill the rest. */
export interface Habits {
  readonly crash: number;
  readonly close: number;
  readonly ghost: number;
  readonly checkpoint: number;
  readonly freshConnection: number;
  readonly tornHeader: number;
  /** The pause between bursts, in ms. */
  readonly pauseMs: number;
}

/** What it did, for the report. */
export type ApplicationCounts = Record<
  'commits' | 'crashes' | 'closes' | 'ghosts' | 'checkpoints' | 'recoveries',
  number
>;

/** Something in steps, that anybody may push on. */
class Performance<T> {
  readonly #steps: Steps<T>;
  #outcome: { readonly value: T } | { readonly error: unknown } | undefined;

  constructor(steps: Steps<T>) {
    this.#steps = steps;
  }

  get isDone(): boolean {
    return this.#outcome !== undefined;
  }

  /** One step; whether there was one. */
  advance(): boolean {
    if (this.#outcome !== undefined) return false;
    try {
      const step = this.#steps.next();
      if (step.done === true) this.#outcome = { value: step.value };
    } catch (error) {
      this.#outcome = { error };
    }
    return true;
  }

  get value(): T {
    if (this.#outcome === undefined) throw new Error('it is not done');
    if ('error' in this.#outcome) throw this.#outcome.error;
    return this.#outcome.value;
  }
}

/** An application with habits. */
export class BusyApplication {
  readonly app: SqliteApplication;
  readonly counts: ApplicationCounts = {
    commits: 0,
    crashes: 0,
    closes: 0,
    ghosts: 0,
    checkpoints: 0,
    recoveries: 0,
  };
  readonly #clock: SimClock;
  readonly #chance: SimChance;
  readonly #habits: Habits;
  /** Its own time: it runs beside Millrace, on another core. */
  #localMs = 0;
  /** How often it was started: work that a former process began must not go on. */
  #lives = 1;

  constructor(app: SqliteApplication, clock: SimClock, chance: SimChance, habits: Habits) {
    this.app = app;
    this.#clock = clock;
    this.#chance = chance;
    this.#habits = habits;
  }

  /** Lives through this many turns. */
  async live(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await this.#pause(this.#habits.pauseMs);
      if (!this.app.isOpen) await this.#restart();
      await this.#turn();
    }
    if (!this.app.isOpen) await this.#restart();
  }

  /** It dies now, in whatever it is doing. */
  die(): void {
    this.#lives += 1;
    this.counts.crashes += 1;
    if (this.app.isOpen) this.app.crash();
  }

  async #turn(): Promise<void> {
    const habits = this.#habits;
    const dice = this.#chance.real();
    let bound = habits.crash;
    if (dice < bound) return await this.#crash();
    if (dice < (bound += habits.close)) return await this.#close();
    if (dice < (bound += habits.ghost)) return await this.#ghost();
    if (dice < (bound += habits.checkpoint)) return await this.#checkpoint();
    if (dice < (bound += habits.freshConnection)) return this.app.freshConnection();
    if (dice < (bound += habits.tornHeader)) return this.#tearHeader();
    await this.#burst();
  }

  async #burst(): Promise<void> {
    const count = this.#chance.flip(0.3)
      ? this.#chance.between(1, LIMITS.burstMax)
      : this.#chance.between(1, 4);
    for (let i = 0; i < count && this.app.isOpen; i++) {
      const changes = randomChanges(this.app, this.#chance);
      if (this.#chance.flip(0.07)) await this.#perform(this.app.rollbackSteps(changes));
      else if ((await this.#perform(this.app.commitSteps(changes))) === 'committed') this.counts.commits += 1;
    }
  }

  /** Dies in the middle of a transaction, or of a checkpoint. */
  async #crash(): Promise<void> {
    const isCommit = this.#chance.flip(0.7);
    const steps: Steps<unknown> = isCommit
      ? this.app.commitSteps(randomChanges(this.app, this.#chance))
      : this.app.checkpointSteps(this.#chance.pick(['passive', 'truncate']));
    const deathMs = this.#chance.real() * LIMITS.stepMs * 30;
    this.#clock.after(deathMs, () => this.die());
    await this.#perform(steps);
  }

  async #close(): Promise<void> {
    this.counts.closes += 1;
    this.app.close();
    await this.#pause(LIMITS.restartMs);
  }

  async #ghost(): Promise<void> {
    this.counts.ghosts += 1;
    await this.#perform(this.app.commitSteps(randomChanges(this.app, this.#chance), { failsFsync: true }));
  }

  async #checkpoint(): Promise<void> {
    this.counts.checkpoints += 1;
    const mode = this.#chance.pick(['passive', 'full', 'restart', 'truncate'] as const);
    await this.#perform(this.app.checkpointSteps(mode));
  }

  #tearHeader(): void {
    // Once: an observer that sleeps through the second of two may meet its old counter again.
    if (this.counts.recoveries > 0) return;
    this.counts.recoveries += 1;
    this.app.recover();
  }

  async #restart(): Promise<void> {
    this.#lives += 1;
    await this.#pause(LIMITS.restartMs);
    if (!this.app.isOpen) this.app.open();
  }

  async #pause(typicalMs: number): Promise<void> {
    this.#localMs += this.#chance.latencyMs(typicalMs);
    await this.#clock.waitUntil(this.#localMs);
  }

  /** Takes the steps of something, with time in between; undefined if the application died meanwhile. */
  async #perform<T>(steps: Steps<T>): Promise<T | 'busy' | undefined> {
    const life = this.#lives;
    const performance = new Performance(steps);
    const { shm } = this.app.connection;
    shm.writerStep = () => this.#lives === life && performance.advance();
    try {
      while (!performance.isDone) {
        performance.advance();
        await this.#pause(LIMITS.stepMs);
        if (this.#lives !== life) return undefined;
      }
      return performance.value;
    } catch (error) {
      if (error instanceof SqliteBusy) return 'busy';
      throw error;
    } finally {
      if (this.#lives === life) shm.writerStep = undefined;
    }
  }
}
