/** A database that nobody has open: the time of its file's change is the only sign of another state. */

import { test } from 'node:test';

import { ReplicatorRig } from '../../test/support/replicator-rig.ts';

const TICK_MS = 10;

/** The clock of the file system ticks every 10 ms, as Linux's did before 6.13. */
function slowFileClock(rig: ReplicatorRig): void {
  const { databases } = rig.machine;
  const probe = databases.probe.bind(databases);
  databases.probe = (path) => {
    const seen = probe(path);
    if (seen.main === null) return seen;
    const mtimeMs = Math.floor(seen.main.mtimeMs / TICK_MS) * TICK_MS;
    return { ...seen, main: { ...seen.main, mtimeMs } };
  };
}

test('a change in the same tick of the file clock as the one before it is not missed', async () => {
  const rig = new ReplicatorRig(501);
  slowFileClock(rig);
  rig.app.close();
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.run(replicator.durable());
  await rig.world.clock.runFor(10_000 - rig.world.clock.nowMs);
  for (const page of [3, 4]) {
    rig.app.open();
    rig.app.commit({ pages: [page] });
    rig.app.close();
    await rig.world.clock.runFor(TICK_MS / 3);
  }
  await rig.world.clock.runFor(1_000);
  await rig.world.run(replicator.durable());
  await rig.assertCaughtUp();
  stop.abort();
  await rig.world.run(running);
});
