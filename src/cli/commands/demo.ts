/**
 * `millrace demo`: writes, replicates, kills, deletes, restores, and checks what it said.
 *
 * Everything it prints happened: the writer and Millrace are processes of their own that die by SIGKILL,
 * and the checks compare the restored bytes with what the writer was told. One check that does not hold
 * makes the exit code 1.
 */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { checksOf } from '../demo/checks.ts';
import type { Check, Expectation } from '../demo/checks.ts';
import { restoreRun } from '../demo/children.ts';
import { expectedEarlier, expectedNewest, killedRun } from '../demo/killed-run.ts';
import type { KilledRun } from '../demo/killed-run.ts';
import { localDelete, stageMake, stageRemove } from '../demo/stage.ts';
import type { Stage } from '../demo/stage.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { bytesFigure, countFigure, durationFigure, momentFigure, plural } from '../figures.ts';
import type { Output } from '../output.ts';
import type { DemoFlags } from '../program.ts';
import { signalsOpen } from '../signals.ts';

/** One restored file and the verdicts on it. */
interface Restored {
  readonly file: string;
  readonly commits: number;
  readonly tookMs: number;
  readonly checks: readonly Check[];
}

/** Runs the demo and says how it went. */
export async function demoCommand(
  output: Output,
  _operands: readonly string[],
  flags: DemoFlags,
): Promise<ExitCode> {
  const startedMs = performance.now();
  using signals = signalsOpen(() => {});
  const stage = stageMake();
  try {
    output.line(`Millrace demo in ${stage.dir}\n`);
    const run = await killedRun(output, stage, flags.seconds * 1_000, signals.signal);
    const deleted = localDelete(stage);
    output.line(`  deleted    ${deleted.names.join(', ')} (${bytesFigure(deleted.bytes)})\n`);
    const newest = await restoreAndCheck(
      output,
      stage,
      { name: 'restored.db', flags: [] },
      expectedNewest(run),
    );
    const at = momentFigure(run.earlier.wallMs);
    const earlier = await restoreAndCheck(
      output,
      stage,
      { name: 'earlier.db', flags: ['--at', at] },
      expectedEarlier(run),
    );
    const holds = [...newest.checks, ...earlier.checks].every((check) => check.holds);
    output.record(summary(run, newest, earlier));
    const commits = run.acknowledged.length;
    const took = durationFigure(performance.now() - startedMs);
    output.line(
      `\n${holds ? 'All of it holds' : 'NOT all of it holds'}, after ${took}. ` +
        `Of ${plural(commits, 'acknowledged commit')}, the last ${countFigure(lostOf(run, newest))}, ` +
        `which nobody had called durable, died with the machine.`,
    );
    if (flags.keep === true) output.line(`The files are in ${stage.dir}`);
    return holds ? EXIT.ok : EXIT.bug;
  } catch (error) {
    const exitCode = signals.exitCode();
    if (exitCode === null) throw error;
    return exitCode;
  } finally {
    if (flags.keep !== true) stageRemove(stage);
  }
}

async function restoreAndCheck(
  output: Output,
  stage: Stage,
  what: { readonly name: string; readonly flags: readonly string[] },
  expected: Expectation,
): Promise<Restored> {
  const path = join(stage.dir, what.name);
  const startedMs = performance.now();
  const report = await restoreRun([stage.url, '-o', path, ...what.flags]);
  const tookMs = performance.now() - startedMs;
  const size = bytesFigure(statSync(path).size);
  output.line(`  restored   ${[what.name, ...what.flags].join(' ')}`);
  output.line(`             TXID ${String(report['txid'])}, ${size} in ${durationFigure(tookMs)}`);
  const { commits, checks } = checksOf(path, expected);
  for (const check of checks) {
    output.line(`    ${check.holds ? '✓' : '✗ DOES NOT HOLD:'} ${check.name}: ${check.detail}`);
  }
  return { file: what.name, commits, tookMs, checks };
}

function summary(run: KilledRun, newest: Restored, earlier: Restored): object {
  return {
    event: 'demo',
    holds: [...newest.checks, ...earlier.checks].every((check) => check.holds),
    acknowledged: run.acknowledged.length,
    durable: expectedNewest(run).commitsMin,
    lost: lostOf(run, newest),
    durableTxid: run.newest.txid,
    durableBehindMs: run.killedMs - run.newest.walMs,
    uploads: run.uploads,
    uploadedBytes: run.uploadedBytes,
    earlierMs: run.earlier.wallMs,
    restored: [newest, earlier],
  };
}

function lostOf(run: KilledRun, newest: Restored): number {
  return Math.max(0, run.acknowledged.length - newest.commits);
}
