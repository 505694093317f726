/** The package that would be published installs without development dependencies or scripts, and runs. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../support/temp.ts';

const root = resolve(import.meta.dirname, '../..');

function npm(cwd: string, ...args: readonly string[]): string {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  return execFileSync('npm', [...args, ...quiet], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('the packed package installs without scripts, and `millrace --help` and the import work', (t) => {
  const dir = temporaryDirectory(t);
  npm(root, 'pack', '--pack-destination', dir);
  const [tarball] = globSync('*.tgz', { cwd: dir });
  assert.ok(tarball, 'npm pack made a tarball');

  writeFileSync(join(dir, 'package.json'), '{"name":"user","private":true,"type":"module"}');
  npm(dir, 'install', '--prefer-offline', '--omit=dev', '--ignore-scripts', `./${tarball}`);

  const bin = join(dir, 'node_modules/.bin/millrace');
  const help = execFileSync(process.execPath, [bin, '--help'], { cwd: dir, encoding: 'utf8' });
  assert.match(help, /Usage: millrace/);
  for (const verb of ['replicate', 'restore', 'status', 'ls'])
    assert.match(help, new RegExp(`\\b${verb}\\b`));
  // By its own name too: the shebang, the executable bit, and the link that npm made.
  const version = execFileSync(bin, ['--version'], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` },
  });
  const manifest: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  assert.ok(version.includes(manifest.version), `--version says ${version}`);

  const script = "const m = await import('millrace'); console.log(Object.keys(m).length)";
  const names = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: dir,
    encoding: 'utf8',
  });
  assert.ok(Number(names) > 0, 'the library exports something');
  const foreign = globSync('node_modules/millrace/**/*.{ts,tgz}', { cwd: dir }).filter(
    (path) => !path.endsWith('.d.ts'),
  );
  assert.deepEqual(foreign, [], 'no sources are published');
});
