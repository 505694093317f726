/** `millrace restore`: targets, moments, damaged archives, and what is in the way. */

import { after, before, suite, test } from 'node:test';
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cli, errorOf, resultOf } from '../support/cli.ts';
import { archived, fails, rowsOf, scene } from '../support/cli-scene.ts';
import type { Ending, Scene } from '../support/cli-scene.ts';
import { temporaryDirectory } from '../support/temp.ts';

suite('restore', { concurrency: true }, () => {
  /** Read by all tests, changed by none. */
  let whole: Scene;
  const endings: (() => void | Promise<void>)[] = [];
  before(async () => {
    whole = await archived({ after: (action) => endings.unshift(action) });
  });
  after(async () => {
    for (const end of endings) await end();
  });

  /** A copy of the archive, to be damaged. */
  function copied(t: Ending): { archive: string; dir: string } {
    const dir = temporaryDirectory(t);
    const archive = join(dir, 'archive');
    cpSync(whole.archive, archive, { recursive: true, preserveTimestamps: true });
    return { archive, dir };
  }

  test('the newest state, a TXID and a moment are what they were', async (t) => {
    const { archive } = whole;
    const dir = temporaryDirectory(t);
    const ls = resultOf(await cli(['ls', archive, '--json'])) as { files: { modifiedMs: number }[] };
    const second = new Date(ls.files[1]?.modifiedMs ?? 0).toISOString();
    const restored = async (...flags: readonly string[]): Promise<number> => {
      const to = join(dir, `r${flags.join('').replaceAll(/\W/g, '')}.db`);
      const report = resultOf(await cli(['restore', archive, '-o', to, ...flags, '--json']));
      assert.match(String(report['txid']), /^[0-9a-f]{16}$/);
      return rowsOf(to);
    };
    assert.equal(await restored(), 3);
    assert.equal(await restored('--txid', '1'), 1);
    assert.equal(await restored('--at', second), 2);
    assert.equal(await restored('--at', '0s ago'), 3);
  });

  test('--dry-run plans, writes nothing, and needs no place', async (t) => {
    const { archive } = whole;
    const dir = temporaryDirectory(t);
    const plan = resultOf(await cli(['restore', archive, '--dry-run', '--json'], { cwd: dir }));
    assert.equal(plan['outcome'], 'planned');
    assert.equal(plan['txid'], '0000000000000003');
    assert.deepEqual(readdirSync(dir), []);
  });

  test('a database that is gone is found in its archive by its own name', async (t) => {
    const { database, db } = await archived(t);
    db.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(database + suffix, { force: true });
    assert.equal((await cli(['restore', database])).code, 0);
    assert.equal(rowsOf(database), 3);
    db.open();
  });

  test('a target that exists is left alone without --force, and one in use always', async (t) => {
    const { archive, database } = whole;
    const target = join(temporaryDirectory(t), 'target.db');
    writeFileSync(target, 'precious');
    await fails(['restore', archive, '-o', target], { exit: 2, code: 'target-exists', hint: /--force/ });
    assert.equal(readFileSync(target, 'utf8'), 'precious');
    assert.equal((await cli(['restore', archive, '-o', target, '--force'])).code, 0);
    assert.equal(rowsOf(target), 3);
    await fails(['restore', archive, '-o', database, '--force'], { exit: 4, code: 'target-in-use' });
  });

  test('a moment or a TXID outside the archive is refused, and the answer says what there is', async (t) => {
    const { archive } = whole;
    const to = join(temporaryDirectory(t), 'r.db');
    await fails(['restore', archive, '-o', to, '--at', '2001-01-01T00:00:00Z'], {
      exit: 2,
      code: 'time-outside-archive',
      hint: /0000000000000001 of \d{4}-\d\d-\d\dT/,
    });
    await fails(['restore', archive, '-o', to, '--txid', 'ff'], {
      exit: 2,
      code: 'txid-outside-archive',
      hint: /0000000000000003/,
    });
    assert.ok(!existsSync(to));
  });

  test('an empty archive, a missing -o, and a database without a state are named', async (t) => {
    const { database, dir } = scene(t);
    mkdirSync(join(dir, 'void'));
    await fails(['restore', join(dir, 'void'), '-o', join(dir, 'r.db')], { exit: 2, code: 'archive-empty' });
    await fails(['ls', join(dir, 'void')], { exit: 2, code: 'archive-empty' });
    await fails(['restore', join(dir, 'void')], { exit: 2, code: 'output-missing', hint: /-o FILE/ });
    await fails(['restore', database], { exit: 2, code: 'source-unknown', hint: /millrace restore file:/ });
    await fails(['status', database], { exit: 2, code: 'not-replicated', hint: /millrace replicate/ });
  });

  test('a damaged object is named, exits with 7, and nothing is at the target', async (t) => {
    const { archive, dir } = copied(t);
    const object = join(archive, 'ltx/0/0000000000000002-0000000000000002.ltx');
    const bytes = readFileSync(object);
    bytes[120] = (bytes[120] ?? 0) ^ 0xff;
    writeFileSync(object, bytes);
    const to = join(dir, 'r.db');
    const machine = await cli(['restore', archive, '-o', to, '--json']);
    assert.equal(machine.code, 7, machine.stderr);
    const error = errorOf(machine);
    assert.equal(error.kind, 'corrupt');
    assert.match(error.message, /0000000000000002-0000000000000002\.ltx/);
    assert.ok(!existsSync(to));
    const ltx = await cli(['ltx', object, '--json']);
    assert.equal(ltx.code, 7, ltx.stdout);
    assert.equal(errorOf(ltx).kind, 'corrupt');
  });

  test('ls shows the times that --at goes by, also of an archive that was copied', async (t) => {
    const { archive } = copied(t);
    const second = join(archive, 'ltx/0/0000000000000002-0000000000000002.ltx');
    const { timestampMs } = resultOf(await cli(['ltx', second, '--json'])) as { timestampMs: number };
    utimesSync(second, 1, 1);
    const ls = await cli(['ls', archive]);
    const row = `0000000000000002  ${new Date(timestampMs).toISOString()} `;
    assert.ok(ls.stdout.includes(row), ls.stdout);
    await fails(['ls', second], { exit: 2, code: 'not-an-archive', hint: /millrace status/ });
  });

  test('a missing object is a gap, exits with 6, and ls shows it', async (t) => {
    const { archive, dir } = copied(t);
    rmSync(join(archive, 'ltx/0/0000000000000002-0000000000000002.ltx'));
    await fails(['restore', archive, '-o', join(dir, 'r.db')], {
      exit: 6,
      code: 'archive-gap',
      hint: /--txid/,
    });
    const ls = await cli(['ls', archive]);
    assert.match(ls.stdout, /MISSING +TXID 0000000000000002/);
  });
});
