/**
 * The lint configuration sees what it bans: a file that breaks every ban is linted, in a room where it is
 * banned and in one where it is not.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../test/support/temp.ts';

const root = resolve(import.meta.dirname, '..');

/** Code that is banned between the ports, and what the complaint must say. */
const BANNED: readonly (readonly [code: string, says: RegExp])[] = [
  ['new Date();', /Clock port/],
  ['performance.now();', /Clock port/],
  ['setTimeout(() => 0, 5);', /clock\.sleep/],
  ['setInterval(() => 0, 5);', /clock\.sleep/],
  ['setImmediate(() => 0);', /clock\.yield/],
  ['queueMicrotask(() => 0);', /clock\.yield/],
  ['AbortSignal.timeout(5);', /AbortSignal\.timeout/],
  ['Math.random();', /Math\.random/],
  ["void fetch('http://localhost');", /take an ObjectStore/],
  ['process.exit(1);', /src\/host and src\/cli/],
  ['globalThis.process.exit(1);', /globalThis\.process/],
  ["Buffer.from('a');", /Uint8Array/],
  ["void crypto.subtle.digest('SHA-256', new Uint8Array());", /crypto/],
  ["import { readFileSync } from 'node:fs';\nreadFileSync('a');", /node:fs/],
  ["import { DatabaseSync } from 'node:sqlite';\nvoid DatabaseSync;", /node:sqlite/],
  ["import { pino } from 'pino';\npino();", /pino/],
];

/** Banned everywhere. */
const BANNED_EVERYWHERE: readonly (readonly [code: string, says: RegExp])[] = [
  ['export default 1;', /named exports/],
  ['const later = async (): Promise<void> => {};\nlater();', /Promises must be awaited/],
  [
    'const f = (a: 1, b: 2, c: 3, d: 4, e: 5): number => a + b + c + d + e;\nf(1, 2, 3, 4, 5);',
    /too many param/,
  ],
  ['throw 5;', /error object/],
];

interface Lint {
  readonly diagnostics: readonly {
    readonly message: string;
    readonly help?: string;
    readonly filename: string;
  }[];
}

/** Lints `files` under the repository's configuration; what was said of each. */
function lint(dir: string, files: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  for (const name of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(join(root, name), join(dir, name));
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  const args = ['--type-aware', '--format=json', ...Object.keys(files)];
  const ran = spawnSync(join(root, 'node_modules/.bin/oxlint'), args, { cwd: dir, encoding: 'utf8' });
  const { diagnostics }: Lint = JSON.parse(ran.stdout);
  const said = new Map(Object.keys(files).map((path) => [path, '']));
  for (const { filename, message, help } of diagnostics) {
    said.set(filename, `${said.get(filename) ?? ''}${message} ${help ?? ''}\n`);
  }
  return said;
}

test('what belongs to a port is banned in the engine and in the simulator, and allowed on the host', (t) => {
  const files = Object.fromEntries(
    BANNED.flatMap(([code], index) =>
      ['src/engine', 'sim/scenarios', 'src/host'].map((room) => [
        `${room}/case-${index}.ts`,
        `${code}\nexport const here = 1;\n`,
      ]),
    ),
  );
  const said = lint(temporaryDirectory(t), files);
  BANNED.forEach(([code, says], index) => {
    assert.match(said.get(`src/engine/case-${index}.ts`) ?? '', says, code);
    assert.match(said.get(`sim/scenarios/case-${index}.ts`) ?? '', says, code);
    assert.doesNotMatch(said.get(`src/host/case-${index}.ts`) ?? '', /\bport\b|restricted/, code);
  });
});

test('default exports, floating promises, long parameter lists and thrown values are always banned', (t) => {
  const files = Object.fromEntries(
    BANNED_EVERYWHERE.map(([code], index) => [
      `src/host/case-${index}.ts`,
      `${code}\nexport const here = 1;\n`,
    ]),
  );
  const said = lint(temporaryDirectory(t), files);
  BANNED_EVERYWHERE.forEach(([code, says], index) => {
    assert.match(said.get(`src/host/case-${index}.ts`) ?? '', says, code);
  });
});
