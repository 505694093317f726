/** `millrace ls URL`: what can be restored from an archive. */

import { txidFormat } from '../../base/ids.ts';
import { archiveSummary } from '../../engine/ls.ts';
import type { ArchiveSummary, Moment } from '../../engine/ls.ts';
import { archiveEmpty } from '../../engine/restore-plan.ts';
import type { LtxFile } from '../../storage/archive.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { bytesFigure, countFigure, momentFigure, plural, table } from '../figures.ts';
import { archiveOpen, hostMachine } from '../machine.ts';
import type { Output } from '../output.ts';

/** So many of the newest are shown to people; JSON has all. */
export const LIMITS = { shownMax: 20 } as const;

/** Lists an archive. Fault `archive-empty` where there is nothing that looks like one. */
export async function lsCommand(output: Output, [url = '']: readonly string[]): Promise<ExitCode> {
  const summary = await archiveSummary(archiveOpen(hostMachine(), url));
  if (summary.files.length === 0) throw archiveEmpty();
  output.result(summary, () => lines(summary));
  return EXIT.ok;
}

function lines(summary: ArchiveSummary): string[] {
  const { url, bytes, files, txids, first, last, gaps, levels } = summary;
  const shown = restorableFiles(summary).slice(-LIMITS.shownMax);
  const hidden = txids.length - shown.length;
  return [
    ...table([
      ['archive', `${url} (${plural(files.length, 'file')}, ${bytesFigure(bytes)})`],
      ['oldest', first === null ? 'nothing can be restored' : momentOf(first)],
      ['newest', last === null ? 'nothing can be restored' : momentOf(last)],
      ...gaps.map((gap) => [
        'MISSING',
        `TXID ${txidFormat(gap.first)} to ${txidFormat(gap.last)}: ` +
          'what lies behind it cannot be restored, up to the next snapshot',
      ]),
      ...levels
        .filter(({ level }) => level > 0)
        .map((level) => [
          `level ${level.level}`,
          `${plural(level.files, 'file')}, ${bytesFigure(level.bytes)}`,
        ]),
    ]),
    '',
    ...table(
      [
        ['TXID', 'time', 'size'],
        ...shown.map((file) => [
          txidFormat(file.maxTxid),
          momentFigure(file.modifiedMs),
          bytesFigure(file.size),
        ]),
      ],
      [2],
    ),
    ...(hidden > 0 ? [`and ${countFigure(hidden)} before them; --json lists all`] : []),
  ];
}

function momentOf({ txid, timestampMs }: Moment): string {
  return `TXID ${txidFormat(txid)} of ${momentFigure(timestampMs)}`;
}

/**
 * For every TXID that can be restored, ascending, the file that ends there; of several the one of the
 * lowest level.
 */
function restorableFiles({ files, txids }: ArchiveSummary): LtxFile[] {
  const ending = new Map<bigint, LtxFile>();
  for (const file of files) {
    const other = ending.get(file.maxTxid);
    if (other === undefined || file.level < other.level) ending.set(file.maxTxid, file);
  }
  return txids.flatMap((txid) => ending.get(txid) ?? []);
}
