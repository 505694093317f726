/**
 * Runs everything that continuous integration runs, and keeps each area to its budget.
 *
 *   npm run check                      everything
 *   npm test                           the tests only
 *   node scripts/check.ts --only lint,unit
 *   npm run check:long                 more seeds, longer crash loops
 *
 * The last line is alone on its line: `N passed, N failed, N skipped`, of all tests. Anything amiss, in tests
 * or outside them, makes the exit code 1.
 */

import { spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Area, areasChosen, BUILT_AREAS, STATIC_AREAS, TEST_AREAS } from './check/areas.ts';
import { judge, type Outcome, outcomeLine, total } from './check/outcome.ts';

/** An area that takes this many times its budget is killed. */
const HANGS_AT = 2;
/** The tests of one area run two files at a time. */
const TEST_CONCURRENCY = 2;

const root = resolve(import.meta.dirname, '..');

/** Process groups that run: an interrupt from the keyboard does not reach them by itself. */
const groups = new Set<number>();

function killGroup(pid: number): void {
  // The group, since a test file may have started processes of its own.
  if (groups.has(pid)) process.kill(-pid, 'SIGKILL');
}

process.once('SIGINT', () => {
  for (const pid of groups) killGroup(pid);
  process.exit(130);
});

/**
 * The version of Node that package.json pins is the one that runs this; `--long` may also be run by a later
 * one.
 */
function nodeVersionFault(isLong: boolean): string | null {
  const manifest: { devDependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const pinned = `v${manifest.devDependencies['node'] ?? ''}`;
  const isNewer = Number(process.versions.node.split('.')[0]) > Number(pinned.slice(1).split('.')[0]);
  if (process.version === pinned || (isLong && isNewer)) return null;
  return (
    `this is Node ${process.version}; package.json pins ${pinned}. ` +
    'Type: npm ci, then npm run check (npm puts node_modules/.bin/node first)'
  );
}

function commandOf(area: Area): { program: string; args: readonly string[] } {
  if (area.run.kind === 'command') {
    const { program, args } = area.run;
    return {
      program: program === 'node' ? process.execPath : join(root, 'node_modules/.bin', program),
      args,
    };
  }
  const files = area.run.globs.flatMap((glob) => globSync(glob, { cwd: root })).toSorted();
  const reporter = `--test-reporter=${join(root, 'scripts/test-reporter.ts')}`;
  // Without files `node --test` would look for some: that there are none is for judge() to say.
  if (files.length === 0) return { program: process.execPath, args: ['-e', ''] };
  const options = ['--test', `--test-concurrency=${TEST_CONCURRENCY}`, reporter];
  return { program: process.execPath, args: [...options, ...files] };
}

async function runArea(area: Area, isLong: boolean): Promise<Outcome> {
  const budgetS = isLong ? (area.budgetLongS ?? area.budgetS) : area.budgetS;
  const { program, args } = commandOf(area);
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: {
      ...process.env,
      PATH: [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter),
      NODE_OPTIONS: '',
      ...(isLong ? { MILLRACE_LONG: '1' } : {}),
    },
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const hang = AbortSignal.timeout(budgetS * HANGS_AT * 1000);
  const pid = child.pid ?? 0;
  groups.add(pid);
  hang.addEventListener('abort', () => killGroup(pid));
  const exitCode = await new Promise<number | null>((done, fail) => {
    child.on('error', fail);
    child.on('close', done);
  });
  groups.delete(pid);
  const seconds = (performance.now() - startedMs) / 1000;
  return judge({ name: area.name, isTests: area.run.kind === 'tests', seconds, budgetS, output, exitCode });
}

/** Lines that are worth reading even when all is well: diagnostics and skips. */
function told(outcome: Outcome): string {
  if (outcome.failures.length > 0) return outcome.output;
  if (outcome.counts === null) return '';
  return outcome.output
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('COUNTS '))
    .join('\n');
}

/** Runs `areas` one after the other, and prints each as it ends. */
async function runLane(areas: readonly Area[], isLong: boolean): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const area of areas) {
    const outcome = await runArea(area, isLong);
    const text = told(outcome).trimEnd();
    console.log(text === '' ? outcomeLine(outcome) : `${text}\n${outcomeLine(outcome)}`);
    outcomes.push(outcome);
  }
  return outcomes;
}

const { values } = parseArgs({
  options: { only: { type: 'string' }, long: { type: 'boolean', default: false } },
});
const isLong = values.long;
const chosen = areasChosen(values.only?.split(',') ?? []);
const fault = typeof chosen === 'string' ? chosen : nodeVersionFault(isLong);
if (typeof chosen === 'string' || fault !== null) {
  console.error(fault);
  process.exit(1);
}

const startedMs = performance.now();
const isChosen = (area: Area): boolean => chosen.includes(area);
const lanes = await Promise.all([
  runLane(STATIC_AREAS.filter(isChosen), isLong),
  runLane(BUILT_AREAS.filter(isChosen), isLong),
]);
const outcomes = [...lanes.flat(), ...(await runLane(TEST_AREAS.filter(isChosen), isLong))];

const failing = outcomes.filter(({ failures }) => failures.length > 0);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
console.log(`\n${outcomes.length} areas in ${seconds} s on Node ${process.version}`);
for (const outcome of failing) console.log(outcomeLine(outcome));
const { passed, failed, skipped } = total(outcomes);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failing.length === 0 ? 0 : 1;
