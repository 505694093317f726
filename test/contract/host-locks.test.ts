/**
 * I12 on the real machine: this process's locks on a database stand, whatever else it opens and closes.
 *
 * Seen in /proc/locks, so on Linux only. The last test drops them on purpose: the self-test must see it.
 */

import assert from 'node:assert/strict';
import { closeSync, existsSync, linkSync, openSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { Bug } from '../../src/base/assert.ts';
import { utf8 } from '../../src/base/bytes.ts';
import type { DatabaseHandle, JobTable } from '../../src/base/ports.ts';
import { hostDatabases } from '../../src/host/databases.ts';
import { hostFiles } from '../../src/host/files.ts';
import { WorkerPool } from '../../src/host/pool.ts';
import { Application } from '../support/application.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { faultOf } from './world.ts';

const linux = existsSync('/proc/locks') ? {} : { skip: 'only Linux shows the locks of a process' };

/** What a pool must bear, though no job of ours does it (../support/pool-worker.ts). */
interface LeakyJobs extends JobTable {
  readonly leak: (path: string) => number;
}

interface Attached {
  readonly dir: string;
  readonly path: string;
  readonly handle: DatabaseHandle;
}

async function attached(t: TestContext): Promise<Attached> {
  const dir = temporaryDirectory(t);
  const path = `${dir}/app.db`;
  const application = await Application.start(path);
  t.after(() => application[Symbol.asyncDispose]());
  await application.commit(1);
  const handle = hostDatabases.open(path);
  handle.attach();
  t.after(() => handle.close());
  assert.equal(handle.locksHeld(), true);
  assert.deepEqual(locks(path), [SHARED, DMS]);
  return { dir, path, handle };
}

const SHARED = '0 READ 1073741826 1073742335';
const DMS = '1 READ 128 128';

/** This process's locks on main file (0) and -shm (1), read without the code under test. */
function locks(path: string): readonly string[] {
  const inodes = [path, `${path}-shm`].map((file) => String(statSync(file).ino));
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , , pid]) => pid === String(process.pid))
    .map(([, , , type, , file, ...range]) =>
      [inodes.indexOf(file?.split(':')[2] ?? ''), type, ...range].join(' '),
    )
    .filter((line) => !line.startsWith('-1'))
    .toSorted();
}

test('I12: the locks stand after other files are made, read, linked, renamed, removed', linux, async (t) => {
  const { dir, path, handle } = await attached(t);
  for (let i = 0; i < 3; i++) {
    const fd = hostFiles.open(`${dir}/other`, 'create');
    hostFiles.write(fd, utf8('content'), 0);
    await hostFiles.fsync(fd);
    hostFiles.close(fd);
    hostFiles.close(hostFiles.open(`${dir}/other`, 'read'));
    hostFiles.link(`${dir}/other`, `${dir}/second`);
    hostFiles.rename(`${dir}/other`, `${dir}/third`);
    hostFiles.touch(`${dir}/third`, 1_000);
    hostFiles.remove(`${dir}/second`);
    hostFiles.remove(`${dir}/third`);
    await hostFiles.mkdir(`${dir}/below/it`);
    await hostFiles.fsyncDir(dir);
    assert.ok((hostFiles.list(dir) ?? []).includes('app.db-wal'));
    hostFiles.stat(path);
    hostFiles.freeBytes(path);
    hostFiles.lock(`${dir}/lock`)?.close();
  }
  assert.equal(handle.locksHeld(), true);
  assert.deepEqual(locks(path), [SHARED, DMS]);
});

test('I12: the locks stand after looking at the database in every way there is', linux, async (t) => {
  const { path, handle } = await attached(t);
  const into = new Uint8Array(4096);
  for (let i = 0; i < 3; i++) {
    hostDatabases.probe(path);
    hostDatabases.watch(path, () => {}).close();
    assert.equal(hostDatabases.settle(path), false);
    handle.readMain(into, 0);
    handle.readWal(into, 0);
    handle.readShm(into.subarray(0, 136), 0);
    handle.mainSize();
    handle.pin();
    handle.unpin();
  }
  assert.equal(handle.locksHeld(), true);
  assert.deepEqual(locks(path), [SHARED, DMS]);
});

test(
  'I12: no other way leads to the files of an attached database, by any of their names',
  linux,
  async (t) => {
    const { dir, path, handle } = await attached(t);
    symlinkSync(path, `${dir}/symbolic`);
    linkSync(path, `${dir}/hard`);
    for (const name of [path, `${dir}/symbolic`, `${dir}/hard`]) {
      assert.throws(() => hostDatabases.open(name), faultOf('invalid', 'database-open-already'));
      assert.equal(hostDatabases.settle(name), false);
    }
    for (const name of ['app.db', 'app.db-wal', 'app.db-shm', 'symbolic', 'hard']) {
      for (const how of ['read', 'write'] as const) {
        assert.throws(() => hostFiles.open(`${dir}/${name}`, how), Bug, name);
      }
      assert.equal(hostFiles.lock(`${dir}/${name}`), null);
    }
    assert.equal(handle.locksHeld(), true);
    assert.deepEqual(locks(path), [SHARED, DMS]);
  },
);

test('I12: the locks stand after threads have ended that had opened the files', linux, async (t) => {
  const { path, handle } = await attached(t);
  const script = new URL('../support/pool-worker.ts', import.meta.url);
  await using pool = new WorkerPool<LeakyJobs>({ script, width: 2 });
  await Promise.all(['', '-shm'].map((suffix) => pool.run('leak', path + suffix)));
  await pool.close();
  assert.equal(handle.locksHeld(), true);
  assert.deepEqual(locks(path), [SHARED, DMS]);
});

test('I12: the locks stand though nobody refers to the handle', linux, async (t) => {
  const dir = temporaryDirectory(t);
  const path = `${dir}/app.db`;
  await using application = await Application.start(path);
  await application.commit(1);
  hostDatabases.open(path).attach();
  setFlagsFromString('--expose-gc');
  for (let i = 0; i < 5; i++) {
    (runInNewContext('gc') as () => void)();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepEqual(locks(path), [SHARED, DMS]);
});

test('I12: closing leaves no lock and no descriptor', linux, async (t) => {
  const { path, handle } = await attached(t);
  handle.close();
  assert.deepEqual(locks(path), []);
  hostFiles.close(hostFiles.open(path, 'read'));
});

test('the self-test sees that the locks were dropped', linux, async (t) => {
  const { path, handle } = await attached(t);
  closeSync(openSync(`${path}-shm`, 'r'));
  assert.equal(handle.locksHeld(), false);
  assert.deepEqual(locks(path), [SHARED]);
});
