/** What waiting for a database costs, and what it survives. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DATABASE, ReplicatorRig } from '../../test/support/replicator-rig.ts';
import { isFault } from '../base/fault.ts';
import { Archive } from '../storage/archive.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { Replicator } from './replicator.ts';

/** Takes the database's files away. */
function removeDatabase(rig: ReplicatorRig): void {
  if (rig.app.isOpen) rig.app.crash();
  for (const suffix of ['', '-wal', '-shm']) rig.machine.files.remove(`${DATABASE}${suffix}`);
}

test('I11: waiting for a database asks the archive once, and says so once', async () => {
  const rig = new ReplicatorRig(201);
  removeDatabase(rig);
  let lists = 0;
  const list: ObjectStore['list'] = async (prefix, after) => {
    lists++;
    return await rig.store.list(prefix, after);
  };
  const archive = new Archive(Object.assign(Object.create(rig.store) as ObjectStore, { list }));
  const reasons: string[] = [];
  const replicator = await rig.world.run(
    Replicator.open(rig.machine, DATABASE, archive, {
      onEvent: (event) => void (event.event === 'waiting' && reasons.push(event.reason)),
    }),
  );
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.clock.runFor(600_000);
  stop.abort();
  await rig.world.run(running);
  assert.equal(lists, 1);
  assert.equal(reasons.length, 1);
});

test('a database that is written in rollback-journal mode is not waited for without end', async () => {
  const rig = new ReplicatorRig(202);
  rig.app.close();
  const files = rig.machine.files;
  const fd = files.open(DATABASE, 'write');
  files.write(fd, Uint8Array.of(1, 1), 18);
  const replicator = await rig.open();
  assert.equal(replicator.status().state, 'waiting');
  let outcome: unknown = null;
  replicator.run(new AbortController().signal).catch((error: unknown) => (outcome = error));
  for (let second = 0; second < 30; second++) {
    await rig.world.clock.runFor(1_000);
    files.write(fd, Uint8Array.of(1), 18);
  }
  files.close(fd);
  assert.ok(isFault(outcome, 'invalid') && outcome.code === 'not-wal');
});

test('an application that turns to exclusive use for a while does not end replication', async () => {
  const rig = new ReplicatorRig(203);
  rig.app.close();
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.run(replicator.durable());
  rig.app.open();
  assert.ok(rig.app.goExclusive());
  await rig.world.clock.runFor(20_000);
  const trouble = rig.event('trouble');
  assert.ok(trouble?.event === 'trouble' && trouble.code === 'database-exclusive');
  rig.app.close();
  rig.app.open();
  rig.app.commit({ pages: [3] });
  await rig.world.run(replicator.durable());
  stop.abort();
  await rig.world.run(running);
  await rig.assertCaughtUp();
});

test('an application that closes between the look and the connecting leaves a database at rest', async () => {
  const rig = new ReplicatorRig(204);
  const { databases } = rig.machine;
  const probe = databases.probe.bind(databases);
  databases.probe = (path) => {
    const seen = probe(path);
    if (rig.app.isOpen) rig.app.close();
    return seen;
  };
  await rig.replicate();
  await rig.assertCaughtUp();
});
