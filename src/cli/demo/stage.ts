/**
 * The demo's directory: what is deleted after the kill, and what is not (the archive, and the
 * acknowledgements).
 */

import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Stage {
  readonly dir: string;
  /** The application's directory: database, WAL, and Millrace's state beside them. */
  readonly local: string;
  readonly database: string;
  readonly url: string;
  readonly acknowledgements: string;
}

/** Makes the directories of one demo. */
export function stageMake(): Stage {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-demo-'));
  const local = join(dir, 'app');
  mkdirSync(local);
  return {
    dir,
    local,
    database: join(local, 'app.db'),
    url: pathToFileURL(join(dir, 'archive')).href,
    acknowledgements: join(dir, 'acknowledgements.txt'),
  };
}

/** Deletes everything local, as a dead disk would; says what it was. */
export function localDelete(stage: Stage): { readonly names: readonly string[]; readonly bytes: number } {
  const names = readdirSync(stage.local);
  const bytes = sizeOf(stage.local);
  rmSync(stage.local, { recursive: true });
  return { names, bytes };
}

/** Removes the demo's directory. */
export function stageRemove(stage: Stage): void {
  rmSync(stage.dir, { recursive: true, force: true });
}

/** Bytes of a file, or of all files below a directory. */
function sizeOf(path: string): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
