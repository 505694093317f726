/**
 * What tests of the command line begin with: databases, archives, and commands that have to fail in one
 * way.
 */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { cli, errorOf } from './cli.ts';
import type { CliOptions } from './cli.ts';
import { assertArchivesKeepTheRules } from './archives.ts';
import { temporaryDirectory } from './temp.ts';

/** The user that tests of permissions run as where they would be root's, who is refused nothing. */
export const NOBODY: number = 65_534;

export interface Scene {
  readonly dir: string;
  readonly database: string;
  readonly archive: string;
  readonly db: DatabaseSync;
}

/** Where to say what is to be done at the end: a test's context, or a suite's `after`. */
export interface Ending {
  after(action: () => void | Promise<void>): void;
}

/** A database in WAL mode with one row, open, and the place of an archive. */
export function scene(t: Ending): Scene {
  const dir = temporaryDirectory(t, assertArchivesKeepTheRules);
  const database = join(dir, 'app.db');
  const db = new DatabaseSync(database);
  t.after(() => db.close());
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  return { dir, database, archive: join(dir, 'archive'), db };
}

/** A scene whose archive holds the rows 1, 2, 3 as TXIDs 1, 2, 3. */
export async function archived(t: Ending): Promise<Scene> {
  const it = scene(t);
  for (const row of [1, 2, 3]) {
    if (row > 1) it.db.exec(`INSERT INTO t VALUES (${row})`);
    assert.equal((await cli(['replicate', it.database, it.archive, '--once'])).code, 0);
  }
  return it;
}

export function rowsOf(path: string): number {
  const db = new DatabaseSync(path);
  try {
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    return Number(db.prepare('SELECT count(*) AS rows FROM t').get()?.['rows']);
  } finally {
    db.close();
  }
}

/** Runs a command that has to fail, and compares how. */
export async function fails(
  args: readonly string[],
  expected: { readonly exit: number; readonly code: string; readonly hint?: RegExp },
  options: CliOptions = {},
): Promise<void> {
  const machine = await cli([...args, '--json'], options);
  assert.equal(machine.code, expected.exit, machine.stderr);
  assert.equal(machine.stdout.split('\n').filter((line) => line.includes('"durable"')).length, 0);
  const error = errorOf(machine);
  assert.equal(error.code, expected.code, error.message);
  assert.equal(error.exitCode, expected.exit);
  assert.ok(error.hint !== undefined && error.hint !== '', `${error.code} has no hint`);
  if (expected.hint !== undefined) assert.match(error.hint, expected.hint);
}
