/** `millrace status DB`: compares a database with what its archive has confirmed. */

import { resolve } from 'node:path';
import { txidFormat } from '../../base/ids.ts';
import { archiveUrlOf, databaseStatus } from '../database-status.ts';
import type { DatabaseStatus } from '../database-status.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { bytesFigure, durationFigure, momentFigure, table } from '../figures.ts';
import { archiveOpen, hostMachine } from '../machine.ts';
import type { Output } from '../output.ts';

/** Asks database and archive, and tells. */
export async function statusCommand(output: Output, [typed = '']: readonly string[]): Promise<ExitCode> {
  const machine = hostMachine();
  const database = resolve(typed);
  const archive = archiveOpen(machine, archiveUrlOf(machine, database).url);
  const status = await databaseStatus(machine, archive, database);
  const ageMs = status.timestampMs === null ? null : Math.max(0, machine.clock.wallMs() - status.timestampMs);
  output.result({ ...status, ageMs }, () => lines(status, ageMs));
  return EXIT.ok;
}

function lines(status: DatabaseStatus, ageMs: number | null): string[] {
  const { databaseBytes, walBytes, txid, timestampMs, behindBytes } = status;
  const size = databaseBytes === null ? 'missing' : bytesFigure(databaseBytes);
  const wal = walBytes === null ? 'no WAL' : `WAL ${bytesFigure(walBytes)}`;
  const newest =
    txid === null || timestampMs === null || ageMs === null
      ? 'empty'
      : `TXID ${txidFormat(txid)} of ${momentFigure(timestampMs)}, ${durationFigure(ageMs)} ago`;
  const lag =
    behindBytes === null || behindBytes === 0 ? status.lag : `${status.lag} by ${bytesFigure(behindBytes)}`;
  return table([
    ['database', `${status.database} (${size}, ${wal})`],
    ['replicated', status.isReplicated ? 'by a process at this moment' : 'no process does it at this moment'],
    ['archive', status.archive],
    ['newest', newest],
    ['state', `${lag}: ${status.reason}`],
  ]);
}
