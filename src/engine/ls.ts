/** Ls: what an archive holds and what of it can be restored, from one listing and two headers. */

import type { Txid, WallMs } from '../base/ids.ts';
import type { Archive, ArchiveIdentity, LtxFile } from '../storage/archive.ts';
import { namingAsync } from './plan-file.ts';
import { restorable } from './restorable.ts';
import type { TxidRange } from './restorable.ts';
import { momentsOf } from './restore-time.ts';

/** A TXID, and when it was sealed. */
export interface Moment {
  readonly txid: Txid;
  readonly timestampMs: WallMs;
}

/** The files of one level: 0 uploads, 1 … 8 compacted, 9 snapshots. */
export interface LevelSummary {
  readonly level: number;
  readonly files: number;
  readonly bytes: number;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
}

export interface ArchiveSummary {
  readonly url: string;
  readonly identity: ArchiveIdentity | null;
  readonly files: readonly LtxFile[];
  readonly bytes: number;
  readonly levels: readonly LevelSummary[];
  /** The TXIDs that can be restored, ascending. */
  readonly txids: readonly Txid[];
  /** The oldest and the newest state that can be restored; `null`: none can. */
  readonly first: Moment | null;
  readonly last: Moment | null;
  /** TXIDs that no file holds: what lies behind them cannot be restored, up to the next snapshot. */
  readonly gaps: readonly TxidRange[];
  /** The largest TXID of any file. It can be restored unless it lies behind a gap. */
  readonly head: Txid | null;
}

/** What `archive` holds. */
export async function archiveSummary(archive: Archive, signal?: AbortSignal): Promise<ArchiveSummary> {
  const [files, identity] = await Promise.all([archive.listAll(), archive.identity()]);
  const { txids, gaps, head } = restorable(files);
  const moments = momentsOf(files);
  const momentOf = async (txid: Txid | undefined): Promise<Moment | null> => {
    const file = moments.find(({ maxTxid }) => maxTxid === txid);
    if (file === undefined) return null;
    const header = await namingAsync(file, () => archive.readHeader(file, signal));
    return { txid: file.maxTxid, timestampMs: header.timestampMs };
  };
  const [first, last] = await Promise.all([momentOf(txids[0]), momentOf(txids.at(-1))]);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return {
    url: archive.url,
    identity,
    files,
    bytes,
    levels: levelsOf(files),
    txids,
    first,
    last,
    gaps,
    head,
  };
}

function levelsOf(files: readonly LtxFile[]): LevelSummary[] {
  const levels = new Map<number, LevelSummary>();
  for (const { level, size, minTxid, maxTxid } of files) {
    const sum = levels.get(level) ?? { level, files: 0, bytes: 0, minTxid, maxTxid };
    levels.set(level, {
      level,
      files: sum.files + 1,
      bytes: sum.bytes + size,
      minTxid: minTxid < sum.minTxid ? minTxid : sum.minTxid,
      maxTxid: maxTxid > sum.maxTxid ? maxTxid : sum.maxTxid,
    });
  }
  return [...levels.values()].sort((a, b) => a.level - b.level);
}
