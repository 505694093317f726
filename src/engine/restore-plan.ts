/**
 * RestorePlan: which files of an archive, in which order, make the database at a TXID. Pure.
 *
 * Litestream's rules: the newest snapshot that does not end beyond the target; then, again and again, of the
 * files that continue or overlap what is reached and end beyond it, the one that ends last, then the one that
 * begins first, then the one of the highest level. Among the chains that reach a TXID this is one with the
 * fewest files.
 */

import { assert, must } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import { txidFormat } from '../base/ids.ts';
import type { Txid, WallMs } from '../base/ids.ts';
import { LEVELS } from '../storage/archive-keys.ts';
import type { LtxFile } from '../storage/archive-keys.ts';
import { restorable, restorableNear } from './restorable.ts';
import type { Restorable } from './restorable.ts';

/**
 * What to restore: the newest state, the state of a TXID, or the newest one that was sealed at `wallMs` or
 * before.
 */
export type RestoreTarget =
  | { readonly kind: 'head' }
  | { readonly kind: 'txid'; readonly txid: Txid }
  | { readonly kind: 'time'; readonly wallMs: WallMs };

/** A target that needs no clock: `restoreTime` turns a time into a TXID first. */
export type PlanTarget = Exclude<RestoreTarget, { kind: 'time' }>;

/** The files to merge, oldest first; where two hold a page, the later one's counts. */
export interface RestorePlan {
  readonly txid: Txid;
  readonly files: readonly LtxFile[];
  /** What all of them weigh: no more than this is read. */
  readonly bytes: number;
}

/**
 * The plan for `target` from a listing in any order. Faults: `archive-empty`, `archive-gap` (names the
 * missing TXIDs), `txid-outside-archive`, `txid-between-files` (name what can be restored instead).
 */
export function restorePlan(files: readonly LtxFile[], target: PlanTarget): RestorePlan {
  const known = restorable(files);
  const head = known.head;
  if (head === null) throw archiveEmpty();
  const txid = target.kind === 'head' ? head : target.txid;
  if (restorableNear(known.txids, txid).before !== txid) throw unrestorable(files, known, txid);
  const chain = chainTo(files, txid);
  return { txid, files: chain, bytes: chain.reduce((sum, file) => sum + file.size, 0) };
}

/** The Fault of an archive without files. */
export function archiveEmpty(): Fault {
  return new Fault('invalid', 'archive-empty', 'the archive holds no LTX files', {
    hint: 'check the URL: it names the directory that holds `ltx`; `millrace ls URL` lists it',
  });
}

function chainTo(files: readonly LtxFile[], txid: Txid): LtxFile[] {
  const usable = files.filter((file) => file.maxTxid <= txid);
  const snapshots = usable.filter((file) => file.level === LEVELS.snapshots && file.minTxid === 1n);
  const chain: LtxFile[] = [];
  let reached = 0n;
  const first = snapshots.reduce<LtxFile | null>(
    (best, file) => (best === null || isBetter(file, best) ? file : best),
    null,
  );
  if (first !== null) {
    chain.push(first);
    reached = first.maxTxid;
  }
  usable.sort((a, b) => (a.minTxid < b.minTxid ? -1 : a.minTxid > b.minTxid ? 1 : 0));
  let best: LtxFile | null = null;
  for (let next = 0; reached < txid;) {
    for (; next < usable.length; next++) {
      const file = usable[next] as LtxFile;
      if (file.minTxid > reached + 1n) break;
      if (best === null || isBetter(file, best)) best = file;
    }
    const chosen: LtxFile = must(best, 'a restorable TXID has a chain');
    assert(chosen.maxTxid > reached, 'each file of a chain ends beyond the one before');
    chain.push(chosen);
    reached = chosen.maxTxid;
  }
  assert(
    chain[0]?.minTxid === 1n && reached === txid,
    'a chain begins with a snapshot and ends at the target',
  );
  return chain;
}

/** Of two files that both fit: the one that ends last, begins first, has the higher level, is older. */
function isBetter(a: LtxFile, b: LtxFile): boolean {
  if (a.maxTxid !== b.maxTxid) return a.maxTxid > b.maxTxid;
  if (a.minTxid !== b.minTxid) return a.minTxid < b.minTxid;
  if (a.level !== b.level) return a.level > b.level;
  return a.modifiedMs < b.modifiedMs;
}

function unrestorable(files: readonly LtxFile[], known: Restorable, txid: Txid): Fault {
  const { txids, gaps, head } = known;
  const { before, after } = restorableNear(txids, txid);
  const gap = gaps.findLast((range) => range.first <= txid);
  if (
    txids.length === 0 ||
    (head !== null && txid <= head && gap !== undefined && (before ?? 0n) < gap.first)
  ) {
    return archiveGap(gap ?? must(gaps[0], 'without a snapshot there is a gap'), before, after);
  }
  const covering = files.find((file) => file.minTxid <= txid && txid < file.maxTxid);
  if (covering !== undefined) return betweenFiles(txid, covering, { before, after });
  const first = must(txids[0], 'something is restorable');
  const last = must(txids.at(-1), 'something is restorable');
  const range = `${txidFormat(first)} to ${txidFormat(last)}`;
  return new Fault(
    'invalid',
    'txid-outside-archive',
    `TXID ${txidFormat(txid)} is not in the archive: it holds ${range}`,
    {
      hint: `give a TXID from ${range}, or none for the newest; \`millrace ls URL\` lists them`,
      details: { txid: txidFormat(txid), first: txidFormat(first), last: txidFormat(last) },
    },
  );
}

function archiveGap(gap: { first: Txid; last: Txid }, before: Txid | null, after: Txid | null): Fault {
  const missing =
    gap.first === gap.last ? txidFormat(gap.first) : `${txidFormat(gap.first)} to ${txidFormat(gap.last)}`;
  const instead = before ?? after;
  return new Fault(
    'gap',
    'archive-gap',
    `the archive lacks TXID ${missing}: nothing behind can be restored`,
    {
      hint:
        instead === null
          ? 'there is no snapshot to begin with; look for the missing files in a copy of the archive'
          : `look for the missing files in a copy of the archive, or restore --txid ${txidFormat(instead)}`,
      details: { first: txidFormat(gap.first), last: txidFormat(gap.last), ...nearDetails(before, after) },
    },
  );
}

function betweenFiles(
  txid: Txid,
  covering: LtxFile,
  near: { before: Txid | null; after: Txid | null },
): Fault {
  const choices = [near.before, near.after].filter((choice) => choice !== null).map(txidFormat);
  const message = `TXID ${txidFormat(txid)} lies inside ${covering.key}: its own file is gone`;
  return new Fault('invalid', 'txid-between-files', message, {
    hint: `the nearest TXIDs that can be restored: ${choices.join(' and ')}`,
    details: { txid: txidFormat(txid), key: covering.key, ...nearDetails(near.before, near.after) },
  });
}

function nearDetails(before: Txid | null, after: Txid | null): Record<string, string> {
  return {
    ...(before === null ? {} : { before: txidFormat(before) }),
    ...(after === null ? {} : { after: txidFormat(after) }),
  };
}
