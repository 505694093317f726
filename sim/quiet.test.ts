/** Quiet times: what an idle database costs, and what an outage of the store holds in memory. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Replicator } from '../src/engine/replicator.ts';
import type { ReplicateEvent } from '../src/engine/replicate-options.ts';
import { Archive } from '../src/storage/archive.ts';
import { FaultyStore, NO_FAULTS } from '../src/storage/faulty-store.ts';
import { MemoryStore } from '../src/storage/memory-store.ts';
import type { ObjectStore } from '../src/storage/object-store.ts';
import { ProcessStore } from './world/store.ts';
import { SimWorld } from './world/world.ts';

const HOUR_MS = 3_600_000;

/** A store that counts the requests made to it. */
function counting(store: ObjectStore): { store: ObjectStore; requests: () => number } {
  let requests = 0;
  const counted = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        requests += 1;
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { store: counted, requests: () => requests };
}

test('I11: a database that nobody writes causes no request, and the next commit is uploaded', async () => {
  const world = new SimWorld(11);
  const app = world.application('/data/app.db');
  const process = world.process('millrace');
  const machine = world.machine(process);
  const memory = counting(new MemoryStore(world.outsideClock()));
  const events: ReplicateEvent[] = [];
  const archive = new Archive(new ProcessStore(process, memory.store));
  const stop = new AbortController();

  const onEvent = (event: ReplicateEvent): void => void events.push(event);
  const replicator = await world.run(Replicator.open(machine, app.path, archive, { onEvent }));
  const running = replicator.run(stop.signal);
  app.commit({ pages: [2, 3] });
  await world.run(world.clock.wait(10_000));
  const durable = events.filter(({ event }) => event === 'durable').length;
  assert.ok(durable > 0, 'the commits before the quiet are durable');

  const before = memory.requests();
  await world.run(world.clock.wait(HOUR_MS));
  assert.equal(memory.requests() - before, 0, 'an hour without a commit');

  app.commit({ pages: [2] });
  await world.run(world.clock.wait(10_000));
  assert.ok(memory.requests() > before, 'a commit after the quiet is noticed');
  assert.ok(events.filter(({ event }) => event === 'durable').length > durable);
  stop.abort();
  await world.run(running);
});

test('I9: after an outage that wrote more than may be held, all is made durable by difference', async () => {
  const world = new SimWorld(9);
  const app = world.application('/data/app.db', { autocheckpoint: 20 });
  const process = world.process('millrace');
  const machine = world.machine(process);
  const outside = world.outsideClock();
  const faulty = new FaultyStore(new MemoryStore(outside), outside, world.chance.fork('store'), NO_FAULTS);
  const archive = new Archive(new ProcessStore(process, faulty));
  const stop = new AbortController();
  const limits = { imageBytesMax: 8 * app.pageSize, sealBytesMax: 4 * app.pageSize };

  const replicator = await world.run(Replicator.open(machine, app.path, archive, limits));
  const running = replicator.run(stop.signal);
  await world.run(replicator.durable());
  faulty.faults = { ...NO_FAULTS, unavailable: 1 };
  for (let i = 0; i < 200; i++) {
    app.commit({ pages: [2, 3 + (i % 40)], size: Math.max(app.state.pages.length, 43) });
    await world.run(world.clock.wait(1_000));
  }
  faulty.faults = NO_FAULTS;
  const durable = await world.run(replicator.durable());
  assert.ok(durable !== null, 'what was written in the outage is durable after it');
  stop.abort();
  await world.run(running);
  const files = await archive.listAll();
  assert.ok(files.length < 50, `${files.length} objects: commits of the outage were folded`);
});
