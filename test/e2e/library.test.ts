/** The public API, used as its own example says, in a process beside the application. */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { ROOT } from '../support/cli.ts';
import { assertArchivesKeepTheRules } from '../support/archives.ts';
import { temporaryDirectory } from '../support/temp.ts';

test('the example in src/index.ts replicates and restores', (t) => {
  const dir = temporaryDirectory(t, assertArchivesKeepTheRules);
  const db = new DatabaseSync(join(dir, 'app.db'));
  t.after(() => db.close());
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)');
  const source = readFileSync(join(ROOT, 'src/index.ts'), 'utf8');
  const [, example = ''] = /@example\n([\s\S]*?)\n \*\//.exec(source) ?? [];
  const lines = example.split('\n').map((line) => line.replace(/^ \* ?/, ''));
  assert.ok(lines.length > 5, 'the example is found');
  const script = lines
    .join('\n')
    .replace("'millrace'", `'${pathToFileURL(join(ROOT, 'src/index.ts')).href}'`)
    .replaceAll('/srv/', `${dir}/`)
    .replaceAll('file:///backup', pathToFileURL(join(dir, 'backup')).href);
  writeFileSync(join(dir, 'example.mjs'), script);
  const ended = spawnSync(process.execPath, [join(dir, 'example.mjs')], { encoding: 'utf8' });
  assert.equal(ended.status, 0, ended.stderr);
  const restored = new DatabaseSync(join(dir, 'restored.db'));
  t.after(() => restored.close());
  assert.equal(restored.prepare('SELECT count(*) AS rows FROM t').get()?.['rows'], 2);
});
