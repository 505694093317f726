/** The Databases contract: watching, and settling what nobody uses. */

import assert from 'node:assert/strict';

import { faultOf } from './world.ts';
import { junk, type DatabasesCase } from './databases-case.ts';

export const SETTLED: readonly DatabasesCase[] = [
  {
    title: 'a database in use is not settled, by whomever it is used',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(2);
      const handle = databases.open(path);
      handle.attach();
      assert.equal(databases.settle(path), false);
      assert.notEqual(handle.locksHeld(), false);
      handle.close();
      assert.equal(databases.settle(path), false);
      await app.commit(1);
      assert.equal((await app.checkpoint('TRUNCATE')).busy, false);
      await app.kill();
    },
  },
  {
    title: 'what a dead application left is settled into one file',
    async body({ databases, application, files, dir }, path) {
      const app = await application(path);
      await app.commit(2);
      await app.kill();
      assert.equal(databases.settle(path), true);
      assert.deepEqual(files.list(dir), ['app.db']);
      const next = await application(path);
      await next.commit(1);
      await next.kill();
    },
  },
  {
    title: 'what is no database, or nothing, is left as it is',
    async body({ databases, files, dir }, path) {
      assert.equal(databases.settle(path), true);
      assert.deepEqual(files.list(dir), []);
      junk(files, path);
      const before = files.stat(path);
      assert.equal(databases.settle(path), true);
      assert.deepEqual(files.stat(path), before);
      assert.deepEqual(files.list(dir), ['app.db']);
    },
  },
];

export const WATCHED: readonly DatabasesCase[] = [
  {
    title: 'a watch tells of each commit after the one before was heard',
    async body({ databases, application, until }, path) {
      const app = await application(path);
      await app.commit(1);
      let calls = 0;
      const watch = databases.watch(path, () => calls++);
      for (let i = 0; i < 3; i++) {
        const before = calls;
        await app.commit(1);
        await until(() => calls > before, 'the watch tells of the commit');
      }
      watch.close();
      await app.kill();
    },
  },
  {
    title: 'a watch tells when a -wal appears, and of commits from then on',
    async body({ databases, application, until }, path) {
      let calls = 0;
      const watch = databases.watch(path, () => calls++);
      const app = await application(path);
      await until(() => calls > 0, 'the watch tells of the -wal');
      for (let i = 0; i < 2; i++) {
        const before = calls;
        await app.commit(1);
        await until(() => calls > before, 'the watch tells of the commit');
      }
      watch.close();
      await app.kill();
    },
  },
  {
    title: 'a watch goes from one -wal to the next',
    async body({ databases, application, until }, path) {
      const first = await application(path);
      await first.commit(1);
      let calls = 0;
      const watch = databases.watch(path, () => calls++);
      await first.close();
      await until(
        () => calls > 0 && databases.probe(path).wal === null,
        'the watch tells that the -wal is gone',
      );
      let before = calls;
      const second = await application(path);
      await until(() => calls > before, 'the watch tells of the next -wal');
      before = calls;
      await second.commit(1);
      await until(() => calls > before, 'the watch tells of its commits');
      watch.close();
      await second.kill();
    },
  },
  {
    title: 'a closed watch is silent, and closing it twice is harmless',
    async body({ databases, application, until }, path) {
      const app = await application(path);
      const calls = { closed: 0, open: 0 };
      const closed = databases.watch(path, () => calls.closed++);
      const open = databases.watch(path, () => calls.open++);
      closed.close();
      closed.close();
      await app.commit(1);
      await until(() => calls.open > 0, 'the other watch tells of the commit');
      assert.equal(calls.closed, 0);
      open.close();
      await app.kill();
    },
  },
  {
    title: 'a watch needs a directory',
    async body({ databases, dir }) {
      assert.throws(
        () => databases.watch(`${dir}/none/app.db`, () => {}),
        faultOf('invalid', 'directory-missing'),
      );
    },
  },
];
