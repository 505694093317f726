/**
 * docs/guide/start.md, typed line by line into one bash, as a reader would.
 *
 * Only the installation is left out, which whoever runs this test has done. Paths are moved to a fresh
 * directory.
 */

import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../support/cli.ts';
import { scene } from '../support/cli-scene.ts';
import { assertArchivesKeepTheRules } from '../support/archives.ts';
import { temporaryDirectory } from '../support/temp.ts';

const GUIDE = readFileSync(join(ROOT, 'docs/guide/start.md'), 'utf8');
const INSTALLATION = 'npm ci\n';

test('every command of the guide works, in order, as written', (t) => {
  const blocks = [...GUIDE.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? '');
  assert.equal(blocks.filter((block) => block === INSTALLATION).length, 1, 'the guide says how to install');
  const typed = blocks.filter((block) => block !== INSTALLATION);
  assert.ok(typed.length >= 10, `only ${typed.length} blocks of commands found`);
  const place = join(temporaryDirectory(t, assertArchivesKeepTheRules), 'start');
  const script = typed.map((block) => block.replaceAll('/tmp/millrace-start', place)).join('\n');
  const ended = spawnSync(
    'bash',
    ['-euo', 'pipefail', '-c', `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${script}`],
    {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` },
    },
  );
  assert.equal(ended.status, 0, `${ended.stdout}\n${ended.stderr}`);
  const said = ended.stdout.replaceAll('[Object: null prototype] ', '');
  assert.match(said, /integrity_check: 'ok'/);
  assert.match(said, /^state +current/m, 'after an orderly stop everything is in the archive');
  const counts = [...said.matchAll(/visits: (\d+)/g)].map((match) => Number(match[1]));
  assert.equal(counts.length, 2, said);
  const [newest = 0, earlier = 0] = counts;
  assert.ok(newest > earlier && earlier > 0, `${newest} visits restored, ${earlier} at the earlier moment`);
});

test('every command that the README names exists', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const verbs = [...readme.matchAll(/npm run -s millrace -- (\w+)/g)].map((match) => match[1] ?? '');
  assert.ok(verbs.length >= 4, `only ${verbs.length} commands found`);
  for (const verb of verbs) {
    const ended = spawnSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), verb, '--help'], {
      encoding: 'utf8',
    });
    assert.equal(ended.status, 0, verb);
  }
});

test('SIGTERM to the `npm run` of the README reaches Millrace, which ends in good order', async (t) => {
  const { database, archive } = scene(t);
  const npm = spawn('npm', ['run', '-s', 'millrace', '--', 'replicate', database, archive, '--json'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => npm.kill('SIGKILL'));
  const closed = once(npm, 'close');
  const events: unknown[] = [];
  for await (const line of createInterface({ input: npm.stdout })) {
    const { event } = JSON.parse(line) as { event: unknown };
    events.push(event);
    if (event === 'durable') npm.kill('SIGTERM');
  }
  assert.deepEqual(await closed, [0, null]);
  assert.equal(events.at(-1), 'ended');
});
