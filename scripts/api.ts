/**
 * The public API as text: every declaration that `src/index.ts` exports, and every one that those mention,
 * compared with docs/reference/api.d.ts, which somebody reviewed.
 *
 *   node scripts/api.ts           exit code 1 where they differ
 *   node scripts/api.ts --write   writes it
 *
 * Expects `dist/` to be built. `index.d.ts` alone would not do: it only names what other files declare.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { declarationsParse, publicApi } from './check/declarations.ts';
import { lineDifference } from './check/line-difference.ts';

const root = resolve(import.meta.dirname, '..');
const apiPath = join(root, 'docs/reference/api.d.ts');

const api = publicApi('index.d.ts', (path) => {
  const file = join(root, 'dist', path);
  if (!existsSync(file)) throw new Error(`dist/${path} is not there: node scripts/build.ts`);
  return declarationsParse(path, readFileSync(file, 'utf8'));
});
const header =
  '// The public API of Millrace. Written by scripts/api.ts --write: a change here is a change of the API.';
const text = `${header}\n\n${api}`;

if (process.argv.includes('--write')) {
  writeFileSync(apiPath, text);
} else {
  const difference = lineDifference(existsSync(apiPath) ? readFileSync(apiPath, 'utf8') : '', text);
  if (difference.length > 0) {
    console.error(`${difference.join('\n')}\nThe public API changed. Reviewed? node scripts/api.ts --write`);
    process.exitCode = 1;
  }
}
