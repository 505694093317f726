/**
 * The command line itself, and the commands that only look: every mistake has an exit code, a stable code,
 * a hint.
 */

import { suite, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cli, MAIN, resultOf } from '../support/cli.ts';
import { archived, fails } from '../support/cli-scene.ts';

suite('what is typed', { concurrency: true }, () => {
  test('help says what there is, and exits with 0', async () => {
    for (const verb of ['replicate', 'restore', 'status', 'ls', 'ltx', 'demo']) {
      const ended = await cli([verb, '--help']);
      assert.equal(ended.code, 0);
      assert.match(ended.stdout, new RegExp(`^Usage: millrace ${verb}`));
      assert.match(ended.stdout, /--json/);
      assert.match(ended.stdout, /Examples:/);
    }
    assert.equal((await cli(['--help'])).code, 0);
    assert.equal((await cli([])).code, 2);
  });

  test('help loads nothing of the engine', async () => {
    const ended = spawnSync(process.execPath, [MAIN, '--help'], {
      encoding: 'utf8',
      env: { ...process.env, NODE_DEBUG: 'esm' },
    });
    assert.match(ended.stdout, /Usage/);
    assert.match(ended.stderr, /program\.ts/, 'the loaded modules are listed');
    assert.doesNotMatch(ended.stderr, /src\/(engine|host|storage|format)\//);
  });

  test('an unknown option or command is answered with the one that was meant', async () => {
    await fails(['restore', '--forec', 'x'], {
      exit: 2,
      code: 'usage-unknown-option',
      hint: /Did you mean --force\?/,
    });
    await fails(['replciate', 'a', 'b'], {
      exit: 2,
      code: 'usage-unknown-command',
      hint: /Did you mean replicate\?/,
    });
    const person = await cli(['restore', '--forec', 'x']);
    assert.equal(person.code, 2);
    assert.match(
      person.stderr,
      /^millrace: unknown option '--forec' \(usage-unknown-option\)\n  hint: Did you mean --force\?/,
    );
  });

  test('missing, surplus and contradictory arguments are refused', async () => {
    await fails(['replicate', 'a.db'], {
      exit: 2,
      code: 'usage-missing-argument',
      hint: /millrace replicate --help/,
    });
    await fails(['ls', 'a', 'b'], { exit: 2, code: 'usage-excess-arguments' });
    await fails(['restore', 'a', '--at', '-5m', '--txid', '1'], {
      exit: 2,
      code: 'usage-conflicting-option',
    });
    await fails(['replicate', 'a', 'b', '--upload-interval', '1s'], {
      exit: 2,
      code: 'usage-invalid-argument',
    });
  });

  test('a malformed TXID, time or URL is refused, and the hint shows a good one', async () => {
    await fails(['restore', 'a', '--txid', '12g'], { exit: 2, code: 'txid-malformed', hint: /1f/ });
    await fails(['restore', 'a', '--at', 'noon'], { exit: 2, code: 'time-malformed', hint: /5m ago/ });
    await fails(['restore', 'a', '--at', '2026-01-01T00:00:00'], {
      exit: 2,
      code: 'time-malformed',
      hint: /Z/,
    });
    await fails(['ls', 's3://bucket/app'], { exit: 2, code: 'store-scheme', hint: /file:\/\// });
    await fails(['ls', 'flie:///backup'], {
      exit: 2,
      code: 'store-scheme',
      hint: /did you mean file:\/\/\/backup/,
    });
  });
});

suite('looking', { concurrency: true }, () => {
  test('status compares with the archive: current after --once, behind after a commit', async (t) => {
    const { database, db } = await archived(t);
    const current = resultOf(await cli(['status', database, '--json']));
    assert.deepEqual(
      [current['txid'], current['lag'], current['isReplicated']],
      ['0000000000000003', 'current', false],
    );
    db.exec('INSERT INTO t VALUES (4)');
    const behind = resultOf(await cli(['status', database, '--json']));
    assert.equal(behind['lag'], 'behind');
    assert.ok(Number(behind['behindBytes']) > 0);
    db.close();
    const closed = resultOf(await cli(['status', database, '--json']));
    assert.equal(closed['lag'], 'behind');
    db.open();
  });

  test('ltx describes and verifies a file', async (t) => {
    const { archive } = await archived(t);
    const file = join(archive, 'ltx/0/0000000000000001-0000000000000001.ltx');
    const ltx = resultOf(await cli(['ltx', file, '--json']));
    assert.deepEqual(
      [ltx['minTxid'], ltx['maxTxid'], ltx['isSnapshot'], ltx['isVerified'], ltx['pageSize']],
      ['0000000000000001', '0000000000000001', true, true, 4096],
    );
    await fails(['ltx', join(archive, 'none.ltx')], { exit: 2, code: 'file-missing' });
  });
});
