/**
 * A pool of worker threads that run jobs by name.
 *
 * Each worker has one job at a time; the queue is bounded. A worker that dies fails its job and is replaced
 * when there is another job. Workers keep no process alive but while they have work. `trackUnmanagedFds:
 * false`: a thread that ends must close no descriptor of this process (I12).
 */

import { Worker } from 'node:worker_threads';

import { assert } from '../base/assert.ts';
import { Fault, messageOf } from '../base/fault.ts';
import type { JobTable, Pool } from '../base/ports.ts';
import { errorDecode, type JobAnswer, type JobRequest } from './pool-message.ts';

/** Bounds of any pool. */
export const LIMITS = { widthMax: 64, queuedMax: 4_096 } as const;

export interface PoolOptions {
  /** The module that every worker runs: it calls `serveJobs`. */
  readonly script: URL;
  /** How many threads. */
  readonly width: number;
}

interface Task {
  readonly request: JobRequest;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A Pool of this machine. Threads start with their first job. */
export class WorkerPool<Jobs extends JobTable> implements Pool<Jobs> {
  readonly width: number;
  readonly #script: URL;
  readonly #queue: Task[] = [];
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Task>();
  #started = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    assert(
      options.width >= 1 && options.width <= LIMITS.widthMax,
      () => `pool width out of range: ${options.width}`,
    );
    this.width = options.width;
    this.#script = options.script;
  }

  run<Name extends keyof Jobs & string>(
    name: Name,
    input: Parameters<Jobs[Name]>[0],
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<ReturnType<Jobs[Name]>> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw closedFault();
      if (this.#queue.length >= LIMITS.queuedMax) {
        throw new Fault('unavailable', 'pool-full', `${this.#queue.length} jobs wait for a worker already`);
      }
      this.#queue.push({
        request: { id: this.#started++, name, input },
        transfer,
        resolve: resolve as (output: unknown) => void,
        reject,
      });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const workers = [...this.#idle, ...this.#busy.keys()];
    for (const task of this.#queue.splice(0)) task.reject(closedFault());
    for (const task of this.#busy.values()) task.reject(closedFault());
    this.#idle.length = 0;
    this.#busy.clear();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Gives waiting jobs to workers, as long as there are both. */
  #next(): void {
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop() ?? (this.#busy.size < this.width ? this.#start() : undefined);
      const task = worker === undefined ? undefined : this.#queue.shift();
      if (worker === undefined || task === undefined) return;
      this.#busy.set(worker, task);
      worker.ref();
      try {
        worker.postMessage(task.request, task.transfer);
      } catch (error) {
        // What cannot be sent to a thread is its caller's mistake; the worker has seen nothing of it.
        this.#free(worker);
        task.reject(error as Error);
      }
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#script, { trackUnmanagedFds: false });
    worker.on('message', (answer: JobAnswer) => this.#answered(worker, answer));
    worker.on('messageerror', (error) => this.#died(worker, messageOf(error)));
    worker.on('error', (error) => this.#died(worker, messageOf(error)));
    worker.on('exit', (code) => this.#died(worker, `it ended with code ${code}`));
    return worker;
  }

  #answered(worker: Worker, answer: JobAnswer): void {
    const task = this.#busy.get(worker);
    if (task === undefined) return;
    assert(answer.id === task.request.id, () => `answer to job ${answer.id} instead of ${task.request.id}`);
    this.#free(worker);
    if ('error' in answer) task.reject(errorDecode(answer.error));
    else task.resolve(answer.output);
    this.#next();
  }

  #free(worker: Worker): void {
    this.#busy.delete(worker);
    this.#idle.push(worker);
    worker.unref();
  }

  /** Called once or more for a dead worker: forgets it, and fails the job that it had. */
  #died(worker: Worker, how: string): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    const task = this.#busy.get(worker);
    this.#busy.delete(worker);
    void worker.terminate();
    task?.reject(
      new Fault('unavailable', 'worker-died', `the worker died in job ${task.request.name}: ${how}`, {
        hint: 'try again',
        details: { job: task.request.name },
      }),
    );
    if (!this.#closed) this.#next();
  }
}

function closedFault(): Fault {
  return new Fault('unavailable', 'pool-closed', 'the pool of workers is closed');
}
