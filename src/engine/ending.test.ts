/** The end of a replicator: what it claims, and what it leaves behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ReplicatorRig } from '../../test/support/replicator-rig.ts';
import { isFault } from '../base/fault.ts';

const isNotDurable = (error: unknown): boolean =>
  isFault(error, 'unavailable') && error.code === 'not-durable';

test('`once` that is interrupted does not claim that all is durable', async () => {
  const rig = new ReplicatorRig(301);
  await rig.replicate();
  rig.app.commit({ pages: [3] });
  const replicator = await rig.open();
  rig.store.faults = { ...rig.store.faults, unavailable: 1 };
  const stop = new AbortController();
  const once = assert.rejects(replicator.once(stop.signal), isNotDurable);
  await rig.world.clock.runFor(1_000);
  stop.abort();
  await rig.world.run(once);
  await rig.world.run(replicator.close());
});

test('`close` ends a `run` that is at work, and nothing is opened again behind it', async () => {
  const rig = new ReplicatorRig(302);
  const replicator = await rig.open();
  const running = replicator.run(new AbortController().signal).catch((error: unknown) => error);
  await rig.world.clock.runFor(1_000);
  rig.app.commit({ pages: [3] });
  await rig.world.run(replicator.close());
  assert.ok(isNotDurable(await rig.world.run(running)));
  await rig.world.clock.runFor(60_000);
  const next = await rig.open();
  await rig.world.run(next.once());
  await rig.assertCaughtUp();
});

test('a replicator does one thing at a time', async () => {
  const rig = new ReplicatorRig(303);
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await assert.rejects(rig.world.run(replicator.once()), { name: 'Bug' });
  stop.abort();
  await rig.world.run(running);
  await rig.assertCaughtUp();
});

test('a drain that fails ends at once, and with it all that it waited for', async () => {
  const rig = new ReplicatorRig(304);
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = assert.rejects(replicator.run(stop.signal), (error) => isFault(error, 'invalid'));
  await rig.world.run(replicator.durable());
  rig.store.faults = { ...rig.store.faults, isReadOnly: true };
  rig.app.commit({ pages: [3] });
  const sleeping = new Set<symbol>();
  const { clock } = rig.machine;
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms, signal): Promise<void> => {
    const nap = Symbol();
    sleeping.add(nap);
    await sleep(ms, signal);
    sleeping.delete(nap);
  };
  stop.abort();
  await rig.world.run(running);
  assert.equal(sleeping.size, 0);
});

test('a reading that takes long does not outlast the end', async () => {
  const rig = new ReplicatorRig(305, 4096);
  const { databases } = rig.machine;
  const open = databases.open.bind(databases);
  databases.open = (path) => {
    const handle = open(path);
    const readMain = handle.readMain.bind(handle);
    // A slow disk.
    handle.readMain = (into, at) => {
      if (into.length > 512) rig.world.clock.spend(20_000);
      return readMain(into, at);
    };
    return handle;
  };
  const replicator = await rig.open({ drainMs: 1_000 });
  const stop = new AbortController();
  const running = assert.rejects(replicator.run(stop.signal), isNotDurable);
  stop.abort();
  await rig.world.run(running);
  assert.ok(rig.world.clock.nowMs < 100_000, `it ended after ${rig.world.clock.nowMs} ms`);
});
