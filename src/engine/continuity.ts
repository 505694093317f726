/**
 * Continuity: what a start finds, and what it does about it. Pure.
 *
 * | local state | archive | answer |
 * | --- | --- | --- |
 * | none | empty | begin: TXID 1 is a full snapshot |
 * | none, or a foreign file's | has a head | compare: adopt it if the file is its head, else refuse |
 * | its newest seal | is the head | resume |
 * | TXID 1, not arrived | empty, but of its lineage | begin |
 * | its newest seal | never arrived, the one before is the head | resume before it |
 * | older | went on in an epoch of ours | replay what our own objects say |
 * | its newest seal | has a late PUT of ours in its place | replay it, behind the seal before |
 * | its newest seal, and none before it | the same | overwrite |
 * | any | went on in another epoch | refuse: another writer |
 * | any | lost objects, or is another lineage | refuse |
 *
 * `overwrite`: all pages as the next TXID; what was there stays restorable. `--continue` turns every refusal
 * into it.
 */

import { Fault } from '../base/fault.ts';
import { txidFormat } from '../base/ids.ts';
import type { Checksum, Epoch, Txid } from '../base/ids.ts';

/** The newest L0 of an archive. */
export interface HeadFound {
  readonly txid: Txid;
  readonly epoch: Epoch;
  /** The rolling checksum after it; `null` where Litestream wrote it. */
  readonly post: Checksum | null;
}

/** One seal in the local state. */
export interface SealFound {
  readonly txid: Txid;
  readonly post: Checksum;
}

/** What a start finds. */
export interface Found {
  readonly state: {
    readonly lineage: string;
    /** The epochs of this database's own writers. */
    readonly epochs: readonly Epoch[];
    /** Whether the database is the file that the state was written for. */
    readonly isSameFile: boolean;
    readonly isSameArchive: boolean;
    /** The newest seal, and the one before it where the state still holds that. */
    readonly last: SealFound;
    readonly before: SealFound | null;
  } | null;
  readonly archive: {
    readonly url: string;
    readonly lineage: string | null;
    readonly head: HeadFound | null;
  };
  /** The user said `--continue`. */
  readonly isContinue: boolean;
}

/** What a start does. */
export type Decision =
  | { readonly do: 'begin' }
  | { readonly do: 'resume'; readonly keep: 'all' | 'but-last' }
  | { readonly do: 'replay'; readonly keep: 'all' | 'but-last' }
  | { readonly do: 'compare' }
  | { readonly do: 'overwrite' };

/** Decides, or throws the Fault that says why not and what would. */
export function continuity(found: Found): Decision {
  const { state, archive, isContinue } = found;
  const { head } = archive;
  if (head === null) return beginOrRefuse(found);
  if (state === null || !state.isSameFile || !state.isSameArchive) {
    return isContinue ? { do: 'overwrite' } : { do: 'compare' };
  }
  if (archive.lineage !== null && archive.lineage !== state.lineage) {
    return refuse(isContinue, 'lineage-mismatch', [
      `the archive ${archive.url} holds lineage ${archive.lineage}, the database belongs to ${state.lineage}`,
      'give each database an archive of its own; `--continue` makes this one the next state of that archive',
    ]);
  }
  const { last, before } = state;
  if (head.txid === last.txid && head.post === last.post) return { do: 'resume', keep: 'all' };
  if (before !== null && head.txid === before.txid && head.post === before.post) {
    return { do: 'resume', keep: 'but-last' };
  }
  const there = `at ${txidFormat(head.txid)} in epoch ${head.epoch}`;
  const both = `${there}; this one stands at ${txidFormat(last.txid)}`;
  if (state.epochs.includes(head.epoch) && head.txid > last.txid) return { do: 'replay', keep: 'all' };
  // Of an older epoch than the newest: an object of the newest one, with another content, is a twin's.
  if (state.epochs.slice(1).includes(head.epoch) && head.txid === last.txid) {
    return before === null ? { do: 'overwrite' } : { do: 'replay', keep: 'but-last' };
  }
  if (head.txid < last.txid) {
    return refuse(isContinue, 'archive-behind', [
      `the archive ${archive.url} is ${both}: objects that were there are gone`,
      'bring them back, or go on with `--continue`: what is left stays restorable',
    ]);
  }
  return refuse(isContinue, 'other-writer', [
    `another writer took the archive ${archive.url} further: it stands ${both}`,
    'stop the other writer; then restore its state, or make this database the next state with `--continue`',
  ]);
}

/** The archive is empty: that is a beginning, unless this database's history was in it. */
function beginOrRefuse({ state, archive, isContinue }: Found): Decision {
  if (state === null || !state.isSameFile || !state.isSameArchive || isContinue) return { do: 'begin' };
  if (state.last.txid === 1n && archive.lineage === state.lineage) return { do: 'begin' };
  return refuse(false, 'archive-vanished', [
    `${archive.url} is empty, yet it held this database up to TXID ${txidFormat(state.last.txid)}`,
    'see that the right place is mounted; `--continue` begins a lineage there',
  ]);
}

/** A Fault of kind `conflict`, unless the user overrules it. */
function refuse(isContinue: boolean, code: string, [message, hint]: readonly [string, string]): Decision {
  if (isContinue) return { do: 'overwrite' };
  throw new Fault('conflict', code, message, { hint });
}
