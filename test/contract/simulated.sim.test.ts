/** Every port contract on the simulated world, whose time moves only while it is asked to run something. */

import { SqliteApplication } from '../../sim/world/database.ts';
import { SqliteBusy } from '../../sim/world/sqlite-connection.ts';
import { SimWorld } from '../../sim/world/world.ts';
import { must } from '../../src/base/assert.ts';
import { FaultyStore } from '../../src/storage/faulty-store.ts';
import { FileStore } from '../../src/storage/file-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { clockContract } from './clock.ts';
import { databasesContract } from './databases.ts';
import type { ContractApplication } from './databases.ts';
import { filesContract } from './files.ts';
import { objectStoreContract } from './object-store.ts';
import { poolJobs } from './pool-jobs.ts';
import { poolContract } from './pool.ts';
import type { ContractWorld } from './world.ts';

const DIR = '/data';
const LIMITS = { waitMs: 10_000 } as const;

let seed = 0;

function simulated(world: SimWorld): ContractWorld {
  return {
    run: (work) => world.run(work),
    async until(condition, what) {
      const endMs = world.clock.nowMs + LIMITS.waitMs;
      while (!condition()) {
        if (world.clock.nowMs > endMs) throw new Error(`not in ${LIMITS.waitMs} ms: ${what}`);
        await world.clock.wait(1);
      }
    },
  };
}

clockContract('simulated', () => {
  const world = new SimWorld(++seed);
  return { ...simulated(world), clock: world.process('test').clock };
});

filesContract('simulated', () => {
  const world = new SimWorld(++seed);
  world.disk.mkdir(DIR);
  const machine = world.machine(world.process('test'));
  return {
    ...simulated(world),
    files: machine.files,
    dir: DIR,
    async lockElsewhere(path) {
      const other = world.process('other');
      if (world.machine(other).files.lock(path) === null) throw new Error('the lock is held');
      return { kill: async () => other.kill() };
    },
    crash: async () => world.disk.losePower(),
  };
});

databasesContract('simulated', () => {
  const world = new SimWorld(++seed);
  world.disk.mkdir(DIR);
  const machine = world.machine(world.process('observer'));
  let first: SqliteApplication | undefined;
  const start = async (path: string): Promise<ContractApplication> => {
    first ??= world.application(path);
    if (!first.isOpen) first.open();
    else if (first.history.states.length > 1) return second(world, path);
    return driver(first);
  };
  return {
    ...simulated(world),
    databases: machine.databases,
    files: machine.files,
    dir: DIR,
    application: start,
    async exclusiveApplication(path) {
      const app = await start(path);
      must(first, 'there is an application').goExclusive();
      return app;
    },
  };
});

function driver(app: SqliteApplication): ContractApplication {
  return {
    async commit(count) {
      for (let i = 0; i < count; i++) app.commit({ pages: [2] });
    },
    checkpoint: async (mode) => ({
      busy: app.checkpoint(mode === 'PASSIVE' ? 'passive' : 'truncate').isBusy,
    }),
    close: async () => app.close(),
    kill: async () => app.crash(),
  };
}

/** A second application on a database that is open already. */
function second(world: SimWorld, path: string): ContractApplication {
  const app = SqliteApplication.join(must(world.applications[0], 'there is an application'));
  if (app.path !== path) throw new SqliteBusy(`${path} is not ${app.path}`);
  return driver(app);
}

poolContract('simulated', () => {
  const world = new SimWorld(++seed);
  const pool = world.pool(world.process('test'), poolJobs);
  const runDying = (): Promise<unknown> => {
    pool.diesNext = true;
    return pool.run('increment', { id: 0n, bytes: new Uint8Array() });
  };
  return { ...simulated(world), pool, runDying };
});

for (const kind of ['memory', 'file'] as const) {
  const world = new SimWorld(++seed);
  objectStoreContract(`simulated ${kind}, with latency`, {
    open() {
      const process = world.process('test');
      const { files, clock, chance } = world.machine(process);
      const inner =
        kind === 'memory'
          ? new MemoryStore(clock)
          : new FileStore({ files, clock, chance }, `${DIR}/${++seed}`);
      return new FaultyStore(inner, clock, chance, { latencyMinMs: 1, latencyMaxMs: 30 });
    },
    drive: (work) => world.run(work()),
    runs: 50,
  });
}
