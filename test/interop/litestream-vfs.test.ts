/**
 * Archives that Millrace wrote from a real application, read by Litestream 0.5.17; and what Litestream
 * wrote, restored by Millrace.
 *
 * Litestream answers three ways: it restores the archive to a file (every file read and verified, by its own
 * code), it answers queries from the archive, and it travels in time. The application is the judge of all.
 */

import { deepStrictEqual, match, ok, rejects, strictEqual } from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TestContext } from 'node:test';

import { must } from '../../src/base/assert.ts';
import { txidFormat } from '../../src/base/ids.ts';
import type { Txid, WallMs } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { archiveOpen, hostMachine, poolOpen } from '../../src/cli/machine.ts';
import { Replicator } from '../../src/engine/replicator.ts';
import { restore } from '../../src/engine/restore.ts';
import type { RestoreTarget } from '../../src/engine/restore-plan.ts';
import type { Archive } from '../../src/storage/archive.ts';
import { Application } from '../support/application.ts';
import { lintArchive } from '../support/archive-lint.ts';
import { LitestreamShell, litestreamShellSkip as skip } from '../support/litestream-shell.ts';
import { temporaryDirectory } from '../support/temp.ts';

const PAGE_SIZES = [512, 4096, 65_536] as const;

const TABLE = 'CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)';

/** Every row, as one line of text. */
const ROWS = 'SELECT id, length(v), hex(substr(v, 1, 24)), hex(substr(v, -24)) FROM t ORDER BY id';

const NUMBERS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)';

/** What the application did before each TXID: the database grows and changes … */
const GROWING = [
  'INSERT INTO t(v) VALUES (randomblob(20000)), (zeroblob(9000))',
  `INSERT INTO t(v) ${NUMBERS} SELECT randomblob(3000) FROM n`,
  'UPDATE t SET v = randomblob(2900) WHERE id % 7 = 0; CREATE INDEX t_v ON t(substr(v, 1, 8))',
] as const;

/** … shrinks, grows by pages that are free at once, shrinks again. */
const HISTORY = [
  ...GROWING,
  'DELETE FROM t WHERE id > 40; VACUUM',
  'BEGIN; CREATE TABLE u AS SELECT randomblob(4000) AS w FROM t; DROP TABLE u; COMMIT',
  'DROP INDEX t_v; INSERT INTO t(v) VALUES (randomblob(70000))',
  'DELETE FROM t WHERE id BETWEEN 5 AND 30; VACUUM',
  "INSERT INTO t(v) VALUES (CAST('last' AS BLOB))",
] as const;

interface Moment {
  readonly txid: Txid;
  readonly timestampMs: WallMs;
  readonly rows: readonly string[];
}

/** An archive that a replicator wrote, beside its database. */
interface Scene {
  readonly directory: string;
  readonly url: string;
  readonly archive: Archive;
  /** What each TXID is. */
  readonly moments: readonly Moment[];
  /** The database file at the end, checkpointed by SQLite. */
  readonly source: Uint8Array;
  readonly restored: (target: RestoreTarget) => Promise<Uint8Array>;
}

function rowsOf(rows: readonly Record<string, unknown>[]): readonly string[] {
  return rows.map((row) => Object.values(row).join('|'));
}

/** The rows of a database file, after SQLite has found nothing wrong with it. */
function rowsIn(path: string): readonly string[] {
  const database = new DatabaseSync(path);
  try {
    strictEqual(database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    return rowsOf(database.prepare(ROWS).all());
  } finally {
    database.close();
  }
}

/** A directory of its own for something in the test. */
function fresh(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

function restorer(t: TestContext, archive: Archive, directory: string): Scene['restored'] {
  const pool = poolOpen();
  t.after(() => pool.close());
  const to = join(directory, 'restored.db');
  const machine = { ...hostMachine(), log: silentLog };
  return async (target) => {
    await restore(machine, pool, archive, { to, target, force: true });
    return new Uint8Array(readFileSync(to));
  };
}

/** An archive of a database of which the application made `history`, a TXID for each of its transactions. */
async function replicated(
  t: TestContext,
  pageSize: number,
  history: readonly string[] = HISTORY,
): Promise<Scene> {
  const directory = temporaryDirectory(t);
  const machine = hostMachine();
  const database = join(directory, 'app.db');
  const url = join(directory, 'archive');
  const archive = archiveOpen(machine, url);
  const moments: Moment[] = [];
  await using application = await Application.start(database, { pageSize });
  await application.exec(TABLE);
  {
    await using replicator = await Replicator.open(machine, database, archive);
    for (const sql of history) {
      await application.exec(sql);
      const { txid } = must(await replicator.once(), 'something was committed');
      const { timestampMs } = await archive.readHeader(must(await archive.head(), 'an archive with a head'));
      moments.push({ txid, timestampMs, rows: rowsOf(await application.all(ROWS)) });
    }
  }
  strictEqual((await application.checkpoint('TRUNCATE')).busy, false);
  const source = new Uint8Array(readFileSync(database));
  return { directory, url, archive, moments, source, restored: restorer(t, archive, directory) };
}

for (const pageSize of PAGE_SIZES) {
  test(
    `Litestream restores a replicated database byte for byte, page size ${pageSize}`,
    { skip },
    async (t) => {
      const { directory, url, archive, moments, source, restored } = await replicated(t, pageSize);
      deepStrictEqual(await lintArchive(archive), []);
      await using shell = await LitestreamShell.open(url, fresh(directory, 'shell'), { isHydrating: true });
      strictEqual(await shell.hydration(), null);
      const theirs = new Uint8Array(readFileSync(shell.hydrated));
      const ours = await restored({ kind: 'head' });
      ok(theirs.length % pageSize === 0 && theirs.length > 0);
      deepStrictEqual(ours, source, 'our restore is the source');
      deepStrictEqual(theirs, source, 'their restore is the source');
      const last = must(moments.at(-1), 'there is a last moment');
      deepStrictEqual(await shell.query(ROWS), last.rows);
      deepStrictEqual(await shell.query('SELECT litestream_txid()'), [txidFormat(last.txid)]);
      await shell.close();
      deepStrictEqual(shell.complaints(), []);
    },
  );

  test(
    `Litestream travels to every TXID's time as our restore does, page size ${pageSize}`,
    { skip },
    async (t) => {
      const { directory, url, moments, restored } = await replicated(t, pageSize);
      await using shell = await LitestreamShell.open(url, fresh(directory, 'shell'));
      for (const { timestampMs } of moments) {
        const last = must(
          moments.findLast((moment) => moment.timestampMs <= timestampMs),
          'the moment itself',
        );
        await restored({ kind: 'time', wallMs: timestampMs });
        deepStrictEqual(rowsIn(join(directory, 'restored.db')), last.rows);
        // Theirs is the newest state strictly before a time; stamps are whole milliseconds.
        const before = new Date(timestampMs + 1).toISOString();
        await shell.query(`SELECT litestream_set_time('${before}')`);
        deepStrictEqual(await shell.query('SELECT litestream_txid()'), [txidFormat(last.txid)]);
        deepStrictEqual(await shell.query(ROWS), last.rows, `at TXID ${last.txid}`);
      }
      ok(new Set(moments.map(({ timestampMs }) => timestampMs)).size > 2, 'the times differ');
      await shell.close();
      deepStrictEqual(shell.complaints(), []);
    },
  );

  test(`we restore what Litestream wrote behind our TXIDs, page size ${pageSize}`, { skip }, async (t) => {
    // After a shrink this Litestream takes the database for as large as it ever was:
    // its writer needs one that only grew.
    const { directory, url, archive, moments, restored } = await replicated(t, pageSize, GROWING);
    const written = must(moments.at(-1), 'there is a last moment').txid;
    await litestreamWrites(url, directory, [
      'INSERT INTO t(v) VALUES (randomblob(90000)), (zeroblob(5))',
      'UPDATE t SET v = randomblob(100) WHERE id < 5; DELETE FROM t WHERE id BETWEEN 30 AND 40',
    ]);
    await equalRestores({ directory, url, archive, restored, head: written + 2n });
  });
}

test('we restore a database that Litestream began', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  const url = fresh(directory, 'archive');
  const archive = archiveOpen(hostMachine(), url);
  await litestreamWrites(url, directory, [
    `${TABLE}; INSERT INTO t(v) VALUES (randomblob(90000)), (zeroblob(5))`,
    'INSERT INTO t(v) VALUES (randomblob(30000))',
    'DELETE FROM t WHERE id = 1',
  ]);
  await equalRestores({ directory, url, archive, restored: restorer(t, archive, directory), head: 3n });
});

test(
  'one flipped bit in any file of an archive is seen by Litestream, and in its newest file by us',
  { skip },
  async (t) => {
    const { directory, url, archive, restored } = await replicated(t, 4096);
    const files = await archive.list(0);
    for (const { key, minTxid } of files) {
      const path = join(url, key);
      const bytes = readFileSync(path);
      const damaged = Uint8Array.from(bytes);
      const middle = damaged.length >> 1;
      damaged[middle] = (damaged[middle] ?? 0) ^ 0x10;
      writeFileSync(path, damaged);
      await using shell = await LitestreamShell.open(url, fresh(directory, `shell-${minTxid}`), {
        isHydrating: true,
      });
      match(String(await shell.hydration()), /checksum|lz4|decompress|corrupt|invalid/i, `TXID ${minTxid}`);
      if (minTxid === files.at(-1)?.minTxid)
        await rejects(restored({ kind: 'head' }), { name: 'Fault', kind: 'corrupt' });
      writeFileSync(path, bytes);
    }
    ok(files.length >= HISTORY.length);
  },
);

/** Has Litestream write to a replica, one file for each of `statements`. */
async function litestreamWrites(
  url: string,
  directory: string,
  statements: readonly string[],
): Promise<void> {
  for (const [i, sql] of statements.entries()) {
    // A shell for each: this Litestream misreads its own pages after its first upload.
    await using shell = await LitestreamShell.open(url, fresh(directory, `writer-${i}`), { isWriting: true });
    await shell.query(`BEGIN; ${sql}; COMMIT`);
    await shell.uploads(1);
    await shell.close();
  }
}

/** Both programs restore the same file, and Litestream answers from the archive what is in it. */
async function equalRestores(
  at: Omit<Scene, 'moments' | 'source'> & { readonly head: bigint },
): Promise<void> {
  await using shell = await LitestreamShell.open(at.url, fresh(at.directory, 'reader'), {
    isHydrating: true,
  });
  strictEqual(await shell.hydration(), null);
  const ours = await at.restored({ kind: 'head' });
  deepStrictEqual(ours, new Uint8Array(readFileSync(shell.hydrated)));
  const rows = rowsIn(join(at.directory, 'restored.db'));
  ok(rows.length > 1);
  deepStrictEqual(await shell.query(ROWS), rows);
  strictEqual((await at.archive.head())?.maxTxid, at.head);
  // Litestream's writer leaves out the WAL position, which its own daemon would need, and knows no epochs.
  const isKnown = (violation: string): boolean => /^(W4 |W12 .*epoch 0 follows)/.test(violation);
  deepStrictEqual(
    (await lintArchive(at.archive)).filter((violation) => !isKnown(violation)),
    [],
  );
}
