/**
 * A worker's side of a pool: serves a table of jobs to the thread that started it.
 *
 * A job is a pure function of bytes: it opens no file, and its output belongs to the caller (buffers in it
 * move away, so it must not be kept).
 */

import { parentPort } from 'node:worker_threads';

import { must } from '../base/assert.ts';
import type { JobTable } from '../base/ports.ts';
import { buffersOf, errorEncode, type JobAnswer, type JobRequest } from './pool-message.ts';

/** Serves `jobs` until the pool ends this thread. The whole content of a worker's script. */
export function serveJobs(jobs: JobTable): void {
  const port = must(parentPort, 'serveJobs runs in a worker thread');
  port.on('message', (request: JobRequest) => {
    try {
      const job = must(jobs[request.name], `no job ${request.name}`) as (input: unknown) => unknown;
      const output = job(request.input);
      port.postMessage({ id: request.id, output } satisfies JobAnswer, buffersOf(output));
    } catch (error) {
      port.postMessage({ id: request.id, error: errorEncode(error) } satisfies JobAnswer);
    }
  });
}
