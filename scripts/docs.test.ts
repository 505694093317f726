/** The documents: links lead somewhere, commands exist, generated pages are current. */

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { suite, test } from 'node:test';
import { PAGES } from './docs.ts';

const root = resolve(import.meta.dirname, '..');

/** Relative links of a page that lead nowhere. `exists` answers for paths relative to the root. */
function deadLinks(path: string, text: string, exists: (path: string) => boolean): string[] {
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)]
    .map(([, target]) => join(dirname(path), target ?? ''))
    .filter((target) => !exists(target))
    .map((target) => `${path} links to ${target}`);
}

/** Paths of this repository in backquotes that do not exist. */
function deadPaths(path: string, text: string, exists: (path: string) => boolean): string[] {
  return [...text.matchAll(/`((?:src|sim|test|docs|scripts|kernel|bench)\/[\w./-]*\w)`/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !exists(target))
    .map((target) => `${path} names ${target}`);
}

/** npm scripts that a page tells people to run and that package.json does not have. */
function deadScripts(path: string, text: string, scripts: readonly string[]): string[] {
  return [...text.matchAll(/npm run (?:-s )?([\w:]+)/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => !scripts.includes(name))
    .map((name) => `${path} runs npm run ${name}`);
}

const pages = globSync('{*.md,docs/**/*.md,bench/*.md}', { cwd: root }).toSorted();

function everyPage(find: (path: string, text: string) => readonly string[]): string[] {
  return pages.flatMap((path) => find(path, readFileSync(join(root, path), 'utf8')));
}

suite('documents', () => {
  const nothing = (): boolean => false;

  test('a dead link, path and script are seen', () => {
    assert.deepEqual(deadLinks('docs/a.md', '[x](../b.md#c) [y](https://x.y) [z](#z)', nothing), [
      'docs/a.md links to b.md',
    ]);
    assert.deepEqual(deadPaths('a.md', '`src/base/b.ts` and `npm ci`', nothing), [
      'a.md names src/base/b.ts',
    ]);
    assert.deepEqual(deadScripts('a.md', '`npm run -s nope`; npm run check:long', ['check:long']), [
      'a.md runs npm run nope',
    ]);
  });

  test('every link and every path leads somewhere', () => {
    assert.ok(pages.length >= 10, `only ${pages.length} pages were seen`);
    const exists = (path: string): boolean => existsSync(join(root, path));
    // What a build or a command makes is not in the tree.
    const made = (path: string): boolean => exists(path) || path === 'bench/RESULTS.md';
    assert.deepEqual(
      [...everyPage((p, t) => deadLinks(p, t, exists)), ...everyPage((p, t) => deadPaths(p, t, made))],
      [],
    );
  });

  test('every npm script that a page names exists', () => {
    const manifest: { scripts: Record<string, string> } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    assert.deepEqual(
      everyPage((path, text) => deadScripts(path, text, Object.keys(manifest.scripts))),
      [],
    );
  });

  for (const [path, text] of Object.entries(PAGES)) {
    test(`${path} is what node scripts/docs.ts writes`, () => {
      assert.equal(readFileSync(join(root, path), 'utf8'), text());
    });
  }
});
