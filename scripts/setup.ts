/**
 * Installs the Debian packages that some tests need, where they are missing. Changes nothing where all are
 * there.
 *
 * Without them `npm test` skips those tests and says so; with CI=true they fail.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Program → the package that brings it, and the tests that run it. */
const PROGRAMS = {
  sqlite3: {
    debian: 'sqlite3',
    for: "interoperability tests: SQLite's own shell reads what Millrace writes",
  },
} as const;

/** Whether `program` is on the PATH. */
function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Runs apt-get, showing its output. */
function aptGet(...args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', args, { stdio: 'inherit', env }).status === 0;
}

const missing = Object.entries(PROGRAMS).filter(([program]) => !isInstalled(program));
for (const [program, what] of missing) console.log(`missing: ${program} (${what.for})`);

if (missing.length === 0) {
  console.log(`setup: ${Object.keys(PROGRAMS).join(', ')} found; nothing to do`);
} else {
  const packages = missing.map(([, what]) => what.debian);
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!isInstalled('apt-get')) {
    console.error(`setup: this is no Debian system; install by hand: ${packages.join(' ')}`);
    process.exitCode = 1;
  } else if (process.getuid?.() !== 0) {
    console.error(`setup: needs root; type: sudo ${command}`);
    process.exitCode = 1;
  } else {
    aptGet('update', '-qq');
    if (!aptGet('install', '-y', '--no-install-recommends', ...packages)) process.exitCode = 1;
  }
}
