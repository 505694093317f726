/**
 * Restorable: which TXIDs an archive can be restored to, and what lies between them. Pure.
 *
 * A TXID is restorable when a chain of files leads to it: a snapshot first (`minTxid` 1), then files that
 * each continue or overlap what is there (`minTxid ≤ reached + 1`) and end beyond it, the last one ending
 * exactly at the TXID. TXIDs that lie inside a compacted file are not: their own files are gone.
 */

import { assert } from '../base/assert.ts';
import type { Txid } from '../base/ids.ts';
import type { LtxFile } from '../storage/archive-keys.ts';

/** TXIDs, both included. */
export interface TxidRange {
  readonly first: Txid;
  readonly last: Txid;
}

/** What an archive holds: the TXIDs that can be restored, ascending, and the ranges that no chain reaches. */
export interface Restorable {
  readonly txids: readonly Txid[];
  readonly gaps: readonly TxidRange[];
  /** The largest TXID of any file; `null`: there are no files. */
  readonly head: Txid | null;
}

/** The chains of an archive, from its listing in any order. */
export function restorable(files: readonly LtxFile[]): Restorable {
  const sorted = [...files].sort((a, b) => compare(a.maxTxid, b.maxTxid) || compare(a.minTxid, b.minTxid));
  const txids: Txid[] = [];
  for (const file of sorted) {
    const reached = txids.at(-1) ?? 0n;
    if (reached === file.maxTxid) continue;
    if (file.minTxid === 1n || (reached !== 0n && file.minTxid <= reached + 1n)) txids.push(file.maxTxid);
  }
  return { txids, gaps: gapsOf(sorted, txids), head: sorted.at(-1)?.maxTxid ?? null };
}

/**
 * The TXIDs that are missing: before every file that continues nothing, from behind what came before it to
 * its first.
 *
 * After a gap nothing is restorable until the next snapshot; the gap itself is only what no file holds.
 */
function gapsOf(sorted: readonly LtxFile[], txids: readonly Txid[]): TxidRange[] {
  if (sorted.length === 0) return [];
  const byMin = [...sorted].sort((a, b) => compare(a.minTxid, b.minTxid));
  const gaps: TxidRange[] = [];
  let held = 0n;
  for (const file of byMin) {
    if (file.minTxid > held + 1n)
      gaps.push({ first: (held + 1n) as Txid, last: (file.minTxid - 1n) as Txid });
    if (file.maxTxid > held) held = file.maxTxid;
  }
  assert(gaps.length > 0 || txids.length > 0, 'without gaps the file that holds TXID 1 is a snapshot');
  return gaps;
}

/** The nearest restorable TXIDs: at or before `txid`, and after it. */
export function restorableNear(
  txids: readonly Txid[],
  txid: Txid,
): { before: Txid | null; after: Txid | null } {
  let low = 0;
  let high = txids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((txids[middle] as Txid) <= txid) low = middle + 1;
    else high = middle;
  }
  return { before: txids[low - 1] ?? null, after: txids[low] ?? null };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
