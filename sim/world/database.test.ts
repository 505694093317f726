/** The model of SQLite does what experiments with SQLite showed: one test a hazard. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  WAL_FRAME_HEADER_BYTES,
  frameOffset,
  walFrameDecode,
  walHeaderDecode,
} from '../../src/format/wal.ts';
import type { WalHeader } from '../../src/format/wal.ts';
import { walVerify } from '../../src/format/kernel.ts';
import { SqliteConnection } from './sqlite-connection.ts';
import type { SqliteApplication } from './database.ts';
import type { IndexHeader } from './shm.ts';
import { SimWorld } from './world.ts';
import type { SimMachine } from './world.ts';

const PATH = '/data/app.db';

function start(options: Parameters<SimWorld['application']>[1] = {}): {
  app: SqliteApplication;
  machine: SimMachine;
} {
  const world = new SimWorld(1);
  const app = world.application(PATH, options);
  return { app, machine: world.machine(world.process('observer')) };
}

function header(app: SqliteApplication): IndexHeader {
  const found = app.connection.shm.header();
  assert.ok(found !== null);
  return found;
}

function log(app: SqliteApplication): Uint8Array {
  return app.connection.files.wal.content();
}

/** All frames that continue the chain from the log's header, whatever the index says. */
function chained(app: SqliteApplication): number {
  const bytes = log(app);
  const first = walHeaderDecode(bytes) as WalHeader;
  return walVerify(bytes.subarray(32), first).frames;
}

test('every commit adds one to iChange; a rollback, a checkpoint or no change adds nothing', () => {
  const { app } = start();
  app.commit({ pages: [2] });
  const { iChange } = header(app);
  app.commit({ pages: [2], spill: [[3, 4], [3]] });
  app.commit({ pages: [], size: 9 });
  app.commit({ pages: [1], size: 3 });
  assert.equal(header(app).iChange, iChange + 3);
  app.rollback({ pages: [2], spill: [[2, 3]] });
  assert.equal(app.commit({ pages: [] }), 'nothing');
  app.checkpoint('passive');
  assert.equal(header(app).iChange, iChange + 3);
});

test('a page written twice in one transaction is overwritten in place, and the chain holds', () => {
  const { app } = start();
  app.commit({ pages: [2], spill: [[3, 4], [3]] });
  assert.equal(header(app).mxFrame, 3);
  assert.equal(chained(app), 3);
});

test('a full backfill lets the next commit restart the log; old frames stay behind', () => {
  const { app } = start();
  for (let i = 0; i < 3; i++) app.commit({ pages: [2, 3] });
  const before = header(app);
  app.checkpoint('passive');
  assert.deepEqual(header(app), before);
  app.commit({ pages: [2] });
  const after = header(app);
  assert.equal(after.salt1, (before.salt1 + 1) >>> 0);
  assert.notEqual(after.salt2, before.salt2);
  assert.equal(after.mxFrame, 1);
  assert.equal(walFrameDecode(log(app), frameOffset(1, app.pageSize)).salt1, before.salt1);
});

test('TRUNCATE adds one to salt-1 each time; a fresh connection then draws both salts (D2)', () => {
  const { app } = start();
  app.commit({ pages: [2] });
  const before = header(app);
  app.checkpoint('truncate');
  app.checkpoint('truncate');
  assert.equal(header(app).salt1, (before.salt1 + 2) >>> 0);
  assert.equal(log(app).length, 0);
  app.freshConnection();
  app.commit({ pages: [2] });
  const after = header(app);
  assert.notEqual(after.salt1, (before.salt1 + 2) >>> 0);
  assert.equal(walHeaderDecode(log(app))?.sequence, 0);
  assert.equal(after.iChange, before.iChange + 1);
});

test('padding repeats the commit frame up to the sector, and counts once (B1)', () => {
  const { app } = start();
  const { iChange } = header(app);
  app.commitPadded({ pages: [2] });
  const { mxFrame } = header(app);
  assert.equal(header(app).iChange, iChange + 1);
  assert.ok(mxFrame > 1);
  const [one, two] = [0, 1].map((i) => walFrameDecode(log(app), frameOffset(i, app.pageSize)));
  assert.equal(one?.pgno, two?.pgno);
  assert.equal(one?.commit, two?.commit);
});

test('a ghost is whole and chained behind the end of the log, and is no state (B2)', () => {
  const { app } = start();
  app.commit({ pages: [2] });
  const before = header(app);
  app.ghost({ pages: [3] });
  assert.deepEqual(header(app), before);
  assert.equal(chained(app), before.mxFrame + 1);
  assert.equal(app.history.states.length, 2);
  app.commit({ pages: [4] });
  assert.equal(chained(app), header(app).mxFrame);
});

test('a recovery begins at iChange 0 with the salts as they were, and brings a ghost to light (B3)', () => {
  const { app, machine } = start();
  app.commit({ pages: [2] });
  app.ghost({ pages: [3] });
  const before = header(app);
  const handle = machine.databases.open(PATH);
  handle.attach();
  app.recover();
  const after = header(app);
  assert.equal(after.iChange, 0);
  assert.deepEqual([after.salt1, after.salt2], [before.salt1, before.salt2]);
  assert.equal(after.mxFrame, before.mxFrame + 1);
  assert.equal(app.history.states.length, 3);
});

test('a pin on a backfilled log stops backfill only; any other stops restarts and TRUNCATE (B4)', () => {
  const { app, machine } = start();
  const handle = machine.databases.open(PATH);
  handle.attach();
  app.commit({ pages: [2] });
  app.checkpoint('passive');
  handle.pin();
  const before = header(app);
  app.commit({ pages: [2] });
  assert.notEqual(header(app).salt1, before.salt1);
  assert.equal(app.checkpoint('passive').backfilled, 0);
  handle.unpin();
  handle.pin();
  app.commit({ pages: [3] });
  assert.equal(app.checkpoint('passive').backfilled, 1);
  assert.equal(app.checkpoint('truncate').isBusy, true);
  assert.equal(header(app).mxFrame, 2);
});

test('a commit that spilled and then shrank has frames beyond its size (B6)', () => {
  const { app } = start({ sizePages: 6 });
  app.spillThenShrink(3);
  const frames = Array.from({ length: header(app).mxFrame }, (_, i) => {
    return walFrameDecode(log(app), frameOffset(i, app.pageSize)).pgno;
  });
  assert.ok(frames.some((pgno) => pgno > header(app).nPage));
  assert.equal(app.state.pages.length, 3);
});

test('who opens alone recovers what was complete; who opens beside another goes by the index', () => {
  for (const isObserved of [false, true]) {
    const { app, machine } = start();
    if (isObserved) machine.databases.open(PATH).attach();
    assert.ok(app.crashIn({ pages: [3] }, 'commit fsynced'));
    app.open();
    assert.equal(app.history.states.length, isObserved ? 1 : 2);
  }
});

test('a power failure takes what was not fsynced, and the model says where the database is then', () => {
  const world = new SimWorld(3);
  const app = world.application(PATH, { synchronous: 'off' });
  for (let i = 0; i < 5; i++) app.commit({ pages: [2] });
  world.losePower();
  app.open();
  assert.ok(app.state.index <= 5);
  app.commit({ pages: [3] });
  assert.equal(app.state.index, 6);
});

test('the last to close leaves one file; beside an observer the log stays', () => {
  for (const isObserved of [false, true]) {
    const { app, machine } = start();
    app.commit({ pages: [2] });
    if (isObserved) machine.databases.open(PATH).attach();
    app.close();
    assert.equal(app.disk.lookup(`${PATH}-wal`) !== undefined, isObserved);
  }
});

test('a reader sees its own snapshot while the log grows and is copied', () => {
  const { app } = start();
  app.commit({ pages: [2, 3] });
  const reader = new SqliteConnection(app.disk, PATH, 'reader');
  reader.open({ mode: 0o644, uid: 1000, gid: 1000 });
  reader.beginRead();
  const page = reader.readPage(2);
  for (let i = 0; i < 4; i++) app.commit({ pages: [2] });
  app.checkpoint('full');
  assert.deepEqual(reader.readPage(2), page);
  assert.equal(page.length, frameOffset(1, app.pageSize) - 32 - WAL_FRAME_HEADER_BYTES);
});
