/**
 * A simulated Millrace at work: replicates, dies where chance says, and is started again.
 *
 * Contract: what it told of (durable TXIDs, answered waits) is kept with what the application had committed
 * by then; the checkers hold it to that. Any Fault that ends a replicator is a failure of the run: nothing in
 * these worlds warrants it.
 */

import { Replicator } from '../src/engine/replicator.ts';
import type { ReplicatorOptions } from '../src/engine/replicator.ts';
import { Archive } from '../src/storage/archive.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { isFault } from '../src/base/fault.ts';
import type { Txid } from '../src/base/ids.ts';
import { PHASES, keeperPhase } from './phases.ts';
import type { Phase } from './phases.ts';
import type { SimChance } from './world/chance.ts';
import type { SqliteApplication } from './world/database.ts';
import { ProcessKilled } from './world/process.ts';
import type { DeathPlan } from './world/process.ts';
import { ProcessStore } from './world/store.ts';
import type { SimMachine, SimWorld } from './world/world.ts';

const LIMITS = { restartMs: 20, afterMs: 60, callsMax: 60 } as const;

/** Millrace said that everything committed up to moment `moment` of the history is in TXID `txid`. */
export interface Promised {
  readonly txid: Txid;
  readonly moment: number;
  readonly by: 'event' | 'answer';
}

type Outcome = 'stopped' | 'killed' | 'store out of reach';

/** How a keeper lives. */
export interface KeeperOptions {
  readonly deaths: number;
  readonly stallChance: number;
  readonly callMs: number;
  readonly watchLoss: number;
  readonly replicate: ReplicatorOptions;
}

/** What a keeper works on. */
export interface KeeperSubject {
  readonly world: SimWorld;
  readonly app: SqliteApplication;
  readonly store: ObjectStore;
}

/** A Millrace that is started again after each death. */
export class Keeper {
  readonly promised: Promised[] = [];
  readonly killedIn: Phase[] = [];
  readonly events: Map<string, number> = new Map();
  readonly #subject: KeeperSubject;
  readonly #options: KeeperOptions;
  readonly #chance: SimChance;
  readonly #stop = new AbortController();
  #deathsLeft: number;
  #machine: SimMachine | undefined;
  #replicator: Replicator | undefined;

  constructor(subject: KeeperSubject, options: KeeperOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#chance = subject.world.chance.fork('keeper');
    this.#deathsLeft = options.deaths;
  }

  /** Runs until it is asked to stop, and has made everything durable. */
  async live(): Promise<void> {
    for (let life = 1; ; life++) {
      const { world } = this.#subject;
      const machine = world.machine(world.process(`millrace ${life}`));
      this.#machine = machine;
      machine.process.phaseOf = keeperPhase;
      machine.process.plan = this.#deathPlan();
      machine.process.stallChance = this.#options.stallChance;
      machine.process.stallMs = 300;
      machine.process.callMs = this.#options.callMs;
      machine.databases.watchLoss = this.#options.watchLoss;
      const outcome = await this.#replicate(machine);
      this.#replicator = undefined;
      if (outcome === 'stopped') return;
      if (outcome === 'killed') this.killedIn.push(machine.process.diedIn as Phase);
      await world.clock.wait(this.#chance.latencyMs(LIMITS.restartMs));
    }
  }

  /** Kills it, if it is running. */
  die(): void {
    this.#machine?.process.kill();
  }

  /** It shall die no more. */
  spare(): void {
    this.#deathsLeft = 0;
    if (this.#machine !== undefined) this.#machine.process.plan = undefined;
  }

  /** Asks for an orderly end. */
  stop(): void {
    this.#stop.abort();
  }

  /** Waits for durability, as an application does, and keeps the answer; an answer may never come. */
  ask(): void {
    const replicator = this.#replicator;
    const moment = this.#moment();
    const process = this.#machine?.process;
    if (replicator === undefined || replicator.status().state === 'waiting' || process?.isAlive !== true)
      return;
    replicator.durable().then(
      (durable) => {
        if (durable !== null && process.isAlive)
          this.promised.push({ txid: durable.txid, moment, by: 'answer' });
      },
      () => {},
    );
  }

  async #replicate(machine: SimMachine): Promise<Outcome> {
    const { app, store } = this.#subject;
    const { process } = machine;
    const archive = new Archive(new ProcessStore(process, store));
    let end: Outcome = 'killed';
    const death = new Promise<Outcome>((resolve) => process.whenDead(() => resolve(end)));
    const work = async (): Promise<Outcome> => {
      try {
        const options = {
          ...this.#options.replicate,
          onEvent: (event: ReplicateEventLike) => this.#onEvent(event),
        };
        this.#replicator = await Replicator.open(machine, app.path, archive, options);
        await this.#replicator.run(this.#stop.signal);
        return 'stopped';
      } catch (error) {
        if (error instanceof ProcessKilled || !process.isAlive) return 'killed';
        // Without the store there is no telling whether this database is the archive's: whoever started it
        // tries again.
        if (this.#replicator !== undefined || !isFault(error, 'unavailable')) throw error;
        end = 'store out of reach';
        process.kill();
        return end;
      }
    };
    return await Promise.race([work(), death]);
  }

  #onEvent(event: ReplicateEventLike): void {
    this.events.set(event.event, (this.events.get(event.event) ?? 0) + 1);
    this.#machine?.process.note('event', event.event);
    if (event.event !== 'durable') return;
    const { world, app } = this.#subject;
    const before = app.history.timeline.findLastIndex(({ atMs }) => world.clock.wallAt(atMs) < event.walMs);
    this.promised.push({ txid: event.txid, moment: before, by: 'event' });
  }

  #moment(): number {
    return this.#subject.app.history.timeline.length - 1;
  }

  #deathPlan(): DeathPlan | undefined {
    if (this.#deathsLeft === 0) return undefined;
    this.#deathsLeft -= 1;
    const phase = this.#chance.pick(PHASES.filter((name) => !name.startsWith('restore')));
    const count = 1 + Math.floor(LIMITS.callsMax * this.#chance.real() ** 4);
    return { phase, count, afterMs: this.#chance.flip(0.4) ? this.#chance.real() * LIMITS.afterMs : 0 };
  }
}

type ReplicateEventLike = Parameters<NonNullable<ReplicatorOptions['onEvent']>>[0];
