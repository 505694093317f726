/**
 * `millrace ls URL`: what can be restored from an archive.
 *
 * People are shown the times that `--at` goes by, which stand in the files: those of a listing are the
 * copy's where an archive was copied.
 */

import { resolve } from 'node:path';
import { Fault, isFault } from '../../base/fault.ts';
import { txidFormat } from '../../base/ids.ts';
import type { Machine } from '../../base/ports.ts';
import { archiveSummary } from '../../engine/ls.ts';
import type { ArchiveSummary, Moment } from '../../engine/ls.ts';
import { archiveEmpty } from '../../engine/restore-plan.ts';
import type { Archive, LtxFile } from '../../storage/archive.ts';
import { storeUrlParse } from '../../storage/store-url.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { bytesFigure, countFigure, momentFigure, plural, table } from '../figures.ts';
import { archiveOpen, hostMachine } from '../machine.ts';
import type { Output } from '../output.ts';

/** So many of the newest are shown to people; JSON has all. */
export const LIMITS = { shownMax: 20 } as const;

/** A file that is shown, and when it was sealed. */
interface Shown {
  readonly file: LtxFile;
  readonly time: string;
}

/** Lists an archive. Faults: `not-an-archive`; `archive-empty` where there is nothing that looks like one. */
export async function lsCommand(output: Output, [url = '']: readonly string[]): Promise<ExitCode> {
  const machine = hostMachine();
  directoryCheck(machine, url);
  const archive = archiveOpen(machine, url);
  const summary = await archiveSummary(archive);
  if (summary.files.length === 0) throw archiveEmpty();
  const shown = output.isJson ? [] : await shownOf(archive, summary);
  output.result(summary, () => lines(summary, shown));
  return EXIT.ok;
}

function directoryCheck(machine: Machine, url: string): void {
  const path = resolve(storeUrlParse(url).path);
  if (machine.files.stat(path)?.kind !== 'file') return;
  throw new Fault('invalid', 'not-an-archive', `${path} is a file, and an archive is a directory`, {
    hint: `if it is a database: \`millrace status ${path}\` says where its archive is`,
  });
}

async function shownOf(archive: Archive, summary: ArchiveSummary): Promise<Shown[]> {
  const files = restorableFiles(summary).slice(-LIMITS.shownMax);
  return await Promise.all(files.map(async (file) => ({ file, time: await timeOf(archive, file) })));
}

async function timeOf(archive: Archive, file: LtxFile): Promise<string> {
  try {
    return momentFigure((await archive.readHeader(file)).timestampMs);
  } catch (error) {
    // The others are still worth showing.
    if (isFault(error, 'corrupt')) return 'DAMAGED';
    throw error;
  }
}

function lines(summary: ArchiveSummary, shown: readonly Shown[]): string[] {
  const { url, bytes, files, txids, first, last, gaps, levels } = summary;
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
        ...shown.map(({ file, time }) => [txidFormat(file.maxTxid), time, bytesFigure(file.size)]),
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
