/**
 * Where capture stands in one generation of a database's WAL.
 *
 * A position is proof as much as place: the frames before it carried these salts and chained to this
 * checksum. It always lies behind a commit frame.
 */

import type { WalSeed } from '../format/kernel.ts';
import { WAL_FRAME_HEADER_BYTES, WAL_HEADER_BYTES } from '../format/wal.ts';

/** A place in the WAL, behind a commit frame (or at its very beginning, `frames` 0). */
export interface WalPosition {
  readonly bigEndian: boolean;
  readonly salt1: number;
  readonly salt2: number;
  /** Frames captured: the 0-based index of the next one. */
  readonly frames: number;
  /** The running checksum behind the last captured frame; means nothing while `frames` is 0. */
  readonly checksum: WalSeed;
  /** SQLite's commit counter here; `null` where it cannot be compared (recovery resets it, B3). */
  readonly iChange: number | null;
}

/** The byte offset in the WAL at which a position stands. */
export function positionOffset(position: WalPosition, pageSize: number): number {
  return WAL_HEADER_BYTES + position.frames * (WAL_FRAME_HEADER_BYTES + pageSize);
}

/** Whether both lie in one generation of the log. */
export function sameGeneration(
  a: { readonly salt1: number; readonly salt2: number },
  b: { readonly salt1: number; readonly salt2: number },
): boolean {
  return a.salt1 === b.salt1 && a.salt2 === b.salt2;
}
