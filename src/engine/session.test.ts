/** What a session must not do to an archive when capture has lost its place. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DATABASE, ReplicatorRig } from '../../test/support/replicator-rig.ts';

test('images that were let go are not sealed without their pages', async () => {
  const rig = new ReplicatorRig(101);
  rig.app.commit({ pages: [2] });
  await rig.replicate();
  const replicator = await rig.open({ imageBytesMax: 2 * 512 });
  rig.app.commit({ pages: [2, 3, 4, 5], size: 8 });
  await rig.world.run(replicator.once());
  await rig.assertCaughtUp();
  await rig.world.run(replicator.close());
});

test('an empty log that another empty log took the place of is a gap', async () => {
  const rig = new ReplicatorRig(102);
  await rig.replicate();
  rig.restart();
  rig.app.commit({ pages: [3] });
  rig.app.close();
  rig.app.open();
  await rig.replicate();
  await rig.assertCaughtUp();
});

test('an index that a dead writer left torn is recovered through SQLite', async () => {
  const rig = new ReplicatorRig(103);
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.run(replicator.durable());
  assert.ok(rig.app.crashIn({ pages: [2] }, 'header half written'));
  await rig.world.run(replicator.durable());
  stop.abort();
  await rig.world.run(running);
  await rig.assertCaughtUp();
});

test('a log without an index is reported, and not asked about a thousand times a second', async () => {
  const rig = new ReplicatorRig(104);
  rig.app.commit({ pages: [2] });
  rig.app.crash();
  rig.machine.files.remove(`${DATABASE}-shm`);
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.clock.runFor(10_000);
  const before = rig.machine.process.calls.get('databases.probe') ?? 0;
  await rig.world.clock.runFor(60_000);
  const probes = (rig.machine.process.calls.get('databases.probe') ?? 0) - before;
  assert.ok(probes < 200, `${probes} looks in a minute`);
  assert.notEqual(rig.event('trouble'), undefined);
  rig.app.open();
  await rig.world.run(replicator.durable());
  stop.abort();
  await rig.world.run(running);
  await rig.assertCaughtUp();
});
