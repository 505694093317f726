/**
 * The demo's first act: a writer and `millrace replicate` at work, and SIGKILL to both in the middle of it.
 */

import { statSync } from 'node:fs';
import { Fault } from '../../base/fault.ts';
import { hostClock } from '../../host/clock.ts';
import { countFigure, durationFigure, momentFigure, plural, bytesFigure } from '../figures.ts';
import type { Output } from '../output.ts';
import { LiveLine } from '../progress.ts';
import { acknowledgedBefore, acknowledgementsRead } from './acknowledgements.ts';
import type { Acknowledgement } from './acknowledgements.ts';
import type { Expectation } from './checks.ts';
import { replicateStart, writerStart } from './children.ts';
import type { Child, DurableLine } from './children.ts';
import type { Stage } from './stage.ts';

export const LIMITS = { firstDurableMs: 30_000, pollMs: 50, killWithinMs: 1_000 } as const;

/** What was observed until the kill. */
export interface KilledRun {
  readonly acknowledged: readonly Acknowledgement[];
  readonly newest: DurableLine;
  readonly uploads: number;
  readonly uploadedBytes: number;
  readonly killedMs: number;
  /** A moment half-way, and the newest upload that had been confirmed by then. */
  readonly earlier: { readonly wallMs: number; readonly line: DurableLine };
}

/** What the newest state has to be. */
export function expectedNewest(run: KilledRun): Expectation {
  return {
    acknowledged: run.acknowledged,
    commitsMin: acknowledgedBefore(run.acknowledged, Math.floor(run.newest.walMs)),
    // The commit that the kill interrupted may have been committed and not been acknowledged.
    commitsMax: run.acknowledged.length + 1,
  };
}

/** What the state of the moment half-way has to be. */
export function expectedEarlier(run: KilledRun): Expectation {
  const { wallMs, line } = run.earlier;
  return {
    acknowledged: run.acknowledged,
    commitsMin: acknowledgedBefore(run.acknowledged, Math.floor(line.walMs)),
    commitsMax: acknowledgedBefore(run.acknowledged, wallMs + 1) + 1,
  };
}

/** Lets both processes run for `runMs` after the first confirmed upload, then kills them. */
export async function killedRun(
  output: Output,
  stage: Stage,
  runMs: number,
  signal: AbortSignal,
): Promise<KilledRun> {
  const lines: DurableLine[] = [];
  const writer = writerStart(stage.database, stage.acknowledgements);
  output.line(`  writer     pid ${writer.pid}: node:sqlite at full speed, WAL mode, default pragmas`);
  const children = [writer];
  try {
    await until(
      () => statSync(stage.acknowledgements).size > 0,
      signal,
      () => writer.mustRun('the writer'),
    );
    const replicate = replicateStart(stage.database, stage.url, (line) => {
      if (line.event === 'durable') lines.push(line);
    });
    children.push(replicate);
    output.line(`  millrace   pid ${replicate.pid}: replicate app.db ${stage.url}`);
    const bothRun = (): void => {
      writer.mustRun('the writer');
      replicate.mustRun('millrace replicate');
    };
    const givenUpMs = performance.now() + LIMITS.firstDurableMs;
    await until(() => lines.length > 0 || performance.now() > givenUpMs, signal, bothRun);
    const earlier = await watch(output, lines, runMs, async (isDone) => until(isDone, signal, bothRun));
    const killedMs = Date.now();
    await killAll(children);
    const run = runOf(stage, lines, killedMs, earlier);
    report(output, run, runMs);
    return run;
  } finally {
    await killAll(children);
  }
}

/** Shows how far it is until the time to kill has come; remembers the moment half-way. */
async function watch(
  output: Output,
  lines: readonly DurableLine[],
  runMs: number,
  wait: (isDone: () => boolean) => Promise<void>,
): Promise<KilledRun['earlier'] | null> {
  const live = new LiveLine(output);
  const firstMs = performance.now();
  const endMs = firstMs + runMs + Math.random() * LIMITS.killWithinMs;
  let earlier: KilledRun['earlier'] | null = null;
  try {
    await wait(() => {
      const nowMs = performance.now();
      const line = lines.at(-1);
      if (earlier === null && line !== undefined && nowMs - firstMs >= runMs / 2) {
        earlier = { wallMs: Date.now(), line };
      }
      const left = durationFigure(Math.max(0, endMs - nowMs));
      live.show(`  …          TXID ${line?.txid ?? '-'} is durable · the kill comes in ${left}`);
      return nowMs >= endMs;
    });
  } finally {
    live.clear();
  }
  return earlier;
}

async function killAll(children: readonly Child[]): Promise<void> {
  for (const child of children) child.kill();
  await Promise.all(children.map(async (child) => child.ended));
}

function runOf(
  stage: Stage,
  lines: readonly DurableLine[],
  killedMs: number,
  earlier: KilledRun['earlier'] | null,
): KilledRun {
  const newest = lines.at(-1);
  if (newest === undefined || earlier === null) {
    throw new Fault('unavailable', 'demo-nothing-durable', 'no upload was confirmed before the kill', {
      hint: 'try again with a longer --seconds',
    });
  }
  return {
    acknowledged: acknowledgementsRead(stage.acknowledgements),
    newest,
    uploads: lines.length,
    uploadedBytes: lines.reduce((sum, line) => sum + line.bytes, 0),
    killedMs,
    earlier,
  };
}

function report(output: Output, run: KilledRun, runMs: number): void {
  const commits = run.acknowledged.length;
  const first = run.acknowledged[0]?.wallMs ?? run.killedMs;
  const perSecond = commits / (Math.max(1, run.killedMs - first) / 1_000);
  output.line(
    `  SIGKILL    to both in mid-write, ${durationFigure(runMs)} after the first upload: ` +
      `${plural(commits, 'commit')} acknowledged (${countFigure(perSecond)}/s), ` +
      `${plural(run.uploads, 'upload')} of ${bytesFigure(run.uploadedBytes)} confirmed`,
  );
  output.line(
    `  durable    TXID ${run.newest.txid}: every commit before ${momentFigure(run.newest.walMs)}, ` +
      `${durationFigure(run.killedMs - run.newest.walMs)} before the kill`,
  );
}

/** Waits until `isDone`; `check` throws when waiting is in vain. */
async function until(isDone: () => boolean, signal: AbortSignal, check: () => void): Promise<void> {
  while (!isDone()) {
    check();
    await hostClock.sleep(LIMITS.pollMs, signal);
    signal.throwIfAborted();
  }
}
