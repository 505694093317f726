/** Whose objects and whose file: what a start takes for its own, and what it does not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DATABASE, ReplicatorRig } from '../../test/support/replicator-rig.ts';
import { text, utf8 } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { fileRead, fileReplace } from '../base/file-replace.ts';
import { Replicator } from './replicator.ts';
import { stateDir } from './state.ts';

test('a first snapshot that arrives after its writer died is our own, and is followed', async () => {
  const rig = new ReplicatorRig(401);
  const first = await rig.open();
  const put = rig.store.put.bind(rig.store);
  const sent = Promise.withResolvers<() => Promise<unknown>>();
  rig.store.put = (...request) => {
    sent.resolve(() => put(...request));
    return new Promise(() => {});
  };
  first.once().catch(() => {});
  const arrive = await rig.world.run(sent.promise);
  rig.restart();
  rig.store.put = put;
  rig.app.commit({ pages: [3] });
  const second = await rig.open();
  assert.equal(rig.decision(), 'begin');
  await arrive();
  await rig.world.run(second.once());
  await rig.world.run(second.close());
  await rig.assertCaughtUp();
});

test('an identity that arrives after its writer died is our own', async () => {
  const rig = new ReplicatorRig(406);
  const put = rig.store.put.bind(rig.store);
  const sent = Promise.withResolvers<() => Promise<unknown>>();
  rig.store.put = (...request) => {
    sent.resolve(() => put(...request));
    return new Promise(() => {});
  };
  rig.open().catch(() => {});
  const arrive = await rig.world.run(sent.promise);
  rig.restart();
  rig.store.put = async (...request) => {
    await arrive();
    return await put(...request);
  };
  await rig.replicate();
  await rig.assertCaughtUp();
});

test('a twin that was stopped stays stopped when it starts again', async () => {
  const rig = new ReplicatorRig(407);
  const twin = new ReplicatorRig(407);
  await rig.replicate();
  await twin.world.run(twin.machine.files.mkdir(stateDir(DATABASE)));
  for (const name of ['identity.json', 'pages']) {
    const path = `${stateDir(DATABASE)}/${name}`;
    const bytes = fileRead(rig.machine.files, path) ?? new Uint8Array(0);
    await twin.world.run(fileReplace(twin.machine.files, path, [bytes]));
  }
  const first = await rig.open();
  const second = await twin.world.run(Replicator.open(twin.machine, DATABASE, rig.archive));
  rig.app.commit({ pages: [3] });
  await rig.world.run(first.once());
  twin.app.commit({ pages: [4] });
  await assert.rejects(twin.world.run(second.once()), (error) => isFault(error, 'fenced'));
  await twin.world.run(second.close());
  const again = Replicator.open(twin.machine, DATABASE, rig.archive);
  await assert.rejects(twin.world.run(again), (error) => isFault(error, 'conflict'));
  await rig.assertCaughtUp();
});

test('a copied database with a copied state does not take the original for a writer of its own', async () => {
  const rig = new ReplicatorRig(402);
  await rig.replicate();
  const original = await rig.open();
  const copy = new ReplicatorRig(402);
  await copy.world.run(copy.machine.files.mkdir(stateDir(DATABASE)));
  for (const name of ['identity.json', 'pages']) {
    const path = `${stateDir(DATABASE)}/${name}`;
    const bytes = fileRead(rig.machine.files, path) ?? new Uint8Array(0);
    const isIdentity = name === 'identity.json';
    const moved = isIdentity ? utf8(text(bytes).replace(/"ino": "\d+"/, '"ino": "999999"')) : bytes;
    await copy.world.run(fileReplace(copy.machine.files, path, [moved]));
  }
  const clone = await copy.world.run(Replicator.open(copy.machine, DATABASE, rig.archive));
  rig.app.commit({ pages: [3] });
  await rig.world.run(original.once());
  copy.app.commit({ pages: [4] });
  await assert.rejects(
    copy.world.run(clone.once()),
    (error) => isFault(error, 'fenced') && error.code === 'foreign-writer',
  );
  await rig.assertCaughtUp();
});

/** What ends a replicator after somebody wrote `bytes` into the header of a database that nobody had open. */
async function endingAfterHeader(rig: ReplicatorRig, bytes: Uint8Array, at: number): Promise<unknown> {
  rig.app.close();
  const replicator = await rig.open();
  let outcome: unknown = null;
  replicator.run(new AbortController().signal).catch((error: unknown) => (outcome = error));
  await rig.world.run(replicator.durable());
  const { files } = rig.machine;
  const fd = files.open(DATABASE, 'write');
  files.write(fd, bytes, at);
  await rig.world.clock.runFor(60_000);
  files.close(fd);
  assert.equal((await rig.archive.list(0)).length, 1, 'nothing was sealed');
  return outcome;
}

test('a database that left WAL mode while nobody had it open is not read as if it were at rest', async () => {
  const outcome = await endingAfterHeader(new ReplicatorRig(403), Uint8Array.of(1, 1), 18);
  assert.ok(isFault(outcome, 'invalid') && outcome.code === 'not-wal');
});

test('a database whose page size changed while nobody had it open ends the chain by name', async () => {
  const outcome = await endingAfterHeader(new ReplicatorRig(404), Uint8Array.of(4, 0), 16);
  assert.ok(isFault(outcome, 'conflict') && outcome.code === 'page-size-changed');
});

test('an index that was deleted under us is not followed any more', async () => {
  const rig = new ReplicatorRig(405);
  const replicator = await rig.open();
  const stop = new AbortController();
  const running = replicator.run(stop.signal);
  await rig.world.run(replicator.durable());
  rig.app.crash();
  rig.machine.files.remove(`${DATABASE}-shm`);
  rig.app.open();
  rig.app.commit({ pages: [3] });
  await rig.world.clock.runFor(20_000);
  await rig.assertCaughtUp();
  stop.abort();
  await rig.world.run(running);
});
