/** A worker thread of the pool: does the engine's jobs. */

import { jobs } from '../engine/jobs.ts';
import { serveJobs } from '../host/pool-worker.ts';

serveJobs(jobs);
