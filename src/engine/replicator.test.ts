/** The replicator's life on a simulated machine: starts, restarts, other writers, dead stores. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lintArchive } from '../../test/support/archive-lint.ts';
import { DATABASE, ReplicatorRig } from '../../test/support/replicator-rig.ts';
import { isFault } from '../base/fault.ts';
import { Replicator } from './replicator.ts';
import { stateDir } from './state.ts';

test('a database without an archive begins a lineage with a snapshot', async () => {
  const stage = new ReplicatorRig(1);
  await stage.replicate();
  assert.equal(stage.decision(), 'begin');
  const durable = stage.event('durable');
  assert.ok(durable?.event === 'durable' && durable.txid === 1n && durable.pages === 6);
  await stage.assertCaughtUp();
});

test('a restart whose log continues goes on without a difference', async () => {
  const stage = new ReplicatorRig(2);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  stage.restart();
  stage.app.commit({ pages: [3] });
  await stage.replicate();
  assert.equal(stage.decision(), 'resume');
  assert.equal(stage.event('gap'), undefined);
  const durable = stage.event('durable');
  assert.ok(durable?.event === 'durable' && durable.txid === 2n && durable.commits === 1);
  await stage.assertCaughtUp();
});

test('a restart whose log does not continue takes a difference, not a snapshot', async () => {
  const stage = new ReplicatorRig(3);
  await stage.replicate();
  stage.restart();
  stage.app.commit({ pages: [3] });
  stage.app.checkpoint('truncate');
  stage.app.commit({ pages: [4] });
  await stage.replicate();
  assert.notEqual(stage.event('gap'), undefined);
  const durable = stage.event('durable');
  assert.ok(durable?.event === 'durable' && durable.pages === 2);
  await stage.assertCaughtUp();
});

test('nothing is uploaded where nothing was committed', async () => {
  const stage = new ReplicatorRig(4);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  stage.restart();
  await stage.replicate();
  assert.equal(stage.event('durable'), undefined);
  assert.equal((await stage.archive.list(0)).length, 1);
});

test('a seal whose PUT never arrived is sealed again', async () => {
  const stage = new ReplicatorRig(5);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  stage.restart();
  stage.app.commit({ pages: [3] });
  const replicator = await stage.open();
  stage.store.faults = { ...stage.store.faults, unavailable: 1 };
  await stage.world.run(Promise.race([replicator.once(), stage.machine.clock.sleep(2_000)]));
  stage.restart();
  stage.store.faults = { ...stage.store.faults, unavailable: 0 };
  stage.app.commit({ pages: [4] });
  await stage.replicate();
  assert.equal(stage.decision(), 'resume');
  assert.equal((await stage.archive.list(0)).length, 2);
  await stage.assertCaughtUp();
});

test('a seal whose PUT arrived and whose answer was lost is our own', async () => {
  const stage = new ReplicatorRig(6);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  stage.restart();
  stage.app.commit({ pages: [3] });
  const replicator = await stage.open();
  stage.store.faults = { ...stage.store.faults, lostAnswer: 1 };
  await stage.world.run(Promise.race([replicator.once(), stage.machine.clock.sleep(2_000)]));
  assert.ok(stage.store.counts.lostAnswer > 0);
  stage.store.faults = { ...stage.store.faults, lostAnswer: 0 };
  stage.restart();
  await stage.replicate();
  assert.equal(stage.decision(), 'resume');
  assert.equal(stage.event('durable'), undefined, 'there is nothing to upload twice');
  await stage.assertCaughtUp();
});

test('an answer that is lost to a running process is recognised by epoch and checksum', async () => {
  const stage = new ReplicatorRig(7);
  stage.store.faults = { ...stage.store.faults, lostAnswer: 0.5 };
  for (let i = 0; i < 5; i++) {
    stage.app.commit({ pages: [2] });
    const replicator = await stage.open().catch(() => null);
    if (replicator === null) continue;
    await stage.world.run(replicator.once());
    await stage.world.run(replicator.close());
  }
  stage.store.faults = { ...stage.store.faults, lostAnswer: 0 };
  await stage.replicate();
  await stage.assertCaughtUp();
});

test('without a state, a database that is the head of the archive is adopted', async () => {
  const stage = new ReplicatorRig(8);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  stage.restart();
  for (const name of ['identity.json', 'pages']) stage.machine.files.remove(`${stateDir(DATABASE)}/${name}`);
  await stage.replicate();
  assert.equal(stage.decision(), 'compare');
  assert.equal((await stage.archive.list(0)).length, 1);
  stage.app.commit({ pages: [3] });
  await stage.replicate();
  await stage.assertCaughtUp();
});

test('without a state, a database whose main file is the head went on from there', async () => {
  const stage = new ReplicatorRig(16);
  stage.app.commit({ pages: [2] });
  stage.app.checkpoint('truncate');
  await stage.replicate();
  stage.restart();
  for (const name of ['identity.json', 'pages']) stage.machine.files.remove(`${stateDir(DATABASE)}/${name}`);
  stage.app.commit({ pages: [3, 4] });
  await stage.replicate();
  assert.equal(stage.decision(), 'compare');
  const durable = stage.event('durable');
  assert.ok(durable?.event === 'durable' && durable.pages === 2);
  await stage.assertCaughtUp();
});

test('without a state, another database is refused, and --continue makes it the next state', async () => {
  const stage = new ReplicatorRig(9);
  await stage.replicate();
  stage.restart();
  for (const name of ['identity.json', 'pages']) stage.machine.files.remove(`${stateDir(DATABASE)}/${name}`);
  stage.app.commit({ pages: [3, 4] });
  stage.app.checkpoint('passive');
  await assert.rejects(
    stage.open(),
    (error) => isFault(error, 'conflict') && error.code === 'database-differs',
  );
  assert.equal((await stage.archive.list(0)).length, 1, 'nothing was written');
  await stage.replicate({ adopt: 'continue' });
  assert.equal((await stage.archive.list(0)).length, 2);
  await stage.assertCaughtUp();
});

test('records that a power loss took are replayed from our own objects', async () => {
  const stage = new ReplicatorRig(10);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  const pages = `${stateDir(DATABASE)}/pages`;
  const fd = stage.machine.files.open(pages, 'read');
  const before = stage.machine.files.size(fd);
  stage.machine.files.close(fd);
  stage.app.commit({ pages: [3], size: 9 });
  const replicator = await stage.open();
  await stage.world.run(replicator.once());
  stage.app.commit({ pages: [4], size: 7 });
  await stage.world.run(replicator.once());
  stage.restart();
  const cut = stage.machine.files.open(pages, 'write');
  stage.machine.files.truncate(cut, before);
  stage.machine.files.close(cut);
  await stage.replicate();
  assert.equal(stage.decision(), 'replay');
  stage.app.commit({ pages: [5] });
  await stage.replicate();
  await stage.assertCaughtUp();
});

test('of two writers of one archive the second is stopped by name, and the chain stays whole', async () => {
  const stage = new ReplicatorRig(11);
  stage.app.commit({ pages: [2] });
  await stage.replicate();
  const first = await stage.open();
  // A copy of the same database, elsewhere, without state: it is the head, so it may go on.
  const other = new ReplicatorRig(11);
  other.app.commit({ pages: [2] });
  const copy = await other.world.run(Replicator.open(other.machine, DATABASE, stage.archive));
  other.app.commit({ pages: [3] });
  await other.world.run(copy.once());
  stage.app.commit({ pages: [4] });
  await assert.rejects(
    stage.world.run(first.once()),
    (error) => isFault(error, 'fenced') && error.hint !== undefined,
  );
  assert.deepEqual(await lintArchive(stage.archive), []);
  assert.equal((await stage.archive.list(0)).length, 2);
});

test('a second process for the same database is refused', async () => {
  const stage = new ReplicatorRig(12);
  await stage.open();
  const second = stage.world.machine(stage.world.process('second'));
  await assert.rejects(
    stage.world.run(Replicator.open(second, DATABASE, stage.archive)),
    (error) => isFault(error, 'conflict') && error.code === 'already-replicated',
  );
});

test('a dead store costs bounded memory, and what was let go is healed by one difference', async () => {
  const stage = new ReplicatorRig(13);
  await stage.replicate();
  const replicator = await stage.open({ imageBytesMax: 4 * 512, sealBytesMax: 1024 });
  stage.store.faults = { ...stage.store.faults, unavailable: 1 };
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await stage.world.run(
    (async () => {
      for (let i = 0; i < 40; i++) {
        stage.app.commit({ pages: [2, 3, 4, 5, 6], size: 6 + (i % 5) });
        await stage.machine.clock.sleep(100);
      }
      stage.store.faults = { ...stage.store.faults, unavailable: 0 };
      await replicator.durable();
      stop.abort();
      await running;
    })(),
  );
  assert.ok((await stage.archive.list(0)).length < 8, 'commits of the outage were folded together');
  await stage.assertCaughtUp();
});

test('whoever waits for durability gets everything that was committed before he asked', async () => {
  const stage = new ReplicatorRig(14);
  const replicator = await stage.open({ uploadIntervalMs: 60_000 });
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await stage.world.run(
    (async () => {
      for (let i = 0; i < 10; i++) {
        stage.app.commit({ pages: [2] });
        await replicator.durable();
        const pages = await stage.restored();
        assert.ok(stage.app.history.find(pages).includes(stage.app.state.index));
        await stage.machine.clock.sleep(30);
      }
      stop.abort();
      await running;
    })(),
  );
});

test('a database that an archive holds and that is missing here is to be restored, never begun', async () => {
  const stage = new ReplicatorRig(15);
  await stage.replicate();
  stage.restart();
  stage.app.crash();
  for (const suffix of ['', '-wal', '-shm']) stage.machine.files.remove(`${DATABASE}${suffix}`);
  await assert.rejects(
    stage.open(),
    (error) =>
      isFault(error, 'invalid') &&
      error.code === 'database-missing' &&
      /millrace restore/.test(error.hint ?? ''),
  );
});
