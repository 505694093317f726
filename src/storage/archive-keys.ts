/**
 * Where the files of an archive lie: keys ↔ (level, TXIDs), for both of Litestream's layouts.
 *
 *     levels-decimal   ltx/0/0000000000000001-0000000000000001.ltx      files, and most stores
 *     levels-hex4      0000/0000000000000001-0000000000000001.ltx       S3 and OSS
 *
 * TXIDs are 16 lower-case hex digits, so that the order of keys is the order of TXIDs. Whatever else lies
 * beside the files is none of the archive's business: it is passed over, never deleted.
 */

import { assert } from '../base/assert.ts';
import { txidFormat } from '../base/ids.ts';
import type { Txid } from '../base/ids.ts';
import { ltxName, ltxNameParse } from '../format/ltx-name.ts';
import type { ObjectInfo, StoreCapabilities } from './object-store.ts';

/** Levels: 0 is one file a TXID, 1 … 8 are compacted, 9 are snapshots. */
export const LEVELS = { uploads: 0, snapshots: 9 } as const;

/** The key of `millrace.json`, beside the levels. */
export const IDENTITY_KEY = 'millrace.json';

export type ArchiveLayout = StoreCapabilities['layout'];

/** One LTX file of an archive, as its listing has it: `minTxid` … `maxTxid`, both included. */
export interface LtxFile {
  readonly level: number;
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  readonly key: string;
  readonly size: number;
  readonly modifiedMs: number;
}

/** What all keys of a level begin with. */
export function levelPrefix(layout: ArchiveLayout, level: number): string {
  assert(Number.isInteger(level) && level >= 0 && level <= LEVELS.snapshots, `there is no level ${level}`);
  return layout === 'levels-hex4' ? `${level.toString(16).padStart(4, '0')}/` : `ltx/${level}/`;
}

/** The key of the file of a level that holds `minTxid` … `maxTxid`. */
export function ltxKey(layout: ArchiveLayout, level: number, minTxid: Txid, maxTxid: Txid): string {
  return levelPrefix(layout, level) + ltxName(minTxid, maxTxid);
}

/** What sorts before every key of `level` whose `minTxid` is `from` or more, and after every other. */
export function keyBefore(layout: ArchiveLayout, level: number, from: Txid): string {
  return levelPrefix(layout, level) + txidFormat(from);
}

/** The LTX file of a listed object; `null`: it is something else, which archives pass over. */
export function ltxFileOf(layout: ArchiveLayout, level: number, info: ObjectInfo): LtxFile | null {
  const prefix = levelPrefix(layout, level);
  if (!info.key.startsWith(prefix)) return null;
  const range = ltxNameParse(info.key.slice(prefix.length));
  return range === null ? null : { level, ...range, ...info };
}
