/**
 * A replicator rig: one simulated application with its archive, and Millrace processes one after the other.
 *
 *     const rig = new ReplicatorRig(1);
 *     rig.app.commit({ pages: [2] });
 *     await rig.replicate();
 *     await rig.assertCaughtUp();
 */

import assert from 'node:assert/strict';

import { Replicator } from '../../src/engine/replicator.ts';
import type { ReplicateEvent, ReplicateOptions } from '../../src/engine/replicate-options.ts';
import { LtxDecoder } from '../../src/format/ltx-decoder.ts';
import { Archive } from '../../src/storage/archive.ts';
import { FaultyStore } from '../../src/storage/faulty-store.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { SimWorld } from '../../sim/world/world.ts';
import type { SqliteApplication } from '../../sim/world/database.ts';
import type { SimMachine } from '../../sim/world/world.ts';
import { lintArchive } from './archive-lint.ts';

/** Where a rig's database lies. */
export const DATABASE: string = '/data/app.db';

/** A world with one database, one archive, and as many Millrace processes in turn as a test starts. */
export class ReplicatorRig {
  readonly world: SimWorld;
  readonly app: SqliteApplication;
  readonly store: FaultyStore;
  readonly archive: Archive;
  readonly events: ReplicateEvent[] = [];
  machine: SimMachine;
  #started = 0;

  constructor(seed: number, sizePages = 6) {
    this.world = new SimWorld(seed);
    this.app = this.world.application(DATABASE, { sizePages });
    this.machine = this.world.machine(this.world.process('first'));
    const { clock, chance } = this.machine;
    this.store = new FaultyStore(new MemoryStore(clock), clock, chance);
    this.archive = new Archive(this.store);
  }

  /** The process of before is dead; another one starts. */
  restart(): void {
    this.machine.process.kill();
    this.machine = this.world.machine(this.world.process(`restart ${++this.#started}`));
  }

  open(options: ReplicateOptions = {}): Promise<Replicator> {
    this.events.length = 0;
    const onEvent = (event: ReplicateEvent): void => void this.events.push(event);
    return this.world.run(Replicator.open(this.machine, DATABASE, this.archive, { onEvent, ...options }));
  }

  /** One process that makes everything durable, and ends. */
  async replicate(options: ReplicateOptions = {}): Promise<void> {
    const replicator = await this.open(options);
    await this.world.run(replicator.once());
    await this.world.run(replicator.close());
  }

  event(name: ReplicateEvent['event']): ReplicateEvent | undefined {
    return this.events.find(({ event }) => event === name);
  }

  decision(): string | undefined {
    const started = this.event('started');
    return started?.event === 'started' ? started.decision : undefined;
  }

  /** All L0s in order, laid over each other. */
  async restored(): Promise<Uint8Array[]> {
    return (await this.states()).at(-1) ?? [];
  }

  /** What each TXID restores to. */
  async states(): Promise<Uint8Array[][]> {
    const pages: Uint8Array[] = [];
    const states: Uint8Array[][] = [];
    for (const file of await this.archive.list(0)) {
      const decoder = new LtxDecoder();
      for (const batch of decoder.push(await this.archive.read(file))) {
        const step = batch.pages.length / batch.pgnos.length;
        for (const [i, pgno] of batch.pgnos.entries())
          pages[pgno - 1] = batch.pages.slice(i * step, (i + 1) * step);
      }
      pages.length = decoder.end().header.commit;
      states.push([...pages]);
    }
    return states;
  }

  /** Every TXID is a committed state, the head is the newest one, and the archive keeps every rule. */
  async assertCaughtUp(): Promise<void> {
    const found = (await this.states()).map((pages) => this.app.history.find(pages));
    assert.ok(
      found.every((indexes) => indexes.length > 0),
      'every TXID is a committed state',
    );
    assert.ok(found.at(-1)?.includes(this.app.state.index), 'the head is the newest state');
    assert.deepEqual(await lintArchive(this.archive), []);
  }
}
