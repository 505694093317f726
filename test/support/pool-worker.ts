/** A worker of the Pool contract: its jobs, and two that no worker should have. */

import { openSync } from 'node:fs';

import { serveJobs } from '../../src/host/pool-worker.ts';
import { poolJobs } from '../contract/pool-jobs.ts';

serveJobs({
  ...poolJobs,
  /** Kills the thread it runs in. */
  die: () => process.exit(7),
  /** Opens a file, and leaves it to the end of the thread. */
  leak: (path: string) => openSync(path, 'r'),
});
