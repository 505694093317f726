/** The scenarios: each a world in which other things go wrong. */

import type { Habits } from '../application.ts';
import type { Scenario } from '../episode.ts';
import type { SimChance } from '../world/chance.ts';
import type { ApplicationOptions } from '../world/database.ts';

const CALM: Habits = {
  crash: 0,
  close: 0,
  ghost: 0,
  checkpoint: 0.1,
  freshConnection: 0.02,
  tornHeader: 0,
  pauseMs: 30,
};

const ROUGH: Habits = {
  crash: 0.06,
  close: 0.04,
  ghost: 0.08,
  checkpoint: 0.15,
  freshConnection: 0.04,
  tornHeader: 0.03,
  pauseMs: 20,
};

const UNRELIABLE = {
  latencyMinMs: 1,
  latencyMaxMs: 120,
  unavailable: 0.08,
  lostAnswer: 0.06,
  late: 0.04,
  lateMaxMs: 1500,
  bodyShort: 0.03,
} as const;

const QUIET = {
  turns: 40,
  habits: CALM,
  storeFaults: {},
  keeperDeaths: 0,
  stallChance: 0,
  callMs: 0.02,
  watchLoss: 0,
  powerFailures: 0,
  restoreDeaths: 0,
  outageMs: 0,
  replicate: {},
} as const;

/** Databases with every way to commit; `full` where only a failed fsync can make a ghost. */
function anyDatabase(chance: SimChance): ApplicationOptions {
  return {
    pageSize: chance.pick([512, 512, 1024, 4096]),
    sizePages: chance.between(1, 12),
    synchronous: chance.pick(['full', 'full', 'normal']),
    autocheckpoint: chance.pick([0, 8, 30, 30, 100]),
    sectorBytes: chance.pick([0, 0, 0, 4096]),
  };
}

/** All scenarios, by name. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...QUIET,
    name: 'calm',
    shows: 'without faults every commit arrives, whatever SQLite does with its log',
    database: anyDatabase,
  },
  {
    ...QUIET,
    name: 'busy-machine',
    shows: 'a Millrace that wakes up late finds gaps, and heals them by difference',
    database: (chance) => ({ ...anyDatabase(chance), autocheckpoint: chance.pick([4, 8, 16]) }),
    habits: { ...CALM, pauseMs: 8, checkpoint: 0.25 },
    stallChance: 0.1,
    callMs: 4,
    watchLoss: 0.3,
  },
  {
    ...QUIET,
    name: 'keeper-dies',
    shows: 'Millrace may die anywhere, and goes on where it was',
    database: anyDatabase,
    keeperDeaths: 10,
    restoreDeaths: 4,
  },
  {
    ...QUIET,
    name: 'application-dies',
    shows: 'an application may die in any step; ghosts and recoveries deceive nobody',
    database: anyDatabase,
    habits: ROUGH,
    turns: 60,
    stallChance: 0.03,
  },
  {
    ...QUIET,
    name: 'store-fails',
    shows: 'a store that loses answers and does things late loses no commit',
    database: anyDatabase,
    storeFaults: UNRELIABLE,
    keeperDeaths: 3,
    restoreDeaths: 2,
  },
  {
    ...QUIET,
    name: 'power-fails',
    shows: 'after a power failure what was durable is restorable, and the chain goes on',
    database: anyDatabase,
    habits: { ...CALM, crash: 0.02 },
    powerFailures: 4,
    keeperDeaths: 2,
    turns: 60,
  },
  {
    ...QUIET,
    name: 'outage',
    shows: 'an outage costs bounded memory, and ends with a difference',
    database: anyDatabase,
    habits: { ...CALM, crash: 0.02 },
    outageMs: 1_500,
    keeperDeaths: 1,
    replicate: { imageBytesMax: 6_000, sealBytesMax: 3_000 },
  },
  {
    ...QUIET,
    name: 'everything',
    shows: 'all of it at once',
    database: anyDatabase,
    habits: ROUGH,
    turns: 60,
    storeFaults: UNRELIABLE,
    keeperDeaths: 8,
    outageMs: 300,
    callMs: 0.4,
    stallChance: 0.03,
    watchLoss: 0.2,
    powerFailures: 2,
    restoreDeaths: 3,
  },
];
