/** What `durable` promises to those who wait while the replicator has troubles of its own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault, isFault } from '../base/fault.ts';
import { ReplicatorRig } from '../../test/support/replicator-rig.ts';

test('whoever waits for durability while the store is out of reach waits until it is back', async () => {
  const rig = new ReplicatorRig(201);
  await rig.replicate();
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  rig.store.faults = { ...rig.store.faults, unavailable: 1 };
  rig.app.commit({ pages: [3] });
  let isDurable = false;
  const waiting = replicator.durable().then(() => (isDurable = true));
  await rig.world.clock.runFor(120_000);
  assert.equal(isDurable, false, 'nothing can be durable');
  rig.store.faults = { ...rig.store.faults, unavailable: 0 };
  await rig.world.run(waiting);
  await rig.assertCaughtUp();
  stop.abort();
  await rig.world.run(running);
});

test('whoever waits for durability when a session breaks waits for the session that follows', async () => {
  const rig = new ReplicatorRig(203);
  await rig.replicate();
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  const { files } = rig.machine;
  const write = files.write.bind(files);
  files.write = (): never => {
    files.write = write;
    throw new Fault('unavailable', 'disk-full', 'no space is left for the record of a seal');
  };
  rig.app.commit({ pages: [3] });
  await rig.world.run(replicator.durable());
  await rig.assertCaughtUp();
  assert.equal(rig.event('trouble')?.event, 'trouble', 'the session did break');
  stop.abort();
  await rig.world.run(running);
});

test('whoever waits for durability when the replicator is closed is told that it did not come', async () => {
  const rig = new ReplicatorRig(202);
  await rig.replicate();
  const replicator = await rig.open({ drainMs: 1_000 });
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  rig.store.faults = { ...rig.store.faults, unavailable: 1 };
  rig.app.commit({ pages: [3] });
  const waiting = replicator.durable();
  const outcome = assert.rejects(
    waiting,
    (error) => isFault(error, 'unavailable') && error.code === 'not-durable',
  );
  stop.abort();
  await assert.rejects(rig.world.run(running));
  await rig.world.run(outcome);
});
