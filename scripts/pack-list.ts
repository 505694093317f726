/**
 * What `npm pack` would publish, compared with scripts/pack-list.txt, which somebody reviewed.
 *
 *   node scripts/pack-list.ts           exit code 1 where they differ
 *   node scripts/pack-list.ts --write   writes the list
 *
 * Expects `dist/` to be built.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lineDifference } from './check/line-difference.ts';

/** The largest that the core may be, unpacked, in bytes, without its dependencies. */
const UNPACKED_BYTES_MAX = 4 * 1024 * 1024;

interface Packed {
  readonly files: readonly { readonly path: string }[];
  readonly unpackedSize: number;
}

const root = resolve(import.meta.dirname, '..');
const listPath = join(root, 'scripts/pack-list.txt');

const [packed]: readonly Packed[] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }),
);
if (packed === undefined) throw new Error('npm pack said nothing');
const list = `${packed.files
  .map(({ path }) => path)
  .toSorted()
  .join('\n')}\n`;

if (process.argv.includes('--write')) {
  writeFileSync(listPath, list);
} else {
  const difference = lineDifference(existsSync(listPath) ? readFileSync(listPath, 'utf8') : '', list);
  if (difference.length > 0) {
    console.error(
      `${difference.join('\n')}\nThe published files changed. Reviewed? node scripts/pack-list.ts --write`,
    );
    process.exitCode = 1;
  }
  if (packed.unpackedSize > UNPACKED_BYTES_MAX) {
    console.error(`${packed.unpackedSize} bytes unpacked; at most ${UNPACKED_BYTES_MAX}`);
    process.exitCode = 1;
  }
}
