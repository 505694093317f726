/**
 * The rules of style that one file can break, each a function from a source to its complaints.
 *
 * A complaint says what to do. Which files a rule exempts is data at the top, never a comment in the exempted
 * file.
 */

import type { Source } from './source.ts';

export const LIMITS = {
  fileLines: 500,
  fileLinesFull: 300,
  functionLines: 70,
  columns: 110,
  parameters: 4,
} as const;

/** Who may sleep: the clocks, and the one place where tests wait. */
export const SLEEPERS: readonly string[] = [
  'src/host/clock.ts',
  'sim/world/clock.ts',
  'test/support/until.ts',
];

/** Loaded by programs that want a default export. */
export const DEFAULTS: readonly string[] = ['scripts/test-reporter.ts'];

/** Written by programs: exempt from what people can read. */
export const GENERATED: readonly string[] = ['src/format/kernel.wasm.ts'];

export interface Complaint {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** A rule looks at one file. */
export type Rule = (source: Source) => readonly Complaint[];

const bannedInFileNames = /(^|-)(utils?|helpers?|commons?|misc|managers?)(?=[-.]|$)/;
const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.ts$/;
const bannedWords = new Map<string, string>(
  Object.entries({
    sync: 'capture, seal, upload, stream or apply (disks: fsync)',
    synced: 'durable',
    master: 'primary',
    leader: 'primary',
    slave: 'replica',
    shard: 'placement',
    changeset: 'LTX',
    reseed: 'heal',
    redirect: 'forward',
  }),
);
const acronym =
  /(?:LTX|WAL|TXID|URL|HTTP|JSON|CRC|SHM|SQL)(?=[A-Z]|$)|(?:LTX|TXID|URL|HTTP|JSON|CRC)(?![a-z])/;
const history = /\b(no longer|previously|formerly|anymore|used to be|for now|as of now|right now)\b/i;
const unfinished = /\b(TODO|FIXME|XXX)\b/;
const sleeping = new Set(['setTimeout', 'setInterval']);

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

function complaint(source: Source, line: number, message: string): Complaint {
  return { path: source.path, line, message };
}

/** At most 500 lines. */
export const fileLength: Rule = (source) => {
  const lines = source.lines.length - 1;
  if (lines <= LIMITS.fileLines || GENERATED.includes(source.path)) return [];
  return [
    complaint(source, lines, `${lines} lines; at ${LIMITS.fileLines} a noun is missing: split the file`),
  ];
};

/** At most 70 lines a function; a function of tests is counted without the functions inside it. */
export const functionLength: Rule = (source) =>
  source.functions
    .map((facts) => ({ ...facts, counted: isTest(source.path) ? facts.ownLines : facts.lines }))
    .filter(({ counted }) => counted > LIMITS.functionLines)
    .map(({ name, line, counted }) => {
      const what = name === '' ? 'a function' : `function ${name}`;
      return complaint(source, line, `${what} has ${counted} lines; at most ${LIMITS.functionLines}`);
    });

/** At most four parameters. */
export const parameterCount: Rule = (source) =>
  source.functions
    .filter(({ parameters }) => parameters > LIMITS.parameters)
    .map(({ name, line, parameters }) =>
      complaint(source, line, `${name} takes ${parameters} parameters: ports first, then one options object`),
    );

/** At most 110 columns. */
export const lineLength: Rule = (source) => {
  if (GENERATED.includes(source.path)) return [];
  return source.lines.flatMap((text, index) =>
    text.length > LIMITS.columns
      ? [complaint(source, index + 1, `${text.length} columns; at most ${LIMITS.columns}`)]
      : [],
  );
};

/** Named exports only. */
export const namedExports: Rule = (source) =>
  source.hasDefaultExport && !DEFAULTS.includes(source.path)
    ? [complaint(source, 1, 'default export: export by name')]
    : [];

/** Nothing that type stripping cannot erase. */
export const erasable: Rule = (source) =>
  source.unerasable.map(({ text, line }) =>
    complaint(source, line, `${text}: use a union of string literals, or a module`),
  );

/** Nothing unfinished, and no history, in comments. */
export const commentWords: Rule = (source) =>
  source.comments.flatMap(({ text, line }) => {
    const found: Complaint[] = [];
    if (unfinished.test(text))
      found.push(complaint(source, line, 'an unfinished piece: finish it or file it'));
    const past = history.exec(text);
    if (past !== null) {
      found.push(complaint(source, line, `"${past[0]}": a comment is in the present tense, without history`));
    }
    return found;
  });

/** A file begins by saying what it is. (A unit test is of the file beside it.) */
export const fileHeader: Rule = (source) => {
  if (/^(src|sim|kernel)\/.*\.test\.ts$/.test(source.path)) return [];
  const first = source.text.startsWith('#!') ? source.text.slice(source.text.indexOf('\n') + 1) : source.text;
  return /^\/[*/]/.test(first)
    ? []
    : [complaint(source, 1, 'no header: say what this is, its contract, its trap')];
};

/** File names are kebab-case nouns. */
export const fileName: Rule = (source) => {
  const name = source.path.split('/').at(-1) ?? '';
  const banned = bannedInFileNames.exec(name);
  if (banned !== null)
    return [complaint(source, 1, `"${banned[2]}" names nothing: call the file by its noun`)];
  return kebab.test(name) ? [] : [complaint(source, 1, 'file names are kebab-case')];
};

/** The glossary's words, and acronyms as words. */
export const identifierWords: Rule = (source) =>
  source.declared.flatMap(({ text, line }) => {
    const found: Complaint[] = [];
    for (const word of text.split(/(?=[A-Z])|_|\d+/)) {
      const instead = bannedWords.get(word.toLowerCase());
      if (instead !== undefined) {
        found.push(complaint(source, line, `${text}: the glossary's word for "${word}" is ${instead}`));
      }
    }
    const isConstant = text === text.toUpperCase();
    if (!isConstant && text !== 'toJSON' && acronym.test(text)) {
      found.push(complaint(source, line, `${text}: acronyms are words in identifiers, as in LtxHeader`));
    }
    return found;
  });

/** No sleeping but where it is the job. */
export const sleep: Rule = (source) => {
  if (SLEEPERS.includes(source.path)) return [];
  const timers = source.imports.filter(({ text }) => /^(node:)?timers(\/promises)?$/.test(text));
  const calls = source.mentioned.filter(({ text }) => sleeping.has(text));
  return [...timers, ...calls].map(({ text, line }) =>
    complaint(
      source,
      line,
      `${text}: wait with the Clock port; in tests with until() of test/support/until.ts`,
    ),
  );
};

/** Every rule, by its name. */
export const RULES: Readonly<Record<string, Rule>> = {
  fileLength,
  functionLength,
  parameterCount,
  lineLength,
  namedExports,
  erasable,
  commentWords,
  fileHeader,
  fileName,
  identifierWords,
  sleep,
};
