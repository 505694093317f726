/**
 * RestoreTime: from a moment to a TXID, by the timestamps inside the files.
 *
 * The times of a listing are the store's own in many stores, and those of a copied bucket are the copy's.
 * Header timestamps grow with TXIDs, so a binary search reads few of them. The moment of a TXID is when it
 * was sealed; a snapshot carries the time of its own making, later than that, and is asked only where no
 * other file ends at its TXID.
 *
 * Trap: after a jump of the writer's clock the timestamps are not in order. Then the answer still was sealed
 * by the given moment, and what follows it was not; but it need not be the newest such TXID.
 */

import { must } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import type { Txid, WallMs } from '../base/ids.ts';
import { txidFormat } from '../base/ids.ts';
import { LEVELS } from '../storage/archive-keys.ts';
import type { LtxFile } from '../storage/archive-keys.ts';
import { restorable } from './restorable.ts';
import { archiveEmpty } from './restore-plan.ts';

/** Reads the timestamp in a file's header. */
export type TimestampOf = (file: LtxFile) => Promise<WallMs>;

/**
 * The newest TXID that was sealed at `wallMs` or before. It may lie behind a gap, where no plan reaches it.
 * Faults: `archive-empty`, `time-outside-archive` (says when the archive begins).
 */
export async function restoreTime(
  files: readonly LtxFile[],
  wallMs: WallMs,
  timestampOf: TimestampOf,
): Promise<Txid> {
  const moments = momentsOf(files);
  const first = moments[0];
  if (first === undefined) throw archiveEmpty();
  let low = 0;
  let high = moments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((await timestampOf(must(moments[middle], 'inside the list'))) <= wallMs) low = middle + 1;
    else high = middle;
  }
  const found = moments[low - 1];
  if (found !== undefined) return found.maxTxid;
  const firstMs = await timestampOf(first);
  throw new Fault(
    'invalid',
    'time-outside-archive',
    `the archive holds nothing from ${wallMs} ms or before`,
    {
      hint: `it begins with TXID ${txidFormat(first.maxTxid)}; give a later time, in UTC or with its zone`,
      details: { wallMs, firstMs, first: txidFormat(first.maxTxid) },
    },
  );
}

/** For every TXID that counts, ascending, the file whose header says when it was. */
export function momentsOf(files: readonly LtxFile[]): LtxFile[] {
  const { txids } = restorable(files);
  const last = txids.at(-1) ?? 0n;
  const isRestorable = new Set(txids);
  const moments = new Map<Txid, LtxFile>();
  for (const file of files) {
    // What lies behind the last gap counts too: silently restoring the state before the gap would be a lie.
    if (!isRestorable.has(file.maxTxid) && file.maxTxid < last) continue;
    const other = moments.get(file.maxTxid);
    if (other === undefined || rank(file) < rank(other)) moments.set(file.maxTxid, file);
  }
  return [...moments.values()].sort((a, b) => (a.maxTxid < b.maxTxid ? -1 : 1));
}

function rank(file: LtxFile): number {
  return file.level === LEVELS.snapshots ? Infinity : file.level;
}
