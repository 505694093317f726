/**
 * The Pool port of a simulated process: jobs run in the same thread, after a while, in any order.
 *
 * Contract: input and output are copied, and transferred buffers taken away, as between threads. A worker may
 * die.
 */

import { Bug } from '../../src/base/assert.ts';
import { Fault, messageOf } from '../../src/base/fault.ts';
import type { JobTable, Pool } from '../../src/base/ports.ts';
import type { SimClock } from './clock.ts';
import type { SimProcess } from './process.ts';

const LIMITS = { jobMs: 1 } as const;

/** Worker threads of a simulated process. */
export class SimPool<Jobs extends JobTable> implements Pool<Jobs> {
  readonly width: number;
  /** How likely a worker dies in a job. */
  deaths = 0;
  /** The worker dies in the job that comes next. */
  diesNext = false;
  readonly #process: SimProcess;
  readonly #clock: SimClock;
  readonly #jobs: Jobs;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(process: SimProcess, clock: SimClock, jobs: Jobs, width = 2) {
    this.#process = process;
    this.#clock = clock;
    this.#jobs = jobs;
    this.width = width;
  }

  async run<Name extends keyof Jobs & string>(
    name: Name,
    input: Parameters<Jobs[Name]>[0],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ReturnType<Jobs[Name]>> {
    this.#process.enter('pool.run', name);
    if (this.#isClosed) throw closed();
    const own = structuredClone<unknown>(input, { transfer: [...transfer] }) as never;
    const dies = this.diesNext || this.#process.chance.flip(this.deaths);
    this.diesNext = false;
    while (this.#running >= this.width) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#isClosed) throw closed();
    this.#running += 1;
    try {
      await this.#process.hold(this.#clock.wait(this.#process.chance.latencyMs(LIMITS.jobMs)));
      if (dies) throw new Fault('unavailable', 'worker-died', `the worker that ran ${name} died`);
      return structuredClone(this.#runJob(name, own));
    } finally {
      this.#running -= 1;
      this.#waiting.splice(this.#process.chance.below(this.#waiting.length + 1), 1)[0]?.();
      if (this.#running === 0) this.#waiting.shift()?.();
    }
  }

  #runJob<Name extends keyof Jobs & string>(name: Name, input: never): ReturnType<Jobs[Name]> {
    try {
      return this.#jobs[name]!(input) as ReturnType<Jobs[Name]>;
    } catch (error) {
      if (error instanceof Fault || error instanceof Bug) throw error;
      throw new Bug(`${name}: ${messageOf(error)}`);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

function closed(): Fault {
  return new Fault('unavailable', 'pool-closed', 'the pool is closed');
}
