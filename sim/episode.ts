/**
 * One episode: an application and a Millrace live together on one machine, everything that a scenario names
 * goes wrong, then the faults stop, all must become durable, and the checkers look at what is left.
 *
 * Contract: an episode is a function of scenario and seed. Safety is checked over everything that happened;
 * liveness by its end: after the last fault, Millrace comes to rest with an archive whose head is the
 * database.
 */

import { messageOf } from '../src/base/fault.ts';
import { Archive } from '../src/storage/archive.ts';
import { FaultyStore, NO_FAULTS } from '../src/storage/faulty-store.ts';
import type { StoreFaults } from '../src/storage/faulty-store.ts';
import { MemoryStore } from '../src/storage/memory-store.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { lintArchive } from '../test/support/archive-lint.ts';
import { BusyApplication } from './application.ts';
import type { ApplicationCounts, Habits } from './application.ts';
import { checkCommitted } from './checkers/committed.ts';
import { readChain } from './checkers/chain.ts';
import { checkRestored } from './checkers/restored.ts';
import { Keeper } from './keeper.ts';
import type { Phase } from './phases.ts';
import type { ApplicationOptions } from './world/database.ts';
import type { ReplicatorOptions } from '../src/engine/replicator.ts';
import type { SimChance } from './world/chance.ts';
import { SimWorld } from './world/world.ts';

/** What goes wrong in a scenario's episodes. */
export interface Scenario {
  readonly name: string;
  /** What it shows, in a sentence. */
  readonly shows: string;
  readonly turns: number;
  readonly habits: Habits;
  readonly database: (chance: SimChance) => ApplicationOptions;
  readonly storeFaults: Partial<StoreFaults>;
  /** Deaths of Millrace, at most. */
  readonly keeperDeaths: number;
  readonly stallChance: number;
  /**
   * How long a call of Millrace's takes at most: whole states are read in several slices where calls are
   * slow.
   */
  readonly callMs: number;
  readonly watchLoss: number;
  /** Power failures, and deaths of both at once. */
  readonly powerFailures: number;
  readonly restoreDeaths: number;
  /** The store cannot be reached for this long, once. */
  readonly outageMs: number;
  readonly replicate: ReplicatorOptions;
}

/** What came of an episode. */
export interface Episode {
  readonly scenario: string;
  readonly seed: number;
  readonly traceHash: string;
  /** Nothing: all is well. */
  readonly violations: readonly string[];
  readonly killedIn: readonly Phase[];
  readonly application: ApplicationCounts;
  readonly powerFailures: number;
  readonly txids: number;
  readonly events: ReadonlyMap<string, number>;
  readonly virtualMs: number;
  /** The last entries of the trace. */
  readonly tail: readonly string[];
}

const DATABASE = '/data/app.db';
const LIMITS = { askMs: 400, powerMs: 800, outageAfterMs: 500, settleMs: 100, endMs: 600_000 } as const;

/** How an episode differs from what a scenario says: for canaries, and for people who look on. */
export interface EpisodeOptions {
  readonly replicate?: ReplicatorOptions;
  readonly onEntry?: (entry: string) => void;
  readonly store?: (store: ObjectStore) => ObjectStore;
}

/** Lets one episode happen. */
export async function episode(
  scenario: Scenario,
  seed: number,
  options: EpisodeOptions = {},
): Promise<Episode> {
  const world = new SimWorld(seed);
  world.trace.onEntry = options.onEntry;
  return await new EpisodeRun(world, scenario, options).run();
}

class EpisodeRun {
  readonly #world: SimWorld;
  readonly #scenario: Scenario;
  readonly #chance: SimChance;
  readonly #busy: BusyApplication;
  readonly #store: FaultyStore;
  readonly #keeper: Keeper;
  readonly #violations: string[] = [];
  #powerFailures = 0;
  #isOver = false;

  constructor(world: SimWorld, scenario: Scenario, options: EpisodeOptions) {
    this.#world = world;
    this.#scenario = scenario;
    this.#chance = world.chance.fork('episode');
    const app = world.application(DATABASE, scenario.database(this.#chance));
    app.age(this.#chance.u32());
    this.#busy = new BusyApplication(app, world.clock, world.chance.fork('habits'), scenario.habits);
    const network = world.outsideClock();
    const faults = { latencyMinMs: 1, latencyMaxMs: 25, ...scenario.storeFaults };
    const kept = options.store?.(new MemoryStore(network)) ?? new MemoryStore(network);
    this.#store = new FaultyStore(kept, network, world.chance.fork('store'), faults);
    const uploadIntervalMs = this.#chance.pick([0, 20, 200, 1000]);
    this.#keeper = new Keeper(
      { world, app, store: this.#store },
      {
        deaths: scenario.keeperDeaths,
        stallChance: scenario.stallChance,
        callMs: scenario.callMs,
        watchLoss: scenario.watchLoss,
        replicate: { uploadIntervalMs, ...scenario.replicate, ...options.replicate },
      },
    );
  }

  async run(): Promise<Episode> {
    const { scenario, seed } = { scenario: this.#scenario.name, seed: this.#world.seed };
    let killedIn: readonly Phase[] = [];
    let txids = 0;
    try {
      await this.#world.run(this.#live());
      const checked = await this.#world.run(this.#check());
      killedIn = checked.killedIn;
      txids = checked.txids;
    } catch (error) {
      this.#violations.push(
        `ended by ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`,
      );
    }
    return {
      scenario,
      seed,
      traceHash: this.#world.trace.hash,
      violations: this.#violations,
      killedIn: [...this.#keeper.killedIn, ...killedIn],
      application: this.#busy.counts,
      powerFailures: this.#powerFailures,
      txids,
      events: this.#keeper.events,
      virtualMs: this.#world.clock.nowMs,
      tail: this.#world.trace.tail(40),
    };
  }

  /** Everything goes wrong that may; then nothing any more, and all must become durable. */
  async #live(): Promise<void> {
    const { clock } = this.#world;
    const keeping = this.#keeper.live();
    const failing = Promise.all([this.#askNowAndThen(), this.#losePowerNowAndThen(), this.#failStore()]);
    await Promise.race([this.#busy.live(this.#scenario.turns), keeping]);
    this.#isOver = true;
    await failing;
    this.#store.faults = { ...NO_FAULTS, latencyMinMs: 1, latencyMaxMs: 25 };
    this.#keeper.spare();
    await clock.wait(LIMITS.settleMs);
    this.#keeper.stop();
    const late = clock.wait(LIMITS.endMs).then(() => 'late' as const);
    if ((await Promise.race([keeping, late])) === 'late')
      this.#violations.push('liveness: Millrace does not come to rest');
    await this.#store.settle();
  }

  async #check(): Promise<{ readonly killedIn: readonly Phase[]; readonly txids: number }> {
    const archive = new Archive(this.#store);
    const { images, violations } = await readChain(archive);
    const { app } = this.#busy;
    this.#violations.push(...violations, ...checkCommitted(images, app.history, this.#keeper.promised));
    const head = images.at(-1);
    const isCurrent = head !== undefined && app.history.find(head.pages).includes(app.state.index);
    if (!isCurrent) this.#violations.push('liveness: the archive ends before the database does');
    this.#violations.push(...(await lintArchive(archive)).map((rule) => `lint: ${rule}`));
    const restored = await checkRestored(this.#world, this.#store, images, this.#scenario.restoreDeaths);
    this.#violations.push(...restored.violations);
    return { killedIn: restored.killedIn, txids: images.length };
  }

  async #askNowAndThen(): Promise<void> {
    while (!this.#isOver) {
      await this.#world.clock.wait(this.#chance.latencyMs(LIMITS.askMs));
      this.#keeper.ask();
    }
  }

  async #failStore(): Promise<void> {
    if (this.#scenario.outageMs === 0) return;
    const { clock } = this.#world;
    await clock.wait(this.#chance.latencyMs(LIMITS.outageAfterMs));
    const { faults } = this.#store;
    this.#store.faults = { ...faults, unavailable: 1 };
    await clock.wait(this.#chance.latencyMs(this.#scenario.outageMs));
    this.#store.faults = faults;
  }

  async #losePowerNowAndThen(): Promise<void> {
    for (let i = 0; i < this.#scenario.powerFailures; i++) {
      await this.#world.clock.wait(this.#chance.latencyMs(LIMITS.powerMs));
      if (this.#isOver) return;
      this.#keeper.die();
      this.#busy.die();
      if (this.#chance.flip(0.3)) continue;
      this.#powerFailures += 1;
      this.#world.losePower();
    }
  }
}
