/** Noticing: an event of the watch may come before the commit that it is of can be seen. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DATABASE, ReplicatorRig } from '../../test/support/replicator-rig.ts';
import type { Databases } from '../base/ports.ts';

test('a commit that is published after its event is noticed soon, also in a quiet time', async () => {
  const rig = new ReplicatorRig(1);
  const { databases } = rig.machine;
  let hear = (): void => {};
  const deaf: Databases = {
    probe: (path) => databases.probe(path),
    open: (path) => databases.open(path),
    settle: (path) => databases.settle(path),
    watch: (_path, onChange) => {
      hear = onChange;
      return { close() {} };
    },
  };
  rig.machine = Object.assign(Object.create(rig.machine) as typeof rig.machine, { databases: deaf });
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.run(rig.world.clock.wait(60_000));
  assert.equal(rig.event('durable')?.event, 'durable', `${DATABASE} has its snapshot`);
  for (const publishedMs of [1, 20, 300]) {
    rig.events.length = 0;
    hear();
    await rig.world.run(rig.world.clock.wait(publishedMs));
    rig.app.commit({ pages: [2] });
    await rig.world.run(rig.world.clock.wait(2 * publishedMs + 1_500));
    assert.notEqual(rig.event('durable'), undefined, `published ${publishedMs} ms after its event`);
    await rig.world.run(rig.world.clock.wait(60_000));
  }
  stop.abort();
  await rig.world.run(running);
});
