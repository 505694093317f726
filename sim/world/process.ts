/**
 * A simulated process: everything it does to the world goes through here, and it can die at any of those
 * points.
 *
 * Contract: a dead process changes nothing and learns nothing. What it was waiting for never comes; what it
 * calls throws `ProcessKilled`, so that its `finally` blocks run in vain.
 * Trap: code that catches everything goes on for a while after its death, harmlessly.
 */

import { Bug } from '../../src/base/assert.ts';
import type { MonoMs, WallMs } from '../../src/base/ids.ts';
import type { Clock } from '../../src/base/ports.ts';
import type { SimChance } from './chance.ts';
import type { SimClock } from './clock.ts';
import type { LockOwner } from './locks.ts';
import type { Trace } from './trace.ts';

const LIMITS = { yieldMs: 0.01, callsPerEventMax: 50_000 } as const;

/** The end of a simulated process. Never to be caught by the product: it is no Fault. */
export class ProcessKilled extends Error {
  override readonly name = 'ProcessKilled';
}

/** Where to die: at the `count`th call (from 1) of a phase, or `afterMs` later, whatever it does then. */
export interface DeathPlan {
  readonly phase: string;
  readonly count: number;
  readonly afterMs: number;
}

/** What a process is given. */
export interface ProcessWorld {
  readonly clock: SimClock;
  readonly chance: SimChance;
  readonly trace: Trace;
}

/** A process. */
export class SimProcess implements LockOwner {
  readonly label: string;
  readonly chance: SimChance;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly uid: number = 1000;
  readonly gid: number = 1000;
  /** Names the phase that a call belongs to, for plans and for counting. */
  phaseOf: (call: string, detail: string) => string = (call) => call;
  /** Where it dies, if anywhere. */
  plan: DeathPlan | undefined;
  /** How long a call takes at most. */
  callMs = 0.01;
  /** How likely a wait ends late by up to `stallMs`, as on a busy machine. */
  stallChance = 0;
  stallMs = 0;
  /** The phase that it died in. */
  diedIn: string | undefined;
  /** Calls so far, by phase. */
  readonly calls: Map<string, number> = new Map();
  readonly #world: ProcessWorld;
  readonly #onDeath: (() => void)[] = [];
  #isAlive = true;
  /** The phase of the newest call. */
  #phase = 'start';
  #lastEvent = 0;
  #callsSinceEvent = 0;

  constructor(world: ProcessWorld, label: string) {
    this.#world = world;
    this.label = label;
    this.chance = world.chance.fork(label);
    this.trace = world.trace;
    this.clock = this.#makeClock();
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Passes a point at which the process may die. `detail` says what the call is about. */
  enter(call: string, detail = ''): void {
    if (!this.#isAlive) throw new ProcessKilled(`${this.label} is dead`);
    this.#checkSpin(call);
    this.#world.clock.spend(this.callMs * this.chance.real());
    const phase = this.phaseOf(call, detail);
    const count = (this.calls.get(phase) ?? 0) + 1;
    this.calls.set(phase, count);
    this.#phase = phase;
    if (this.plan?.phase !== phase || this.plan.count !== count) return;
    if (this.plan.afterMs > 0) {
      this.#world.clock.after(this.plan.afterMs, () => this.kill());
      return;
    }
    this.kill();
    throw new ProcessKilled(`${this.label} was killed in ${phase}`);
  }

  /** Notes a change in the trace. */
  note(call: string, detail: string, bytes?: Uint8Array): void {
    this.trace.note(`${this.label}: ${call} ${detail}`, bytes);
  }

  /** The outcome of something that the world does for the process, if it lives to learn it. */
  hold<T>(outcome: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      outcome.then(
        (value) => {
          if (this.#isAlive) resolve(value);
        },
        (error: unknown) => {
          if (this.#isAlive) reject(error);
        },
      );
    });
  }

  /** Kills it, as SIGKILL does. */
  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.diedIn = this.#phase;
    this.trace.note(`${this.label}: killed in ${this.#phase}`);
    for (const onDeath of this.#onDeath) onDeath();
  }

  /** `onDeath` runs when it dies: the system takes back what it had. */
  whenDead(onDeath: () => void): void {
    this.#onDeath.push(onDeath);
  }

  /** Work that never waits for the clock lets nobody else have a turn, in a real process too. */
  #checkSpin(call: string): void {
    const { fired } = this.#world.clock;
    this.#callsSinceEvent = fired === this.#lastEvent ? this.#callsSinceEvent + 1 : 0;
    this.#lastEvent = fired;
    if (this.#callsSinceEvent <= LIMITS.callsPerEventMax) return;
    this.#callsSinceEvent = 0;
    throw new Bug(
      `${this.label} spins: ${LIMITS.callsPerEventMax} calls without a wait, the last one ${call}`,
    );
  }

  #makeClock(): Clock {
    const { clock } = this.#world;
    return {
      wallMs: (): WallMs => clock.wallMs,
      monoMs: (): MonoMs => clock.nowMs,
      sleep: async (ms, signal): Promise<void> => {
        this.enter('clock.sleep');
        await this.#sleep(ms, signal);
        this.enter('clock.woken');
      },
      yield: async (): Promise<void> => {
        this.enter('clock.yield');
        await this.#sleep(LIMITS.yieldMs * this.chance.real());
      },
    };
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const lateMs = this.chance.flip(this.stallChance) ? this.chance.real() * this.stallMs : 0;
    return new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const end = (): void => {
        signal?.removeEventListener('abort', end);
        if (this.#isAlive) resolve();
      };
      signal?.addEventListener('abort', end);
      this.#world.clock.after(ms + lateMs, end);
    });
  }
}
