/**
 * Virtual time: a queue of events, and nothing else moves the clock.
 *
 * Contract: what happens, and in which order, depends on the seed alone. Between two events all promises
 * settle; the only real thing about it is the macrotask turn that lets them.
 * Trap: code under test that waits for anything but the ports (a timer, a worker, a thread pool) is invisible
 * here, and ends as a "stall".
 */

import { setImmediate as turn } from 'node:timers/promises';

import { Bug } from '../../src/base/assert.ts';
import type { MonoMs, WallMs } from '../../src/base/ids.ts';
import type { SimChance } from './chance.ts';

export const LIMITS = { eventsMax: 5_000_000 } as const;

interface Event {
  readonly atMs: number;
  /** Events of one moment happen in an order of chance. */
  readonly tie: number;
  readonly order: number;
  readonly fire: () => void;
}

/** The wall clock at the start: 2025-01-01. */
const EPOCH_MS = 1_735_689_600_000;

/** Virtual time. Not a port: every process gets its own view of it (process.ts). */
export class SimClock {
  readonly #chance: SimChance;
  readonly #heap: Event[] = [];
  #nowMs = 0;
  #wallOffsetMs = EPOCH_MS;
  #order = 0;
  #fired = 0;

  constructor(chance: SimChance) {
    this.#chance = chance;
  }

  get nowMs(): MonoMs {
    return this.#nowMs as MonoMs;
  }

  get wallMs(): WallMs {
    return this.wallAt(this.#nowMs);
  }

  /** What the wall clock, as it is set at present, showed at `atMs`. */
  wallAt(atMs: number): WallMs {
    return Math.floor(atMs + this.#wallOffsetMs) as WallMs;
  }

  /** The wall clock jumps. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** A computation or a system call takes time: events due meanwhile happen late. */
  spend(ms: number): void {
    this.#nowMs += ms;
  }

  /** How many events there were. */
  get fired(): number {
    return this.#fired;
  }

  /** `fire` happens after `ms`. */
  after(ms: number, fire: () => void): void {
    this.at(this.#nowMs + Math.max(0, ms), fire);
  }

  /** `fire` happens at `atMs`, or next if that has passed: before everything that is due later. */
  at(atMs: number, fire: () => void): void {
    this.#push({ atMs, tie: this.#chance.u32(), order: this.#order++, fire });
  }

  /** Resolves after `ms`, whatever becomes of any process. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /**
   * Resolves at `atMs`. Who waits so from its own last due time on runs beside others' computations, not
   * after them.
   */
  waitUntil(atMs: number): Promise<void> {
    return new Promise((resolve) => this.at(atMs, resolve));
  }

  /** Lets the world run until `work` is done, and returns what it gave. Throws a Bug if it never can be. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    work.then(done, done);
    for (;;) {
      await turn();
      if (isDone) return work;
      if (!this.#step())
        throw new Bug(`stall: nothing is due at ${this.#nowMs} ms, and the work is not done`);
      if (this.#fired > LIMITS.eventsMax) throw new Bug(`livelock: ${this.#fired} events`);
    }
  }

  /** Lets the world run for `ms`. */
  async runFor(ms: number): Promise<void> {
    await this.run(this.wait(ms));
  }

  #step(): boolean {
    const event = this.#pop();
    if (event === undefined) return false;
    this.#fired += 1;
    this.#nowMs = Math.max(this.#nowMs, event.atMs);
    event.fire();
    return true;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!isBefore(event, heap[up]!)) break;
      heap[at] = heap[up]!;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1]!, heap[down]!)) down += 1;
      if (!isBefore(heap[down]!, last)) break;
      heap[at] = heap[down]!;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(a: Event, b: Event): boolean {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs;
  return a.tie === b.tie ? a.order < b.order : a.tie < b.tie;
}
