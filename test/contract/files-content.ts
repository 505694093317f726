/** The Files contract: content, locks, and what a loss of power leaves. */

import assert from 'node:assert/strict';

import * as fc from 'fast-check';

import { utf8 } from '../../src/base/bytes.ts';
import { content, contentOf, create, type FilesCase } from './files-case.ts';
import { faultOf } from './world.ts';
import { runs } from '../support/runs.ts';

export const CONTENT: readonly FilesCase[] = [
  {
    title: 'writing makes a file grow, and a gap reads as zeros',
    async body({ files, dir }) {
      const fd = files.open(`${dir}/a`, 'create');
      files.write(fd, utf8('xyz'), 5);
      assert.equal(files.size(fd), 8);
      await files.fsync(fd);
      assert.equal(contentOf(files, fd), '\0\0\0\0\0xyz');
      files.close(fd);
    },
  },
  {
    title: 'a read ends with the file, and leaves the rest of the array alone',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'abcdef');
      const fd = files.open(`${dir}/a`, 'read');
      const into = new Uint8Array(4).fill(7);
      assert.equal(files.read(fd, into, 4), 2);
      assert.deepEqual([...into], [0x65, 0x66, 7, 7]);
      assert.equal(files.read(fd, into, 6), 0);
      assert.equal(files.read(fd, into, 600), 0);
      assert.equal(files.read(fd, new Uint8Array(0), 0), 0);
      files.close(fd);
    },
  },
  {
    title: 'a file opened to write keeps its content; two descriptors see one file',
    body({ files, dir }) {
      create(files, `${dir}/a`, 'abcdef');
      const [writer, reader] = [files.open(`${dir}/a`, 'write'), files.open(`${dir}/a`, 'read')];
      files.write(writer, utf8('XY'), 2);
      assert.equal(contentOf(files, reader), 'abXYef');
      files.truncate(writer, 3);
      assert.equal(contentOf(files, reader), 'abX');
      files.close(writer);
      files.close(reader);
    },
  },
  {
    title: 'a file is a row of bytes, whatever is written and cut off in whatever order',
    body({ files, dir }) {
      const step = fc.oneof(
        fc.record({ at: fc.nat(40), bytes: fc.uint8Array({ maxLength: 20 }) }),
        fc.record({ size: fc.nat(60) }),
      );
      let run = 0;
      fc.assert(
        fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
          const fd = files.open(`${dir}/${run++}`, 'create');
          let model: number[] = [];
          for (const it of steps) {
            if ('size' in it) {
              files.truncate(fd, it.size);
              model = Array.from({ length: it.size }, (_, i) => model[i] ?? 0);
            } else if (it.bytes.length > 0) {
              files.write(fd, it.bytes, it.at);
              const size = Math.max(model.length, it.at + it.bytes.length);
              model = Array.from({ length: size }, (_, i) => it.bytes[i - it.at] ?? model[i] ?? 0);
            }
          }
          const whole = new Uint8Array(files.size(fd));
          files.read(fd, whole, 0);
          files.close(fd);
          assert.deepEqual([...whole], model);
        }),
        { numRuns: runs(200) },
      );
    },
  },
];

export const LOCKS: readonly FilesCase[] = [
  {
    title: 'a lock is held once in a process, until it is closed',
    body({ files, dir }) {
      const lock = files.lock(`${dir}/lock`);
      assert.notEqual(lock, null);
      assert.equal(files.lock(`${dir}/lock`), null);
      assert.equal(files.lock(`${dir}/../${dir.split('/').at(-1)}/lock`), null);
      const other = files.lock(`${dir}/other`);
      assert.notEqual(other, null);
      lock?.close();
      lock?.close();
      const again = files.lock(`${dir}/lock`);
      assert.notEqual(again, null);
      lock?.close();
      assert.equal(files.lock(`${dir}/lock`), null);
      again?.close();
      other?.close();
    },
  },
  {
    title: 'a lock excludes other processes, and dies with the one that holds it',
    async body({ files, dir, lockElsewhere }) {
      const holder = await lockElsewhere(`${dir}/lock`);
      assert.equal(files.lock(`${dir}/lock`), null);
      await holder.kill();
      const lock = files.lock(`${dir}/lock`);
      assert.notEqual(lock, null);
      lock?.close();
    },
  },
  {
    title: 'a lock survives whatever else is opened and closed, and a vain try of its own process',
    async body({ files, dir, lockElsewhere }) {
      const lock = files.lock(`${dir}/lock`);
      create(files, `${dir}/a`, 'one');
      content(files, `${dir}/a`);
      assert.equal(files.lock(`${dir}/lock`), null);
      await files.fsyncDir(dir);
      await assert.rejects(lockElsewhere(`${dir}/lock`));
      lock?.close();
      const holder = await lockElsewhere(`${dir}/lock`);
      await holder.kill();
    },
  },
  {
    title: 'a lock needs its directory, and a file to lock',
    body({ files, dir }) {
      assert.throws(() => files.lock(`${dir}/none/lock`), faultOf('invalid', 'file-missing'));
      assert.throws(() => files.lock(dir), faultOf('invalid', 'file-kind'));
    },
  },
];

export const POWER: readonly FilesCase[] = [
  {
    title: 'what was fsynced, with its name, survives a loss of power',
    needsCrash: true,
    async body({ files, dir, crash }) {
      await files.mkdir(`${dir}/d`);
      const fd = files.open(`${dir}/d/a`, 'create');
      files.write(fd, utf8('one'), 0);
      await files.fsync(fd);
      files.close(fd);
      await files.fsyncDir(`${dir}/d`);
      await crash?.();
      assert.equal(content(files, `${dir}/d/a`), 'one');
    },
  },
  {
    title: 'a file written beside, fsynced and renamed is the old one or the new one after a loss of power',
    needsCrash: true,
    async body({ files, dir, crash }) {
      create(files, `${dir}/a`, 'old');
      const old = files.open(`${dir}/a`, 'write');
      await files.fsync(old);
      files.close(old);
      await files.fsyncDir(dir);
      const fd = files.open(`${dir}/b`, 'create');
      files.write(fd, utf8('fresh'), 0);
      await files.fsync(fd);
      files.close(fd);
      files.rename(`${dir}/b`, `${dir}/a`);
      await crash?.();
      assert.ok(['old', 'fresh'].includes(content(files, `${dir}/a`)));
    },
  },
];
