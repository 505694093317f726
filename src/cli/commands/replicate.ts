/** `millrace replicate DB URL`: keeps an archive up with a database until it is told to stop. */

import { resolve } from 'node:path';
import { isFault } from '../../base/fault.ts';
import { Replicator } from '../../engine/replicator.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { archiveOpen, hostMachine } from '../machine.ts';
import type { Output } from '../output.ts';
import type { ReplicateFlags } from '../program.ts';
import { LiveLine } from '../progress.ts';
import { readingShown } from '../reading-progress.ts';
import { ReplicateReport } from '../replicate-report.ts';
import { signalsOpen } from '../signals.ts';

/** Replicates until the first signal, or, with `--once`, until everything committed is durable. */
export async function replicateCommand(
  output: Output,
  [database = '', url = '']: readonly string[],
  flags: ReplicateFlags,
): Promise<ExitCode> {
  const live = new LiveLine(output);
  const report = new ReplicateReport(output, live);
  using signals = signalsOpen((name) => report.ending(name));
  const host = hostMachine({
    ...(output.isJson ? { logFormat: 'json' } : {}),
    logTo: {
      write(line) {
        live.clear();
        process.stderr.write(line);
      },
    },
  });
  const machine = output.isLive
    ? { ...host, databases: readingShown(host.databases, live, () => report.isReading) }
    : host;
  const archive = archiveOpen(machine, url);
  try {
    report.beginning(resolve(database), archive.url);
    await using replicator = await Replicator.open(machine, resolve(database), archive, {
      uploadIntervalMs: flags.uploadInterval,
      drainMs: flags.drain,
      adopt: flags.continue === true ? 'continue' : 'refuse',
      onEvent: (event) => report.event(event),
    });
    if (flags.once === true) {
      await replicator.once(signals.signal);
    } else {
      await replicator.run(signals.signal);
    }
    report.ended();
    return EXIT.ok;
  } catch (error) {
    live.clear();
    if (!isFault(error) || error.code !== 'not-durable') throw error;
    return output.failure(error, EXIT.notDurable);
  } finally {
    live.clear();
  }
}
