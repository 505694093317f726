/** The archives that a test leaves on the disk are held to the rules that every archive keeps. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { archiveOpen, hostMachine } from '../../src/cli/machine.ts';
import { lintArchive } from './archive-lint.ts';

/** Lints every archive below `dir`. */
export async function assertArchivesKeepTheRules(dir: string): Promise<void> {
  const machine = hostMachine();
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (!entry.isDirectory() || entry.name !== '0' || !entry.parentPath.endsWith('/ltx')) continue;
    const root = dirname(entry.parentPath);
    assert.deepEqual(await lintArchive(archiveOpen(machine, root)), [], root);
  }
}
