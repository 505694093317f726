/**
 * What an attached observer means for an application with real SQLite, and as whom it may attach.
 *
 * These are facts about SQLite that the guide states; a SQLite that changes them fails here.
 */

import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test, type TestContext } from 'node:test';

import type { DatabaseHandle } from '../../src/base/ports.ts';
import { hostDatabases } from '../../src/host/databases.ts';
import { hostFiles } from '../../src/host/files.ts';
import { Application, ApplicationError, type ApplicationOptions } from '../support/application.ts';
import { chainVerify } from '../support/chain.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { faultOf } from './world.ts';

const BUSY = 5;
const SHORT: ApplicationOptions = { busyTimeoutMs: 50 };

interface Observed {
  readonly dir: string;
  readonly path: string;
  readonly application: Application;
  readonly handle: DatabaseHandle;
}

async function observed(t: TestContext, options: ApplicationOptions = SHORT): Promise<Observed> {
  const dir = temporaryDirectory(t);
  const path = `${dir}/app.db`;
  const application = await Application.start(path, options);
  t.after(() => application[Symbol.asyncDispose]());
  await application.commit(2);
  const handle = hostDatabases.open(path);
  handle.attach();
  t.after(() => handle.close());
  return { dir, path, application, handle };
}

const busy = (error: unknown): boolean => error instanceof ApplicationError && error.resultCode === BUSY;

test('an attached observer keeps the application from exclusive locking, until it closes', async (t) => {
  const { application, handle } = await observed(t);
  await application.exec('PRAGMA locking_mode=EXCLUSIVE');
  await assert.rejects(application.commit(1), busy);
  handle.close();
  await application.commit(1);
});

test('an attached observer keeps the application from leaving WAL mode, until it closes', async (t) => {
  const { application, handle, dir } = await observed(t);
  await assert.rejects(application.exec('PRAGMA journal_mode=DELETE'), busy);
  handle.close();
  await application.exec('PRAGMA journal_mode=DELETE');
  assert.deepEqual(readdirSync(dir), ['app.db']);
});

test('an attached observer allows VACUUM and VACUUM INTO', async (t) => {
  const { application, dir } = await observed(t);
  await application.exec('VACUUM');
  await application.exec(`VACUUM INTO '${dir}/copy.db'`);
  assert.equal(chainVerify(`${dir}/copy.db`).rows, 2);
});

test('a clean close under observation loses nothing: the next application finds every row', async (t) => {
  const { application, handle, path, dir } = await observed(t);
  await application.close();
  handle.close();
  assert.deepEqual(readdirSync(dir), ['app.db', 'app.db-shm', 'app.db-wal']);
  const next = await Application.start(path);
  await next.commit(1);
  await next.close();
  assert.deepEqual(readdirSync(dir), ['app.db']);
  assert.equal(chainVerify(path).rows, 3);
});

test('settling after observation leaves one file with every row', async (t) => {
  const { application, handle, path, dir } = await observed(t);
  await application.close();
  handle.close();
  assert.equal(hostDatabases.settle(path), true);
  assert.deepEqual(readdirSync(dir), ['app.db']);
  assert.equal(chainVerify(path).rows, 2);
});

test('settling rolls back what a dead rollback-journal application left half done', async (t) => {
  const dir = temporaryDirectory(t);
  const path = `${dir}/app.db`;
  const application = await Application.start(path, { journalMode: 'delete' });
  await application.commit(2);
  // A cache too small for the transaction: changed pages reach the file before the commit.
  await application.exec(
    'PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; DELETE FROM chain; CREATE TABLE t(a)',
  );
  await application.exec(
    'WITH n(i) AS (SELECT 1 UNION ALL SELECT 1 FROM n LIMIT 999) INSERT INTO t SELECT zeroblob(1000) FROM n',
  );
  assert.equal(hostDatabases.settle(path), false);
  await application.kill();
  assert.ok(statSync(`${path}-journal`).size > 0);
  assert.equal(hostDatabases.settle(path), true);
  assert.deepEqual(readdirSync(dir), ['app.db']);
  assert.equal(chainVerify(path).rows, 2);
});

test('an observer follows links to the files that SQLite uses', async (t) => {
  const { application, dir, handle, path } = await observed(t);
  handle.close();
  symlinkSync(path, `${dir}/link.db`);
  const linked = hostDatabases.open(`${dir}/link.db`);
  linked.attach();
  assert.equal(linked.path, path);
  assert.equal(hostDatabases.probe(`${dir}/link.db`).wal?.ino, linked.wal?.ino);
  linked.close();
  await application.close();
});

test('any number of events in one turn of the event loop are one call', async (t) => {
  const dir = temporaryDirectory(t);
  let calls = 0;
  const watch = hostDatabases.watch(`${dir}/app.db`, () => calls++);
  t.after(() => watch.close());
  for (let i = 0; i < 20; i++) writeFileSync(`${dir}/${i}`, 'content');
  await until(() => calls > 0, { what: 'the watch tells of them' });
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(calls, 1);
});

test('a watch calls once in a turn, however busy; a closed one costs the system nothing', async (t) => {
  const { application, path } = await observed(t, {});
  const counts = { turns: 0, calls: 0 };
  const watch = hostDatabases.watch(path, () => counts.calls++);
  t.after(() => watch.close());
  assert.equal(watchesOn(`${path}-wal`) ?? 1, 1);
  await application.startFullSpeed();
  while (counts.calls < 30) {
    counts.turns += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  watch.close();
  assert.ok(counts.calls <= counts.turns, `${counts.calls} calls in ${counts.turns} turns`);
  assert.equal(watchesOn(`${path}-wal`) ?? 0, 0);
  const { calls } = counts;
  const rows = application.acknowledged.at(-1)?.row ?? 0;
  await until(() => (application.acknowledged.at(-1)?.row ?? 0) > rows + 100, {
    what: '100 more rows are there',
  });
  assert.equal(counts.calls, calls);
  await application.stop();
});

/** How many of this process's inotify watches are on `path`. `null`: the system does not say. */
function watchesOn(path: string): number | null {
  if (!existsSync('/proc/self/fdinfo')) return null;
  const inode = statSync(path).ino.toString(16);
  const watches = readdirSync('/proc/self/fdinfo').flatMap((fd) => {
    const info = `/proc/self/fdinfo/${fd}`;
    return existsSync(info) ? readFileSync(info, 'utf8').split('\n') : [];
  });
  return watches.filter((line) => line.startsWith('inotify ') && line.includes(` ino:${inode} `)).length;
}

const asRoot = process.geteuid?.() === 0 ? {} : { skip: 'only root can act as another user' };
const NOBODY = 65_534;

/** Acts as another user: synchronously, since the whole process does. */
function asNobody(body: () => void): void {
  process.seteuid?.(NOBODY);
  try {
    body();
  } finally {
    process.seteuid?.(0);
  }
}

test('an observer that is neither owner nor root does not attach, and makes no files', asRoot, async (t) => {
  const { application, dir, path, handle } = await observed(t);
  handle.close();
  await application.close();
  assert.equal(hostDatabases.settle(path), true);
  chmodSync(dir, 0o777);
  chmodSync(path, 0o666);
  asNobody(() => {
    const foreign = hostDatabases.open(path);
    assert.throws(
      () => foreign.attach(),
      (error: Error) => {
        assert.match(error.message, /belongs to uid 0, and this process is uid 65534/);
        return faultOf('invalid', 'database-foreign-owner')(error);
      },
    );
    foreign.close();
  });
  assert.deepEqual(readdirSync(dir), ['app.db']);
});

test('a Fault about permission names the file, its owner and who asked', asRoot, (t) => {
  const dir = temporaryDirectory(t);
  chmodSync(dir, 0o755);
  writeFileSync(`${dir}/secret`, 'content', { mode: 0o600 });
  asNobody(() => {
    assert.throws(
      () => hostFiles.open(`${dir}/secret`, 'read'),
      (error: Error) => {
        assert.match(error.message, /secret belongs to uid 0, mode 600; this process is uid 65534/);
        return faultOf('invalid', 'file-forbidden')(error);
      },
    );
    assert.throws(() => hostDatabases.open(`${dir}/secret`), faultOf('invalid', 'database-forbidden'));
    assert.throws(() => hostFiles.open(`${dir}/fresh`, 'create'), faultOf('invalid', 'file-forbidden'));
    assert.throws(() => hostFiles.lock(`${dir}/lock`), faultOf('invalid', 'file-forbidden'));
    assert.throws(() => hostFiles.remove(`${dir}/secret`), faultOf('invalid', 'file-forbidden'));
  });
});
