/** What came of an area: judged here, in pure functions, so that the judge can be tested. */

/** How many tests ended how. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface Outcome {
  readonly name: string;
  readonly seconds: number;
  readonly budgetS: number;
  readonly output: string;
  /** `null` for what is not a run of tests. */
  readonly counts: Counts | null;
  /** Why it failed; empty: it passed. */
  readonly failures: readonly string[];
}

export interface Ended {
  readonly name: string;
  readonly isTests: boolean;
  readonly seconds: number;
  readonly budgetS: number;
  readonly output: string;
  /** `null`: it was killed. */
  readonly exitCode: number | null;
}

/** Reads the last `COUNTS {…}` line of scripts/test-reporter.ts. */
export function countsParse(output: string): Counts | null {
  const found = [...output.matchAll(/^COUNTS \{"passed":(\d+),"failed":(\d+),"skipped":(\d+)\}$/gm)].at(-1);
  if (found === undefined) return null;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3]) };
}

/** An area passes if it ended well, within its budget, and, where it is tests, if there were any. */
export function judge(ended: Ended): Outcome {
  const { name, seconds, budgetS, output, exitCode, isTests } = ended;
  const counted = isTests ? countsParse(output) : null;
  // Tests that were not counted, because their run broke, are one failure: the sum must not look clean.
  const counts = isTests ? (counted ?? { passed: 0, failed: 1, skipped: 0 }) : null;
  const failures: string[] = [];
  if (exitCode === null) failures.push('killed: it hangs');
  else if (exitCode !== 0) failures.push(`exit code ${exitCode}`);
  if (seconds > budgetS) failures.push(`${seconds.toFixed(1)} s are over its budget of ${budgetS} s`);
  if (isTests && counted === null) failures.push('the tests were not counted');
  if (counted !== null && counted.failed > 0) failures.push(`${counted.failed} failed`);
  if (counted !== null && counted.passed + counted.failed + counted.skipped === 0)
    failures.push('there is no test');
  return { name, seconds, budgetS, output, counts, failures };
}

/** The sums of all areas. */
export function total(outcomes: readonly Outcome[]): Counts {
  return outcomes.reduce<Counts>(
    (sum, { counts }) => ({
      passed: sum.passed + (counts?.passed ?? 0),
      failed: sum.failed + (counts?.failed ?? 0),
      skipped: sum.skipped + (counts?.skipped ?? 0),
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

/** One line of the table. */
export function outcomeLine({ name, seconds, budgetS, counts, failures }: Outcome): string {
  const time = `${seconds.toFixed(1).padStart(6)} s of ${String(budgetS).padStart(4)} s`;
  const tests = counts === null ? '' : `  ${counts.passed} passed, ${counts.skipped} skipped`;
  const verdict = failures.length === 0 ? 'ok    ' : 'FAILED';
  const why = failures.length === 0 ? '' : `  ${failures.join('; ')}`;
  return `${verdict} ${name.padEnd(10)} ${time}${tests}${why}`;
}
