/** The Databases contract: finding, opening and attaching. */

import assert from 'node:assert/strict';

import { faultOf } from './world.ts';
import { junk, type DatabasesCase } from './databases-case.ts';

export const OPENING: readonly DatabasesCase[] = [
  {
    title: 'a database that is not there has no files, and cannot be opened',
    async body({ databases, files, dir }, path) {
      assert.deepEqual(databases.probe(path), { main: null, wal: null, shm: null, journal: null });
      assert.throws(() => databases.open(path), faultOf('invalid', 'database-missing'));
      assert.throws(() => databases.open(dir), faultOf('invalid', 'not-a-database'));
      assert.deepEqual(files.list(dir), []);
    },
  },
  {
    title: 'a probe sees the files of a database in use',
    async body({ databases, application }, path) {
      const app = await application(path);
      await app.commit(1);
      const probe = databases.probe(path);
      assert.equal(probe.main?.kind, 'file');
      assert.ok((probe.wal?.size ?? 0) > 32);
      assert.ok((probe.shm?.size ?? 0) >= 32_768);
      assert.equal(probe.journal, null);
      await app.kill();
    },
  },
  {
    title: 'a database is open once at a time',
    async body({ databases, application }, path) {
      const app = await application(path);
      const handle = databases.open(path);
      assert.throws(() => databases.open(path), faultOf('invalid', 'database-open-already'));
      handle.close();
      handle.close();
      databases.open(path).close();
      await app.kill();
    },
  },
  {
    title: 'a handle is of the file that was opened, whatever has its name',
    async body({ databases, files, application, dir }, path) {
      const app = await application(path);
      const handle = databases.open(path);
      assert.equal(databases.probe(path).main?.ino, handle.main.ino);
      files.rename(path, `${dir}/old.db`);
      junk(files, path);
      assert.notEqual(databases.probe(path).main?.ino, handle.main.ino);
      assert.throws(() => handle.attach(), faultOf('unavailable', 'database-replaced'));
      handle.close();
      await app.kill();
    },
  },
  {
    title: 'attaching to a database that nobody uses fails and makes no files; later it can be done',
    async body({ databases, files, application, dir }, path) {
      const first = await application(path);
      await first.commit(1);
      await first.close();
      assert.deepEqual(files.list(dir), ['app.db']);
      const handle = databases.open(path);
      assert.throws(() => handle.attach(), faultOf('invalid', 'wal-missing'));
      assert.deepEqual(files.list(dir), ['app.db']);
      assert.deepEqual([handle.attached, handle.wal], [false, null]);
      const second = await application(path);
      handle.attach();
      assert.equal(handle.attached, true);
      assert.equal(handle.wal?.ino, databases.probe(path).wal?.ino);
      handle.close();
      assert.equal(handle.attached, false);
      await second.kill();
    },
  },
  {
    title: 'what is no database cannot be attached',
    async body({ databases, files }, path) {
      for (const suffix of ['', '-wal', '-shm']) junk(files, path + suffix);
      const handle = databases.open(path);
      assert.throws(() => handle.attach(), faultOf('invalid', 'not-a-database'));
      assert.equal(handle.attached, false);
      handle.close();
      databases.open(path).close();
    },
  },
  {
    title: 'a database in exclusive use cannot be attached',
    needsExclusive: true,
    async body({ databases, application, exclusiveApplication }, path) {
      const before = await application(path);
      await before.commit(1);
      // Its death leaves -wal and -shm behind: exclusive use alone makes no -shm.
      await before.kill();
      assert.ok(typeof exclusiveApplication !== 'string');
      const app = await exclusiveApplication(path);
      await app.commit(1);
      const handle = databases.open(path);
      assert.throws(() => handle.attach(), faultOf('invalid', 'database-exclusive'));
      assert.equal(handle.attached, false);
      handle.close();
      await app.kill();
    },
  },
];
