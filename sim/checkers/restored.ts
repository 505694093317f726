/** Restore against the plain reading of the archive: two routes, one truth; and nothing left behind. */

import { txidFormat } from '../../src/base/ids.ts';
import { bytesEqual, concat } from '../../src/base/bytes.ts';
import { jobs } from '../../src/engine/jobs.ts';
import { restore } from '../../src/engine/restore.ts';
import { Archive } from '../../src/storage/archive.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { PHASES, restorePhase } from '../phases.ts';
import type { Phase } from '../phases.ts';
import type { SimChance } from '../world/chance.ts';
import { ProcessKilled } from '../world/process.ts';
import { ProcessStore } from '../world/store.ts';
import type { SimWorld } from '../world/world.ts';
import type { ChainImage } from './chain.ts';

const LIMITS = { callsMax: 12, samples: 2, triesMax: 20 } as const;
const DIR = '/restored';

/** What restoring came to. */
export interface RestoredCheck {
  readonly violations: readonly string[];
  readonly killedIn: readonly Phase[];
}

/** Restores the head and some TXIDs, dying `deaths` times on the way, and compares. */
export async function checkRestored(
  world: SimWorld,
  store: ObjectStore,
  images: readonly ChainImage[],
  deaths: number,
): Promise<RestoredCheck> {
  const chance = world.chance.fork('restore');
  const violations: string[] = [];
  const killedIn: Phase[] = [];
  world.disk.mkdir(DIR);
  const head = images.at(-1);
  if (head === undefined) return { violations, killedIn };
  const sampled = Array.from({ length: LIMITS.samples }, () => chance.pick(images));
  let deathsLeft = deaths;
  for (const [i, image] of [head, ...sampled].entries()) {
    const to = `${DIR}/${i}.db`;
    for (let tries = 1; ; tries++) {
      const process = await attempt({ world, store, chance, to }, image, deathsLeft-- > 0);
      if (process === null) break;
      killedIn.push(process);
      const torn = partial(world, to, image);
      if (torn !== null) violations.push(torn);
      if (tries === LIMITS.triesMax) violations.push(`restore: not done after ${tries} tries`);
    }
    const wrong = compare(world, to, image);
    if (wrong !== null) violations.push(wrong);
  }
  return { violations, killedIn };
}

interface Attempt {
  readonly world: SimWorld;
  readonly store: ObjectStore;
  readonly chance: SimChance;
  readonly to: string;
}

/** One restore, in a process of its own; the phase it was killed in, or null. */
async function attempt(
  { world, store, chance, to }: Attempt,
  image: ChainImage,
  dies: boolean,
): Promise<Phase | null> {
  const process = world.process(`restore of ${txidFormat(image.txid)}`);
  process.phaseOf = restorePhase;
  const phase = chance.pick(PHASES.filter((name) => name.startsWith('restore')));
  const afterMs = chance.flip(0.3) ? chance.real() * 20 : 0;
  if (dies) process.plan = { phase, count: chance.between(1, LIMITS.callsMax), afterMs };
  const machine = world.machine(process);
  const pool = world.pool(process, jobs);
  pool.deaths = 0;
  const death = new Promise<null>((resolve) => process.whenDead(() => resolve(null)));
  const archive = new Archive(new ProcessStore(process, store));
  const work = restore(machine, pool, archive, {
    to,
    target: { kind: 'txid', txid: image.txid },
    force: true,
  });
  try {
    await Promise.race([work, death]);
  } catch (error) {
    if (!(error instanceof ProcessKilled) && process.isAlive) throw error;
  }
  // A plan that comes due later must not strike a process that has done its work.
  process.plan = undefined;
  return process.isAlive ? null : (process.diedIn as Phase);
}

/** After a death the target is absent, or whole. */
function partial(world: SimWorld, to: string, image: ChainImage): string | null {
  return world.disk.lookup(to) === undefined ? null : compare(world, to, image);
}

function compare(world: SimWorld, to: string, image: ChainImage): string | null {
  const name = `restore of TXID ${txidFormat(image.txid)}`;
  const inode = world.disk.lookup(to);
  if (inode === undefined) return `${name}: there is no file`;
  return bytesEqual(inode.content(), concat(image.pages))
    ? null
    : `${name}: it differs from the archive's own pages`;
}
