/** The Pool contract on this machine: worker threads. */

import type { JobTable, Pool } from '../../src/base/ports.ts';
import { WorkerPool } from '../../src/host/pool.ts';
import type { PoolJobs } from './pool-jobs.ts';
import { poolContract } from './pool.ts';
import { realWorld } from './world.ts';

const script = new URL('../support/pool-worker.ts', import.meta.url);

poolContract('host', () => {
  const pool = new WorkerPool<PoolJobs>({ script, width: 2 });
  const runDying = (): Promise<unknown> => (pool as Pool<JobTable>).run('die', undefined as never);
  return { ...realWorld, pool, runDying };
});
