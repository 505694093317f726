/** The Files contract: names, directories, and what is known of a file. */

import assert from 'node:assert/strict';

import { content, contentOf, create, type FilesCase } from './files-case.ts';
import { faultOf } from './world.ts';

export const NAMES: readonly FilesCase[] = [
  {
    title: 'what is not there is null, and reading it is a Fault',
    body({ files, dir }) {
      assert.equal(files.stat(`${dir}/none`), null);
      assert.equal(files.list(`${dir}/none`), null);
      assert.equal(files.stat(`${dir}/none/below`), null);
      assert.equal(files.remove(`${dir}/none`), false);
      assert.throws(() => files.open(`${dir}/none`, 'read'), faultOf('invalid', 'file-missing'));
      assert.throws(() => files.open(`${dir}/none`, 'write'), faultOf('invalid', 'file-missing'));
      assert.throws(() => files.open(`${dir}/none/below`, 'create'), faultOf('invalid', 'file-missing'));
      assert.throws(() => files.touch(`${dir}/none`, 1_000), faultOf('invalid', 'file-missing'));
      assert.throws(() => files.rename(`${dir}/none`, `${dir}/b`), faultOf('invalid', 'file-missing'));
    },
  },
  {
    title: 'directories are made with their parents, once or again',
    async body({ files, dir }) {
      await files.mkdir(`${dir}/a/b/c`);
      await files.mkdir(`${dir}/a/b/c`);
      await files.fsyncDir(`${dir}/a/b`);
      assert.equal(files.stat(`${dir}/a/b/c`)?.kind, 'directory');
      assert.deepEqual(files.list(`${dir}/a/b`), ['c']);
      await assert.rejects(files.fsyncDir(`${dir}/none`), faultOf('invalid', 'file-missing'));
    },
  },
  {
    title: 'a list is sorted and whole',
    body({ files, dir }) {
      for (const name of ['b', 'a', '10', '9', 'B']) create(files, `${dir}/${name}`, name);
      assert.deepEqual(files.list(dir), ['10', '9', 'B', 'a', 'b']);
    },
  },
  {
    title: 'a created file is private and must not exist',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'one');
      assert.equal(files.stat(`${dir}/a`)?.mode, 0o600);
      assert.equal(files.stat(`${dir}/a`)?.kind, 'file');
      assert.equal(files.stat(`${dir}/a`)?.size, 3);
      assert.throws(() => files.open(`${dir}/a`, 'create'), faultOf('invalid', 'file-exists'));
      assert.equal(content(files, `${dir}/a`), 'one');
    },
  },
  {
    title: 'a directory is not a file to open',
    body({ files, dir }) {
      assert.throws(() => files.open(dir, 'read'), faultOf('invalid', 'file-kind'));
      assert.throws(() => files.open(dir, 'write'), faultOf('invalid', 'file-kind'));
    },
  },
  {
    title: 'a link is a second name, and never replaces one',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'one');
      create(files, `${dir}/b`, 'two');
      assert.equal(files.link(`${dir}/a`, `${dir}/b`), false);
      assert.equal(content(files, `${dir}/b`), 'two');
      assert.equal(files.link(`${dir}/a`, `${dir}/c`), true);
      assert.equal(files.remove(`${dir}/a`), true);
      assert.equal(content(files, `${dir}/c`), 'one');
    },
  },
  {
    title: 'a rename replaces what had the name, and keeps the identity',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'one');
      create(files, `${dir}/b`, 'two');
      const [a, b] = [files.stat(`${dir}/a`), files.stat(`${dir}/b`)];
      assert.notEqual(a?.ino, b?.ino);
      files.rename(`${dir}/a`, `${dir}/b`);
      assert.equal(files.stat(`${dir}/b`)?.ino, a?.ino);
      assert.equal(files.stat(`${dir}/b`)?.dev, a?.dev);
      assert.equal(content(files, `${dir}/b`), 'one');
      assert.deepEqual(files.list(dir), ['b']);
    },
  },
  {
    title: 'an open file stays what it is when its name is replaced or removed',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'one');
      create(files, `${dir}/b`, 'two');
      const fd = files.open(`${dir}/b`, 'read');
      files.rename(`${dir}/a`, `${dir}/b`);
      assert.equal(contentOf(files, fd), 'two');
      assert.equal(files.remove(`${dir}/b`), true);
      assert.equal(contentOf(files, fd), 'two');
      files.close(fd);
    },
  },
  {
    title: 'a touch sets the time of the last change, to the millisecond',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'one');
      for (const mtimeMs of [1, 999, 1_700_000_000_001, 1_764_021_483_123, 1_764_021_483_999]) {
        files.touch(`${dir}/a`, mtimeMs);
        assert.equal(files.stat(`${dir}/a`)?.mtimeMs, mtimeMs);
      }
    },
  },
  {
    title: 'a mode that is set is there',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'one');
      const { uid, gid } = files.stat(`${dir}/a`)!;
      files.own(`${dir}/a`, { mode: 0o640, uid, gid });
      assert.equal(files.stat(`${dir}/a`)?.mode, 0o640);
      assert.throws(
        () => files.own(`${dir}/none`, { mode: 0o640, uid, gid }),
        faultOf('invalid', 'file-missing'),
      );
    },
  },
  {
    title: 'free space is known, for a path that does not exist yet too',
    body({ files, dir }) {
      assert.ok(files.freeBytes(dir) > 0);
      assert.ok(files.freeBytes(`${dir}/none/below`) > 0);
    },
  },
];
