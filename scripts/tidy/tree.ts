/** The rules that only the whole tree can break: rooms, dead files, invariants, decision records. */

import { posix } from 'node:path';
import type { Complaint } from './rules.ts';
import type { Source } from './source.ts';

/** Room → the rooms it may import from (itself aside); 'any' for those at the end of the line. */
export type Rooms = Readonly<Record<string, readonly string[] | 'any'>>;

/** What a unit test beside the code may stand on, whatever its room. */
const TEST_ROOMS: readonly string[] = ['test', 'sim', 'kernel', 'scripts'];

/** The room a file stands in; `null` for a file that belongs to none. */
export function roomOf(path: string): string | null {
  const inSource = /^src\/([^/]+)\//.exec(path);
  if (inSource?.[1] !== undefined) return inSource[1];
  if (/^src\/[^/]+\.ts$/.test(path)) return 'index';
  return /^([^/]+)\//.exec(path)?.[1] ?? null;
}

/** The file that a relative import names. */
export function resolveImport(from: string, module: string): string {
  return posix.normalize(posix.join(posix.dirname(from), module));
}

/**
 * A room imports only to its left. `seen` counts the imports between rooms, so that a rule that sees none
 * fails.
 */
export function roomComplaints(
  sources: readonly Source[],
  rooms: Rooms,
): { complaints: Complaint[]; seen: number } {
  const complaints: Complaint[] = [];
  let seen = 0;
  for (const source of sources) {
    const room = roomOf(source.path);
    const allowed = room === null ? undefined : rooms[room];
    if (room === null || allowed === undefined) {
      complaints.push({ path: source.path, line: 1, message: `no room is called "${room}": see the table` });
      continue;
    }
    for (const { text, line } of source.imports) {
      if (!text.startsWith('.')) continue;
      if (!text.endsWith('.ts'))
        complaints.push({ path: source.path, line, message: `${text}: imports end in .ts` });
      const target = resolveImport(source.path, text);
      const targetRoom = roomOf(target);
      if (targetRoom === room || targetRoom === null) continue;
      seen += 1;
      const forTests = source.path.endsWith('.test.ts') && TEST_ROOMS.includes(targetRoom);
      if (allowed === 'any' || allowed.includes(targetRoom) || forTests) continue;
      const message = `${room} must not import ${targetRoom} (${text}): rooms import only to their left`;
      complaints.push({ path: source.path, line, message });
    }
  }
  return { complaints, seen };
}

/** A file that nothing imports, starts or names, and that is no entry, is dead. */
export function deadFileComplaints(
  sources: readonly Source[],
  isEntry: (path: string) => boolean,
): Complaint[] {
  const alive = new Set<string>();
  for (const source of sources) {
    for (const { text } of source.imports) alive.add(resolveImport(source.path, text));
    for (const { text } of source.strings) {
      if (!/^[\w./-]+\.ts$/.test(text)) continue;
      alive.add(resolveImport(source.path, text));
      alive.add(posix.normalize(text));
    }
  }
  return sources
    .filter(({ path }) => !alive.has(path) && !isEntry(path))
    .map(({ path }) => ({ path, line: 1, message: 'dead file: nothing imports it; delete it' }));
}

/** One numbered invariant of the document, with the checkers it names. */
export interface Invariant {
  readonly number: number;
  readonly line: number;
  /** Files, each with the name of the test in it, or `null` where the file is the checker. */
  readonly checkers: readonly { readonly path: string; readonly test: string | null }[];
  /** The room that owes the checker, where there is none yet. */
  readonly owedBy: string | null;
}

/**
 * Reads docs/internals/invariants.md: sections `## I<n> · …`, each with lines ``Checker: `path` — "name of
 * the test"`` or ``Owed by: `room` ``.
 */
export function invariantsParse(text: string): Invariant[] {
  const invariants: (Invariant & {
    checkers: { path: string; test: string | null }[];
    owedBy: string | null;
  })[] = [];
  text.split('\n').forEach((line, index) => {
    const heading = /^## I(\d+) · /.exec(line);
    if (heading !== null) {
      invariants.push({ number: Number(heading[1]), line: index + 1, checkers: [], owedBy: null });
      return;
    }
    const current = invariants.at(-1);
    if (current === undefined) return;
    const checker = /^- Checker: `([^`]+)`(?: — "(.+)")?$/.exec(line);
    if (checker?.[1] !== undefined) current.checkers.push({ path: checker[1], test: checker[2] ?? null });
    const owed = /^- Owed by: `([^`]+)`/.exec(line);
    if (owed?.[1] !== undefined) current.owedBy = owed[1];
  });
  return invariants;
}

export interface InvariantWorld {
  readonly sources: readonly Source[];
  readonly rooms: Rooms;
  /** The text of a file of the repository; `null`: there is none. */
  readonly read: (path: string) => string | null;
}

const INVARIANTS = 'docs/internals/invariants.md';

/**
 * Each invariant names a checker that exists, or the room that owes it; each one that the code names is
 * documented.
 */
export function invariantComplaints(invariants: readonly Invariant[], world: InvariantWorld): Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (line: number, message: string): void => {
    complaints.push({ path: INVARIANTS, line, message });
  };
  invariants.forEach(({ number, line, checkers, owedBy }, index) => {
    if (number !== index + 1) complain(line, `I${number} stands where I${index + 1} belongs`);
    if (checkers.length === 0 && owedBy === null)
      complain(line, `I${number} names neither a checker nor who owes it`);
    if (owedBy !== null && !(owedBy in world.rooms))
      complain(line, `I${number} is owed by "${owedBy}": no such room`);
    if (owedBy !== null && world.sources.some(({ path }) => roomOf(path) === owedBy)) {
      complain(line, `I${number} is owed by "${owedBy}", which exists: name the checker`);
    }
    for (const { path, test } of checkers) {
      const text = world.read(path);
      if (text === null) complain(line, `I${number}: there is no ${path}`);
      else if (test !== null && !text.includes(test))
        complain(line, `I${number}: ${path} has no test "${test}"`);
    }
  });
  const known = new Set(invariants.map(({ number }) => number));
  for (const source of world.sources) {
    for (const { text, line } of [...source.comments, ...source.strings]) {
      for (const [name, digits] of text.matchAll(/\bI([1-9]\d?)\b/g)) {
        if (known.has(Number(digits))) continue;
        complaints.push({ path: source.path, line, message: `${name} is not in ${INVARIANTS}` });
      }
    }
  }
  return complaints;
}

/** Every npm dependency stands, in backquotes, in some decision record. */
export function decisionComplaints(dependencies: readonly string[], records: readonly string[]): Complaint[] {
  return dependencies
    .filter((name) => !records.some((record) => record.includes(`\`${name}\``)))
    .map((name) => ({ path: 'package.json', line: 1, message: `${name} has no record in docs/decisions/` }));
}

/**
 * Hazards and rules that comments cite by letter and number, as in (B5), stand in some document of
 * docs/internals/ as a row of a table. `seen` counts the citations.
 */
export function citationComplaints(
  sources: readonly Source[],
  documents: readonly string[],
): { complaints: Complaint[]; seen: number } {
  const known = new Set(
    documents.flatMap((text) => [...text.matchAll(/^\| ([A-Z]\d+) \|/gm)].map(([, id]) => id)),
  );
  const complaints: Complaint[] = [];
  let seen = 0;
  for (const { path, comments } of sources) {
    for (const { text, line } of comments) {
      for (const [, id] of text.matchAll(/\b([ABCFW][1-9]\d?)\b/g)) {
        seen += 1;
        if (!known.has(id))
          complaints.push({ path, line, message: `${id} stands in no document of docs/internals/` });
      }
    }
  }
  return { complaints, seen };
}
