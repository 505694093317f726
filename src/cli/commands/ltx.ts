/** `millrace ltx FILE`: what one LTX file holds, and whether it is whole. */

import { resolve } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { checksumFormat, txidFormat } from '../../base/ids.ts';
import type { Machine } from '../../base/ports.ts';
import { ltxInspect } from '../../engine/ltx-inspect.ts';
import type { LtxInspection } from '../../engine/ltx-inspect.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { bytesFigure, momentFigure, plural, table } from '../figures.ts';
import { hostMachine } from '../machine.ts';
import type { Output } from '../output.ts';
import { progressOf } from '../progress.ts';

export const LIMITS = { chunkBytes: 1_048_576 } as const;

/** Reads and verifies the whole file. */
export async function ltxCommand(output: Output, [typed = '']: readonly string[]): Promise<ExitCode> {
  const progress = progressOf(output);
  const path = resolve(typed);
  try {
    const chunks = chunksOf(hostMachine(), path, (done, total) => progress.update(done, total, 'verifying'));
    const inspection = await ltxInspect(chunks);
    progress.stop();
    const { header, ...rest } = inspection;
    output.result({ file: path, ...header, ...rest, isVerified: true }, () => lines(path, inspection));
    return EXIT.ok;
  } finally {
    progress.stop();
  }
}

async function* chunksOf(
  { files, clock }: Machine,
  path: string,
  onProgress: (done: number, total: number) => void,
): AsyncGenerator<Uint8Array> {
  if (files.stat(path) === null) {
    throw new Fault('invalid', 'file-missing', `there is no file ${path}`, {
      hint: 'give the path of an .ltx file; `millrace ls URL --json` lists those of an archive',
    });
  }
  const fd = files.open(path, 'read');
  try {
    const size = files.size(fd);
    for (let at = 0; at < size; at += LIMITS.chunkBytes) {
      const chunk = new Uint8Array(Math.min(LIMITS.chunkBytes, size - at));
      const read = files.read(fd, chunk, at);
      yield chunk.subarray(0, read);
      onProgress(at + read, size);
      await clock.yield();
    }
  } finally {
    files.close(fd);
  }
}

function lines(path: string, { header, isSnapshot, pages, size, fileChecksum }: LtxInspection): string[] {
  const { minTxid, maxTxid, pageSize, commit, rolling, epoch } = header;
  const range =
    minTxid === maxTxid ? txidFormat(minTxid) : `${txidFormat(minTxid)} to ${txidFormat(maxTxid)}`;
  const database = rolling === null ? 'not in this file' : checksumFormat(rolling.post);
  return table([
    ['file', path],
    ['TXID', `${range}${isSnapshot ? ' (a snapshot: every page)' : ''}`],
    ['time', momentFigure(header.timestampMs)],
    ['pages', `${plural(pages, 'page')} of ${pageSize} bytes; the database has ${plural(commit, 'page')}`],
    ['size', bytesFigure(size)],
    ['epoch', epoch === 0n ? 'none: not written by Millrace' : `${epoch}`],
    ['checksum', `${checksumFormat(fileChecksum)} of the file, verified`],
    ['database', `${database}${rolling === null ? '' : ', its checksum after this file'}`],
  ]);
}
