/** The Databases contract: what an observer sees, and what the application notices of it. */

import assert from 'node:assert/strict';

import { bytesEqual, utf8, view } from '../../src/base/bytes.ts';
import { readAll, readMain, readShm, type DatabasesCase } from './databases-case.ts';

export const ATTACHED: readonly DatabasesCase[] = [
  {
    title: 'commits show in the -shm, and their frames in the -wal',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(1);
      const handle = databases.open(path);
      handle.attach();
      const before = readShm(handle);
      await app.commit(3);
      const after = readShm(handle);
      assert.ok(after.mxFrame >= before.mxFrame + 3);
      assert.equal(after.salts, before.salts);
      const header = readAll((into, at) => handle.readWal(into, at), 32);
      assert.equal(view(header).getUint32(0) & 0xffff_fffe, 0x377f_0682);
      assert.equal([...header.subarray(16, 24)].join(), after.salts);
      const pageSize = view(header).getUint32(8);
      const frame = new Uint8Array(24 + pageSize);
      assert.equal(handle.readWal(frame, 32 + (after.mxFrame - 1) * frame.length), frame.length);
      assert.ok(view(frame).getUint32(4) > 0, 'the last frame is a commit');
      handle.close();
      await app.kill();
    },
  },
  {
    title: 'a read ends with the file',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(1);
      const handle = databases.open(path);
      handle.attach();
      const into = new Uint8Array(64);
      const size = databases.probe(path).wal?.size ?? 0;
      assert.equal(handle.readWal(into, size - 5), 5);
      assert.equal(handle.readWal(into, size), 0);
      assert.equal(handle.readMain(into, handle.mainSize() - 7), 7);
      assert.equal(handle.readMain(into, handle.mainSize() + 1_000), 0);
      handle.close();
      await app.kill();
    },
  },
  {
    title: 'the main file can be read before attaching',
    async body({ databases, application }, path) {
      const app = await application(path);
      const handle = databases.open(path);
      const magic = readAll((into, at) => handle.readMain(into, at), 16);
      assert.ok(bytesEqual(magic, utf8('SQLite format 3\0')));
      assert.equal(handle.mainSize(), databases.probe(path).main?.size);
      handle.close();
      await app.kill();
    },
  },
  {
    title: 'an attached observer is in nobody’s way: commits, checkpoints, TRUNCATE, a second application',
    async body({ databases, application }, path) {
      const app = await application(path);
      const handle = databases.open(path);
      handle.attach();
      await app.commit(2);
      assert.deepEqual((await app.checkpoint('PASSIVE')).busy, false);
      assert.equal(readShm(handle).backfilled, readShm(handle).mxFrame);
      await app.commit(2);
      assert.equal((await app.checkpoint('TRUNCATE')).busy, false);
      assert.equal(databases.probe(path).wal?.size, 0);
      const other = await application(path);
      await other.commit(1);
      await app.commit(1);
      assert.ok(readShm(handle).mxFrame >= 2);
      assert.equal(databases.probe(path).wal?.ino, handle.wal?.ino);
      handle.close();
      await other.kill();
      await app.kill();
    },
  },
  {
    title: 'a clean close of the application leaves the -wal while an observer is attached',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(2);
      const handle = databases.open(path);
      handle.attach();
      await app.close();
      assert.equal(databases.probe(path).wal?.ino, handle.wal?.ino);
      assert.ok(readShm(handle).mxFrame >= 2);
      handle.close();
      assert.notEqual(databases.probe(path).wal, null);
    },
  },
  {
    title: 'a killed application leaves everything readable, and another goes on in the same files',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(2);
      const handle = databases.open(path);
      handle.attach();
      const { mxFrame } = readShm(handle);
      await app.kill();
      assert.equal(readShm(handle).mxFrame, mxFrame);
      const next = await application(path);
      await next.commit(1);
      assert.ok(readShm(handle).mxFrame > mxFrame);
      handle.close();
      await next.kill();
    },
  },
  {
    title: 'what a dead application left can be attached',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(2);
      await app.kill();
      const handle = databases.open(path);
      handle.attach();
      assert.ok(readShm(handle).mxFrame >= 2);
      handle.close();
    },
  },
  {
    title: 'the locks of the connection stand, as far as the system shows them',
    async body({ databases, application }, path) {
      const app = await application(path);
      const handle = databases.open(path);
      handle.attach();
      assert.notEqual(handle.locksHeld(), false);
      handle.pin();
      assert.notEqual(handle.locksHeld(), false);
      handle.unpin();
      assert.notEqual(handle.locksHeld(), false);
      handle.close();
      await app.kill();
    },
  },
];

export const PINNED: readonly DatabasesCase[] = [
  {
    title: 'a pin on a log that is not backfilled keeps the log from being restarted',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(2);
      const handle = databases.open(path);
      handle.attach();
      const before = readShm(handle);
      handle.pin();
      await app.commit(1);
      assert.equal((await app.checkpoint('TRUNCATE')).busy, true);
      await app.commit(1);
      const after = readShm(handle);
      assert.equal(after.salts, before.salts);
      assert.ok(after.mxFrame >= before.mxFrame + 2);
      handle.unpin();
      assert.equal((await app.checkpoint('TRUNCATE')).busy, false);
      handle.close();
      await app.kill();
    },
  },
  {
    title: 'a pin on a log that is backfilled freezes the main file, and not the log',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(2);
      const handle = databases.open(path);
      handle.attach();
      await app.checkpoint('PASSIVE');
      const before = readShm(handle);
      assert.equal(before.backfilled, before.mxFrame);
      handle.pin();
      await app.commit(1);
      const after = readShm(handle);
      assert.notEqual(after.salts, before.salts, 'the log was restarted');
      const main = readMain(handle);
      await app.checkpoint('PASSIVE');
      assert.equal(readShm(handle).backfilled, 0);
      assert.ok(bytesEqual(readMain(handle), main));
      handle.unpin();
      await app.checkpoint('PASSIVE');
      assert.equal(readShm(handle).backfilled, after.mxFrame);
      handle.close();
      await app.kill();
    },
  },
  {
    title: 'pins can be taken again and again, and closing ends one',
    async body({ databases, application }, path) {
      const app = await application(path);
      const handle = databases.open(path);
      handle.attach();
      for (let i = 0; i < 3; i++) {
        await app.commit(1);
        handle.pin();
        handle.unpin();
      }
      await app.commit(1);
      handle.pin();
      handle.close();
      assert.equal((await app.checkpoint('TRUNCATE')).busy, false);
      await app.kill();
    },
  },
];
