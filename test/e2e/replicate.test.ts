/** `millrace replicate`: signals, exit codes, an archive that goes away, and databases that are refused. */

import { suite, test } from 'node:test';
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { cli, CliChild, errorOf, resultOf } from '../support/cli.ts';
import { archived, fails, NOBODY, rowsOf, scene } from '../support/cli-scene.ts';
import { temporaryDirectory } from '../support/temp.ts';
import { until } from '../support/until.ts';

suite('replicate', { concurrency: true }, () => {
  test('--once makes everything durable, and says so in JSON', async (t) => {
    const { database, archive, db } = scene(t);
    const first = await cli(['replicate', database, archive, '--once', '--json']);
    assert.equal(first.code, 0, first.stderr);
    const lines = first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const durable = lines.filter((line) => line['event'] === 'durable');
    assert.equal(durable.length, 1);
    assert.equal(durable[0]?.['txid'], '0000000000000001');
    assert.equal(typeof durable[0]?.['walMs'], 'number');
    assert.equal(lines.at(-1)?.['event'], 'ended');
    db.exec('INSERT INTO t VALUES (2)');
    assert.equal((await cli(['replicate', database, archive, '--once'])).code, 0);
    const again = await cli(['replicate', database, archive, '--once', '--json']);
    assert.equal(again.code, 0);
    assert.doesNotMatch(again.stdout, /"durable"/, 'without commits there is nothing to upload');
    assert.equal(
      rowsOf(
        (resultOf(await cli(['restore', archive, '-o', `${database}2`, '--json'])) as { to: string }).to,
      ),
      2,
    );
  });

  test('the first SIGTERM makes durable what is committed, and exits with 0', async (t) => {
    const { database, archive, dir, db } = scene(t);
    using child = new CliChild(['replicate', database, archive, '--upload-interval', '60000', '--json']);
    await child.line((line) => line['event'] === 'durable');
    for (let row = 2; row <= 50; row++) db.exec(`INSERT INTO t VALUES (${row})`);
    child.kill('SIGTERM');
    const ended = await child.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(child.lines.at(-1)?.['event'], 'ended');
    assert.equal((await cli(['restore', archive, '-o', join(dir, 'r.db')])).code, 0);
    assert.equal(rowsOf(join(dir, 'r.db')), 50);
  });

  test('a second replicator of one database is refused, and the first goes on', async (t) => {
    const { database, archive, db } = scene(t);
    using child = new CliChild(['replicate', database, archive, '--upload-interval', '0', '--json']);
    await child.line((line) => line['event'] === 'durable');
    await fails(['replicate', database, archive], {
      exit: 4,
      code: 'already-replicated',
      hint: /stop it first/,
    });
    const status = resultOf(await cli(['status', database, '--json']));
    assert.equal(status['isReplicated'], true);
    db.exec('INSERT INTO t VALUES (2)');
    await child.line((line) => line['txid'] === '0000000000000002');
    child.kill('SIGINT');
    assert.equal((await child.ended).code, 0);
  });

  test('an archive that went away is waited for, and is complete when it is back', async (t) => {
    const { database, archive, dir, db } = scene(t);
    using child = new CliChild(['replicate', database, archive, '--upload-interval', '0', '--json']);
    await child.line((line) => line['event'] === 'durable');
    renameSync(archive, `${archive}.away`);
    db.exec('INSERT INTO t VALUES (2)');
    await until(() => child.stderr.includes('upload failed'), { what: 'the missing archive is noticed' });
    assert.ok(!existsSync(archive), 'nothing else is taken for the archive');
    renameSync(`${archive}.away`, archive);
    await child.line((line) => line['txid'] === '0000000000000002');
    child.kill('SIGTERM');
    assert.equal((await child.ended).code, 0);
    assert.equal((await cli(['restore', archive, '-o', join(dir, 'r.db')])).code, 0);
    assert.equal(rowsOf(join(dir, 'r.db')), 2);
  });

  test('what cannot be made durable in time makes the exit code 75, and says what is', async (t) => {
    const { database, archive, db } = scene(t);
    using child = new CliChild(['replicate', database, archive, '--drain', '200', '--json']);
    await child.line((line) => line['event'] === 'durable');
    renameSync(archive, `${archive}.away`);
    db.exec('INSERT INTO t VALUES (2)');
    child.kill('SIGTERM');
    const ended = await child.ended;
    assert.equal(ended.code, 75, ended.stderr);
    assert.equal(errorOf(ended).code, 'not-durable');
    assert.equal(errorOf(ended).exitCode, 75);
    assert.match(errorOf(ended).message, /TXID 1/);
    renameSync(`${archive}.away`, archive);
    assert.equal((await cli(['replicate', database, archive, '--once'])).code, 0, 'the next start makes up');
  });

  test('a second signal stops at once', async (t) => {
    const { database, archive, db } = scene(t);
    using child = new CliChild(['replicate', database, archive, '--json']);
    await child.line((line) => line['event'] === 'durable');
    renameSync(archive, `${archive}.away`);
    db.exec('INSERT INTO t VALUES (2)');
    child.kill('SIGINT');
    // Each further attempt comes later: five are longer than the moment in which two signals count as one.
    await until(() => child.stderr.split('upload failed').length > 5, { what: 'the uploads fail' });
    child.kill('SIGTERM');
    const ended = await child.ended;
    assert.equal(ended.code, 143, ended.stderr);
  });

  test('a missing database, an empty one, and a file that is none are three different answers', async (t) => {
    const dir = temporaryDirectory(t);
    const at = (name: string): string => join(dir, name);
    writeFileSync(at('empty.db'), '');
    writeFileSync(at('text.db'), 'This is not a database, but it is longer than a hundred bytes. '.repeat(3));
    await fails(['replicate', at('none.db'), at('a'), '--once'], { exit: 2, code: 'database-missing' });
    await fails(['replicate', at('empty.db'), at('a'), '--once'], { exit: 2, code: 'database-empty' });
    await fails(['replicate', at('text.db'), at('a'), '--once'], { exit: 2, code: 'not-a-database' });
    await fails(['replicate', dir, at('a'), '--once'], { exit: 2, code: 'not-a-database' });
    assert.ok(!existsSync(at('a')), 'no archive was made');
  });

  test('a database in rollback-journal mode is refused, and the hint is the pragma', async (t) => {
    const dir = temporaryDirectory(t);
    const db = new DatabaseSync(join(dir, 'app.db'));
    db.exec('CREATE TABLE t (a)');
    db.close();
    await fails(['replicate', join(dir, 'app.db'), join(dir, 'a'), '--once'], {
      exit: 2,
      code: 'not-wal',
      hint: /journal_mode=WAL/,
    });
  });

  test('a database that may not be read and an archive that may not be written are named', async (t) => {
    const { database, archive, dir, db } = scene(t);
    db.close();
    const uid = process.getuid?.() === 0 ? { uid: NOBODY } : {};
    chmodSync(dir, 0o777);
    chmodSync(database, 0o000);
    await fails(['replicate', database, archive, '--once'], { exit: 2, code: 'database-forbidden' }, uid);
    chmodSync(database, 0o666);
    mkdirSync(archive, 0o555);
    await fails(['replicate', database, archive, '--once'], { exit: 2, code: 'file-forbidden' }, uid);
    db.open();
  });

  test("a database that is not the archive's is refused, and --continue overrules that", async (t) => {
    const { archive, dir, database } = await archived(t);
    const other = join(dir, 'other.db');
    const db = new DatabaseSync(other);
    t.after(() => db.close());
    db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (7)');
    await fails(['replicate', other, archive, '--once'], {
      exit: 4,
      code: 'database-differs',
      hint: /--continue/,
    });
    assert.equal((await cli(['replicate', other, archive, '--once', '--continue'])).code, 0);
    assert.equal((await cli(['restore', archive, '-o', join(dir, 'r.db')])).code, 0);
    assert.equal(rowsOf(join(dir, 'r.db')), 1);
    assert.equal((await cli(['restore', archive, '--txid', '3', '-o', join(dir, 'r3.db')])).code, 0);
    assert.equal(rowsOf(join(dir, 'r3.db')), 3, 'what was there stays restorable');
    await fails(['replicate', database, archive, '--once'], { exit: 4, code: 'other-writer' });
  });
});
