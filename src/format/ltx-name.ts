/**
 * The names of LTX files: first and last TXID, so that names sort as their contents do.
 *
 * Contract: what is not exactly such a name is no LTX file, and is to be ignored in a listing.
 */

import { assert } from '../base/assert.ts';
import { TXID_MAX, txidFormat } from '../base/ids.ts';
import type { Txid } from '../base/ids.ts';

const PATTERN = /^([0-9a-f]{16})-([0-9a-f]{16})\.ltx$/;

/** The TXIDs that a file holds, both included. */
export interface LtxRange {
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
}

/** `<minTxid>-<maxTxid>.ltx`, each of 16 hex digits. */
export function ltxName(minTxid: Txid, maxTxid: Txid): string {
  assert(minTxid <= maxTxid, () => `TXIDs out of order: ${minTxid}, ${maxTxid}`);
  return `${txidFormat(minTxid)}-${txidFormat(maxTxid)}.ltx`;
}

/** The range that a file's name (without folders) says. `null`: it is not the name of an LTX file. */
export function ltxNameParse(name: string): LtxRange | null {
  const [, first, last] = PATTERN.exec(name) ?? [];
  if (first === undefined || last === undefined) return null;
  const minTxid = BigInt(`0x${first}`) as Txid;
  const maxTxid = BigInt(`0x${last}`) as Txid;
  if (minTxid < 1n || maxTxid < minTxid || maxTxid > TXID_MAX) return null;
  return { minTxid, maxTxid };
}
