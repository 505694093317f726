/** `millrace restore SOURCE`: writes a database from its archive, verified, or leaves nothing. */

import { resolve } from 'node:path';
import { Fault, isFault } from '../../base/fault.ts';
import { txidFormat } from '../../base/ids.ts';
import { restore } from '../../engine/restore.ts';
import type { RestoreReport } from '../../engine/restore.ts';
import type { RestoreTarget } from '../../engine/restore-plan.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { bytesFigure, durationFigure, momentFigure, plural, table } from '../figures.ts';
import { hostMachine, poolOpen } from '../machine.ts';
import type { Output } from '../output.ts';
import type { RestoreFlags } from '../program.ts';
import { progressOf } from '../progress.ts';
import { restoreSource } from '../restore-source.ts';
import { signalsOpen } from '../signals.ts';

const PHASES = {
  plan: 'planning',
  index: 'reading indexes',
  pages: 'restoring',
  land: 'making it durable',
} as const;

/** Restores, or with `--dry-run` says what it would read. */
export async function restoreCommand(
  output: Output,
  [typed = '']: readonly string[],
  flags: RestoreFlags,
): Promise<ExitCode> {
  using signals = signalsOpen(() => {});
  const machine = hostMachine(output.isJson ? { logFormat: 'json' } : {});
  const { archive, database } = restoreSource(machine, typed);
  const to = outputPath(flags, database);
  const progress = progressOf(output);
  await using pool = poolOpen();
  try {
    const report = await restore(machine, pool, archive, {
      to,
      target: targetOf(flags),
      force: flags.force === true,
      dryRun: flags.dryRun === true,
      signal: signals.signal,
      onProgress: ({ phase, bytesDone, bytesTotal }) => {
        if (bytesTotal > 0) progress.update(bytesDone, bytesTotal, PHASES[phase]);
      },
    });
    progress.stop();
    output.result({ ...report, ...planFigures(report), archive: archive.url }, () => lines(report));
    return EXIT.ok;
  } catch (error) {
    progress.stop();
    const exitCode = signals.exitCode();
    if (exitCode === null) throw withMoments(error);
    output.note('millrace: stopped; nothing was restored');
    return exitCode;
  }
}

function outputPath(flags: RestoreFlags, database: string | null): string {
  const typed = flags.output ?? database;
  if (typed !== null) return resolve(typed);
  // A plan has no place.
  if (flags.dryRun === true) return resolve('restored.db');
  throw new Fault('invalid', 'output-missing', 'with a URL it is not known where to restore to', {
    hint: 'say it: -o FILE',
  });
}

function targetOf(flags: RestoreFlags): RestoreTarget {
  if (flags.at !== undefined) return { kind: 'time', wallMs: flags.at };
  if (flags.txid !== undefined) return { kind: 'txid', txid: flags.txid };
  return { kind: 'head' };
}

/** The engine has no calendar: a moment that its Fault gives in milliseconds is said as people read it. */
function withMoments(error: unknown): unknown {
  if (!isFault(error) || error.code !== 'time-outside-archive') return error;
  const { kind, code, details } = error;
  const wanted = momentFigure(Number(details['wallMs']));
  const first = `TXID ${details['first']} of ${momentFigure(Number(details['firstMs']))}`;
  return new Fault(kind, code, `the archive holds nothing from ${wanted} or before`, {
    hint: `it begins with ${first}; give that time or a later one`,
    details,
  });
}

/** The plan in JSON: its files by key. */
function planFigures({ plan }: RestoreReport): object {
  return {
    txid: plan.txid,
    plan: { files: plan.files.map(({ key, size }) => ({ key, size })), bytes: plan.bytes },
  };
}

function lines(report: RestoreReport): string[] {
  const { plan } = report;
  const what = `${plural(plan.files.length, 'file')}, ${bytesFigure(plan.bytes)}`;
  if (report.outcome === 'planned') {
    return [
      `TXID ${txidFormat(plan.txid)} is made of ${what} at most:`,
      ...table(
        plan.files.map(({ key, size }) => [`  ${key}`, bytesFigure(size)]),
        [1],
      ),
    ];
  }
  const { txid, timestampMs, bytes, bytesRead, durationMs, damaged, proof } = report;
  return [
    `Restored ${report.to}: TXID ${txidFormat(txid)} of ${momentFigure(timestampMs)}`,
    `${bytesFigure(bytes)} in ${durationFigure(durationMs)}, from ${bytesFigure(bytesRead)} of ${what}`,
    proof === 'rolling'
      ? 'verified: the checksum of the whole database'
      : 'verified: the checksums of all files',
    ...damaged.map((key) => `DAMAGED, and made up for by other files: ${key}`),
  ];
}
