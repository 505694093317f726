/**
 * Writes the pages of docs/reference/ that are generated from the program itself. `scripts/docs.test.ts`
 * fails where a page is not what this would write.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { cliReference, exitCodesReference } from '../src/cli/reference.ts';

const root = resolve(import.meta.dirname, '..');

/** Path → text of every generated page. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/cli.md': cliReference,
  'docs/reference/exit-codes.md': exitCodesReference,
};

if (import.meta.main) {
  for (const [path, text] of Object.entries(PAGES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text());
  }
}
