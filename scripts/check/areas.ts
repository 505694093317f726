/**
 * What `npm run check` runs: areas, each with a budget in seconds.
 *
 * A budget is several times what the area takes on two cores, so that only a change of kind exceeds it.
 * Together they stay below ten minutes.
 */

/** One thing to check: a command, or the test files of some globs. */
export interface Area {
  readonly name: string;
  /** What it takes at most, in seconds, before it counts as failed. */
  readonly budgetS: number;
  /** `check:long` runs more of it, for this long. */
  readonly budgetLongS?: number;
  readonly run:
    | { readonly kind: 'command'; readonly program: string; readonly args: readonly string[] }
    | { readonly kind: 'tests'; readonly globs: readonly string[] };
}

function command(program: string, ...args: readonly string[]): Area['run'] {
  return { kind: 'command', program, args };
}

function tests(...globs: readonly string[]): Area['run'] {
  return { kind: 'tests', globs };
}

/** Programs that each use one core: they run two at a time, before the tests. */
export const STATIC_AREAS: readonly Area[] = [
  { name: 'types', budgetS: 40, run: command('tsc', '--noEmit') },
  { name: 'lint', budgetS: 40, run: command('oxlint', '--type-aware', '--deny-warnings') },
  { name: 'format', budgetS: 20, run: command('oxfmt', '--check') },
  { name: 'knip', budgetS: 30, run: command('knip') },
];

/** What needs `dist/`, built by the first of them: one after the other. */
export const BUILT_AREAS: readonly Area[] = [
  { name: 'build', budgetS: 40, run: command('node', 'scripts/build.ts') },
  { name: 'publint', budgetS: 20, run: command('publint', '--strict') },
  { name: 'pack-list', budgetS: 20, run: command('node', 'scripts/pack-list.ts') },
  { name: 'api', budgetS: 10, run: command('node', 'scripts/api.ts') },
];

/** Tests: each area uses both cores, so they run one after the other. */
export const TEST_AREAS: readonly Area[] = [
  { name: 'tidy', budgetS: 20, run: tests('scripts/{tidy,lint,check,api}.test.ts') },
  { name: 'licences', budgetS: 10, run: tests('scripts/licences.test.ts') },
  { name: 'docs', budgetS: 20, run: tests('scripts/docs.test.ts') },
  { name: 'unit', budgetS: 80, budgetLongS: 900, run: tests('src/**/*.test.ts', 'kernel/**/*.test.ts') },
  { name: 'contract', budgetS: 50, budgetLongS: 300, run: tests('test/contract/*.test.ts') },
  { name: 'golden', budgetS: 20, run: tests('test/golden/*.test.ts') },
  { name: 'interop', budgetS: 50, budgetLongS: 300, run: tests('test/interop/*.test.ts') },
  { name: 'sim', budgetS: 80, budgetLongS: 1_800, run: tests('sim/**/*.test.ts', 'test/support/*.test.ts') },
  { name: 'crash', budgetS: 60, budgetLongS: 900, run: tests('test/crash/*.test.ts') },
  { name: 'e2e', budgetS: 100, budgetLongS: 600, run: tests('test/e2e/*.test.ts') },
];

/** The areas that `--only` names: by name, or `test` for all tests; or what is wrong with the names. */
export function areasChosen(only: readonly string[]): readonly Area[] | string {
  const all = [...STATIC_AREAS, ...BUILT_AREAS, ...TEST_AREAS];
  if (only.length === 0) return all;
  const groups = new Map(all.map((area) => [area.name, [area] as readonly Area[]])).set('test', TEST_AREAS);
  const unknown = only.find((name) => !groups.has(name));
  if (unknown !== undefined) return `no area is called "${unknown}": ${[...groups.keys()].join(', ')}`;
  return only.flatMap((name) => groups.get(name) ?? []);
}
