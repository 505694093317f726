/** Histories of databases for property tests: transactions that change pages, grow and shrink the file. */

import fc from 'fast-check';

import type { BuiltFile, State } from './archive-builder.ts';

/** One transaction: the size after it, and pages that change beside those that are added. */
export interface Step {
  readonly size: number;
  readonly changes: readonly number[];
}

const PAGES_MAX = 40;
const STEPS_MAX = 8;

/** A page that says which page it is and of which TXID, and that LZ4 makes smaller. */
export function pageOf(pgno: number, n: number, pageSize: number): Uint8Array {
  const page = new Uint8Array(pageSize);
  for (let i = 0; i < 64; i++) page[i] = pgno * 31 + n * 7 + i * (n + 3);
  return page;
}

/** What each transaction leaves. */
export function statesOf(steps: readonly Step[], pageSize: number): State[] {
  let state: State = [];
  return steps.map(({ size, changes }, i) => {
    const before = state;
    const isChanged = new Set(changes);
    state = Array.from({ length: size }, (_, at) => {
      const kept = before[at];
      return kept === undefined || isChanged.has(at + 1) ? pageOf(at + 1, i + 1, pageSize) : kept;
    });
    return state;
  });
}

/** Transactions: a few pages change, the file grows or shrinks. */
export const anySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    size: fc.integer({ min: 1, max: PAGES_MAX }),
    changes: fc.array(fc.integer({ min: 1, max: PAGES_MAX }), { maxLength: 6 }),
  }),
  { minLength: 1, maxLength: STEPS_MAX },
);

/** Compacted files and snapshots, of TXIDs that `filesOf` cuts to what there is. */
export const anyMerges: fc.Arbitrary<Merge[]> = fc.array(
  fc.record({ level: fc.integer({ min: 1, max: 9 }), a: fc.nat(STEPS_MAX - 1), b: fc.nat(STEPS_MAX - 1) }),
  { maxLength: 4 },
);

export interface Merge {
  readonly level: number;
  readonly a: number;
  readonly b: number;
}

/** The files of `merges` in a history of `count` TXIDs, each once. */
export function filesOf(merges: readonly Merge[], count: number): BuiltFile[] {
  const files = new Map<string, BuiltFile>();
  for (const { level, a, b } of merges) {
    const min = level === 9 ? 1 : Math.min(a % count, b % count) + 1;
    const max = Math.max(a % count, b % count) + 1;
    files.set(`${level} ${min} ${max}`, { level, min, max });
  }
  return [...files.values()];
}
