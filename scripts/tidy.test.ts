/**
 * Tidy: the rules of this house that a program can check. Every rule is first shown a file that breaks it, so
 * that a rule that sees nothing fails here.
 */

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { before, suite, test } from 'node:test';
import { type Complaint, LIMITS, type Rule, RULES } from './tidy/rules.ts';
import { type Source, sourceParse } from './tidy/source.ts';
import {
  citationComplaints,
  deadFileComplaints,
  decisionComplaints,
  invariantComplaints,
  invariantsParse,
  roomComplaints,
  type Rooms,
} from './tidy/tree.ts';

const root = resolve(import.meta.dirname, '..');

/**
 * Which room may import which. A room imports only to its left; what stands at the end of the line imports
 * any.
 */
const ROOMS: Rooms = {
  base: [],
  format: ['base'],
  storage: ['base', 'format'],
  engine: ['base', 'format', 'storage'],
  live: ['base', 'format', 'storage', 'engine'],
  cluster: ['base', 'format', 'storage', 'engine', 'live'],
  fleet: ['base', 'format', 'storage', 'engine', 'live', 'cluster'],
  ingest: ['base', 'format', 'storage', 'engine'],
  server: ['base', 'format', 'storage', 'engine', 'live', 'cluster', 'fleet', 'ingest'],
  dashboard: ['base', 'format'],
  host: ['base'],
  cli: 'any',
  index: 'any',
  sim: ['base', 'format', 'storage', 'engine', 'live', 'cluster', 'fleet', 'ingest', 'server', 'test'],
  kernel: ['base', 'format'],
  scripts: ['base', 'format', 'cli', 'kernel'],
  bench: 'any',
  test: 'any',
};

/** Files that are started by name, by a person or a program. */
const ENTRIES: readonly RegExp[] = [
  /\.test\.ts$/,
  /^src\/index\.ts$/,
  /^src\/cli\/main\.ts$/,
  /^sim\/main\.ts$/,
  /^bench\/[^/]+\.ts$/,
  /^scripts\/[^/]+\.ts$/,
];

const FOLDERS = '{src,sim,test,bench,scripts,kernel}';

/** Every file of ours. AssemblyScript is another language, and golden files are data. */
function sourcesRead(): Source[] {
  return globSync(`${FOLDERS}/**/*.ts`, { cwd: root })
    .filter((path) => !path.startsWith('kernel/assembly/') && !path.endsWith('.d.ts'))
    .toSorted()
    .map((path) => sourceParse(path, readFileSync(resolve(root, path), 'utf8')));
}

function documentsRead(glob: string): string[] {
  return globSync(glob, { cwd: root }).map((path) => readFileSync(resolve(root, path), 'utf8'));
}

function clean(complaints: readonly Complaint[]): void {
  const list = complaints.map(({ path, line, message }) => `${path}:${line} ${message}`).join('\n');
  assert.ok(complaints.length === 0, `\n${list}\n`);
}

/** One file that breaks each rule, and one near it that does not. */
const EXAMPLES: Readonly<Record<keyof typeof RULES, { path?: string; bad: string; good: string }>> = {
  fileLength: { bad: '\n'.repeat(LIMITS.fileLines + 1), good: '\n'.repeat(LIMITS.fileLines) },
  functionLength: {
    bad: `function f() {${'\n'.repeat(LIMITS.functionLines)}}`,
    good: `function f() {${'\n'.repeat(LIMITS.functionLines - 1)}}`,
  },
  parameterCount: {
    bad: 'const f = (a: 1, b: 2, c: 3, d: 4, e: 5) => a;',
    good: 'const f = (a: 1, b: 2, c: 3, d: 4) => a;',
  },
  lineLength: { bad: `// ${'x'.repeat(LIMITS.columns - 2)}`, good: `// ${'x'.repeat(LIMITS.columns - 3)}` },
  namedExports: { bad: 'const a = 1;\nexport { a as default };', good: 'export const a = 1;' },
  erasable: { bad: 'enum Role { primary }', good: "type Role = 'primary';" },
  commentWords: { bad: '// TO'.concat('DO'), good: "const a = 'a string may say it';" },
  fileHeader: { bad: 'export const a = 1;', good: '#!/usr/bin/env node\n/** What this is. */' },
  fileName: { path: 'src/base/string-utils.ts', bad: '', good: '' },
  identifierWords: { bad: 'interface A { lastSync: number }', good: 'const fsync = readFileSync;' },
  sleep: { bad: 'setTimeout(() => {}, 1);', good: 'await clock.sleep(1);' },
};

suite('each rule sees what breaks it', () => {
  for (const [name, rule] of Object.entries<Rule>(RULES)) {
    test(name, () => {
      const example = EXAMPLES[name];
      assert.ok(example, `${name} has no example`);
      const bad = sourceParse(example.path ?? 'src/base/a.ts', example.bad);
      assert.ok(rule(bad).length > 0, 'the bad file passes');
      assert.deepEqual(rule(sourceParse('src/base/a.ts', example.good)), [], 'the good file fails');
    });
  }

  test('a file of tests counts a function without the functions inside it', () => {
    const inner = `test('a', () => {${'\n'.repeat(50)}});\n`;
    const suiteText = `function contract() {\n${inner}${inner}}`;
    assert.equal(RULES['functionLength']?.(sourceParse('test/contract/a.ts', suiteText)).length, 0);
    assert.equal(RULES['functionLength']?.(sourceParse('src/base/a.ts', suiteText)).length, 1);
  });

  for (const text of ['// it is no longer so', '/** As it was previously. */', '// FIX'.concat('ME later')]) {
    test(`a comment like "${text.slice(3, 20)}" is seen`, () => {
      assert.equal(RULES['commentWords']?.(sourceParse('src/base/a.ts', text)).length, 1);
    });
  }

  for (const text of [
    'class LTXHeader {}',
    'const storeURL = 1;',
    'function readWAL(): void {}',
    'let leaderId = 1;',
  ]) {
    test(`the name in "${text}" is seen`, () => {
      assert.equal(RULES['identifierWords']?.(sourceParse('src/base/a.ts', text)).length, 1);
    });
  }

  test('a file that does not parse is an error, not a clean file', () => {
    assert.throws(() => sourceParse('src/base/a.ts', 'const = ;'), SyntaxError);
  });
});

suite('the rules of the tree see what breaks them', () => {
  test('an import to the right', () => {
    const bad = [
      sourceParse('src/format/a.ts', "import { b } from '../engine/b.ts';"),
      sourceParse('src/base/c.ts', "export { b } from '../format/a.ts';"),
      sourceParse('src/storage/d.ts', "const d = await import('../host/d.ts');"),
      sourceParse('src/host/e.ts', "type E = import('../engine/e.ts').E;"),
      sourceParse('src/nowhere/f.ts', ''),
    ];
    const { complaints, seen } = roomComplaints(bad, ROOMS);
    assert.equal(seen, 4);
    assert.deepEqual(
      complaints.map(({ path }) => path),
      bad.map(({ path }) => path),
    );
    const good = [sourceParse('src/engine/a.ts', "import { b } from '../format/b.ts';")];
    assert.deepEqual(roomComplaints(good, ROOMS), { complaints: [], seen: 1 });
  });

  test('a dead file', () => {
    const files = [
      sourceParse('src/index.ts', "export { a } from './base/a.ts';"),
      sourceParse('src/base/a.ts', "const url = new URL('./worker.ts', import.meta.url);"),
      sourceParse('src/base/worker.ts', ''),
      sourceParse('src/base/dead.ts', "import './a.ts';"),
    ];
    const dead = deadFileComplaints(files, (path) => path === 'src/index.ts');
    assert.deepEqual(
      dead.map(({ path }) => path),
      ['src/base/dead.ts'],
    );
  });

  test('an invariant without a checker, with a dead one, or only in the code', () => {
    const invariants = invariantsParse(
      [
        '## I1 · one',
        '- Checker: `sim/a.ts` — "there is such a test"',
        '## I2 · two',
        '- Checker: `sim/a.ts` — "there is none"',
        '## I3 · three',
        '- Checker: `sim/none.ts`',
        '## I4 · four',
        '- Owed by: `live` (replicas)',
        '## I5 · five',
      ].join('\n'),
    );
    const sources = [sourceParse('src/base/a.ts', "// I6 holds\nassert(x, 'I7: y');")];
    const read = (path: string): string | null =>
      path === 'sim/a.ts' ? "test('there is such a test')" : null;
    const messages = invariantComplaints(invariants, { sources, rooms: ROOMS, read }).map(
      ({ message }) => message,
    );
    assert.deepEqual(messages, [
      'I2: sim/a.ts has no test "there is none"',
      'I3: there is no sim/none.ts',
      'I5 names neither a checker nor who owes it',
      'I6 is not in docs/internals/invariants.md',
      'I7 is not in docs/internals/invariants.md',
    ]);
  });

  test('a citation of a hazard that no document has', () => {
    const sources = [sourceParse('src/base/a.ts', '// a torn image (B5), or B99; not 0xB5')];
    const { complaints, seen } = citationComplaints(sources, ['| B5 | a torn image | read later |']);
    assert.equal(seen, 2);
    assert.deepEqual(
      complaints.map(({ message }) => message),
      ['B99 stands in no document of docs/internals/'],
    );
  });

  test('a dependency without a decision record', () => {
    assert.deepEqual(
      decisionComplaints(['a', '@b/c'], ['# 2. `a`']).map(({ message }) => message),
      ['@b/c has no record in docs/decisions/'],
    );
  });
});

suite('the tree is tidy', () => {
  let sources: readonly Source[] = [];
  before(() => {
    sources = sourcesRead();
  });

  for (const [name, rule] of Object.entries<Rule>(RULES)) {
    test(name, () => clean(sources.flatMap((source) => rule(source))));
  }

  test('files over 300 lines are few, and said', (t) => {
    for (const { path, lines } of sources) {
      if (lines.length > LIMITS.fileLinesFull) t.diagnostic(`${path} is full: ${lines.length} lines`);
    }
  });

  test('a room imports only to its left', () => {
    const { complaints, seen } = roomComplaints(sources, ROOMS);
    assert.ok(seen > 50, `only ${seen} imports between rooms were seen`);
    clean(complaints);
  });

  test('no file is dead', () => {
    clean(deadFileComplaints(sources, (path) => ENTRIES.some((entry) => entry.test(path))));
  });

  test('invariants and code name each other', () => {
    const invariants = invariantsParse(readFileSync(resolve(root, 'docs/internals/invariants.md'), 'utf8'));
    assert.ok(invariants.length >= 15, `only ${invariants.length} invariants were seen`);
    const read = (path: string): string | null =>
      existsSync(resolve(root, path)) ? readFileSync(resolve(root, path), 'utf8') : null;
    const others = sources.filter(({ path }) => path !== 'scripts/tidy.test.ts');
    clean(invariantComplaints(invariants, { sources: others, rooms: ROOMS, read }));
  });

  test('every hazard and rule that the code cites is documented', () => {
    const others = sources.filter(({ path }) => !path.startsWith('scripts/'));
    const { complaints, seen } = citationComplaints(others, documentsRead('docs/internals/*.md'));
    assert.ok(seen > 5, `only ${seen} citations were seen`);
    clean(complaints);
  });

  test('every dependency has a decision record', () => {
    const manifest: Record<string, unknown> = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
    const names = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'].flatMap(
      (kind) => Object.keys(manifest[kind] ?? {}),
    );
    assert.ok(names.length > 10, `only ${names.length} dependencies were seen`);
    clean(decisionComplaints(names, documentsRead('docs/decisions/*.md')));
  });
});
