/**
 * Builds `dist/` for publishing: JavaScript and declarations of `src/`, and nothing else.
 *
 * The trap: `tsc` rewrites `.ts` in import statements only. A module that is started by its URL (a worker,
 * a child) is named by a string; that its JavaScript exists is checked here, that its name is chosen at run
 * time is src/cli/module-url.ts.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const modulePath = /['"](\.{1,2}\/[^'"\s]+)\.ts['"]/g;

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});

for (const file of globSync('**/*.js', { cwd: dist })) {
  for (const [, path] of readFileSync(join(dist, file), 'utf8').matchAll(modulePath)) {
    const target = join(dirname(join(dist, file)), `${path}.js`);
    if (!existsSync(target)) throw new Error(`dist/${file} names ${path}.ts, but there is no ${path}.js`);
  }
}

const main = join(dist, 'cli/main.js');
if (!readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n')) {
  throw new Error('dist/cli/main.js must begin with #!/usr/bin/env node');
}
chmodSync(main, 0o755);
