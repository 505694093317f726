/**
 * Checkpoints: SQLite's copy from the WAL to the main file (walCheckpoint), in steps.
 *
 * Contract: a reader's mark stops the copy at the mark, READ0 stops all of it; marks 1 to 4 stop the end of
 * RESTART and TRUNCATE. The main file is fsynced only when all of the log is in it.
 */

import type { SimChance } from './chance.ts';
import { readSlot } from './locks.ts';
import { SqliteBusy } from './sqlite-connection.ts';
import type { SqliteConnection, Steps } from './sqlite-connection.ts';
import { restartHeader } from './sqlite-writer.ts';
import { WAL_FRAME_HEADER_BYTES, frameOffset } from '../../src/format/wal.ts';

/** `PRAGMA wal_checkpoint(…)`. */
export type CheckpointMode = 'passive' | 'full' | 'restart' | 'truncate';

/** What the pragma answers. */
export interface CheckpointResult {
  /** It could not do all that its mode asks for. */
  readonly isBusy: boolean;
  readonly frames: number;
  readonly backfilled: number;
}

export interface CheckpointOptions {
  readonly mode: CheckpointMode;
  readonly fsyncs: boolean;
}

/**
 * Runs a checkpoint on a connection that is in no transaction. Throws SqliteBusy if another checkpoint runs.
 */
export function* checkpoint(
  connection: SqliteConnection,
  chance: SimChance,
  options: CheckpointOptions,
): Steps<CheckpointResult> {
  const { locks } = connection;
  if (!locks.exclude(['checkpoint'], connection)) throw new SqliteBusy('another checkpoint is running');
  const isWriter = options.mode !== 'passive' && locks.exclude(['write'], connection);
  connection.hasWriteLock = isWriter;
  try {
    if (connection.readHeader() === 'busy') throw new SqliteBusy('the index is being written');
    const { mxFrame } = connection.header;
    yield* backfill(connection, options.fsyncs);
    const backfilled = connection.shm.nBackfill;
    if (options.mode === 'passive') return { isBusy: false, frames: mxFrame, backfilled };
    if (!isWriter || backfilled < mxFrame) return { isBusy: true, frames: mxFrame, backfilled };
    if (options.mode === 'full') return { isBusy: false, frames: mxFrame, backfilled };
    const isBusy = !(yield* finish(connection, chance, options.mode === 'truncate'));
    return { isBusy, frames: connection.header.mxFrame, backfilled: connection.shm.nBackfill };
  } finally {
    connection.hasWriteLock = false;
    if (connection.isOpen) locks.release(isWriter ? ['checkpoint', 'write'] : ['checkpoint'], connection);
  }
}

function* backfill(connection: SqliteConnection, fsyncs: boolean): Steps<void> {
  const { shm, header, locks } = connection;
  const { main, wal } = connection.files;
  if (shm.nBackfill >= header.mxFrame) return;
  const safe = safeFrame(connection);
  if (shm.nBackfill >= safe || !locks.exclude([readSlot(0)], connection)) return;
  try {
    const done = shm.nBackfill;
    shm.nBackfillAttempted = safe;
    if (fsyncs) connection.fsyncWal();
    yield 'wal fsynced';
    const size = connection.pageSize;
    for (const [pgno, frame] of newestFrames(shm.framePgnos, done, safe)) {
      if (pgno > header.nPage) continue;
      const page = new Uint8Array(size);
      wal.read(page, frameOffset(frame - 1, size) + WAL_FRAME_HEADER_BYTES);
      connection.disk.write(connection.path, main, page, (pgno - 1) * size);
      yield 'page copied';
    }
    if (safe === shm.header()?.mxFrame) {
      connection.disk.resize(connection.path, main, header.nPage * size);
      yield 'main file cut';
      if (fsyncs) main.settle(main.order);
    }
    shm.nBackfill = safe;
    yield 'backfilled';
  } finally {
    if (connection.isOpen) locks.release([readSlot(0)], connection);
  }
}

/** How far readers let the copy go; marks that nobody holds are moved out of the way. */
function safeFrame(connection: SqliteConnection): number {
  const { shm, locks, header } = connection;
  let safe = header.mxFrame;
  for (const i of [1, 2, 3, 4]) {
    const mark = shm.mark(i);
    if (safe <= mark) continue;
    if (locks.exclude([readSlot(i)], connection)) {
      if (i === 1) shm.setMark(1, safe);
      else shm.setMark(i);
      locks.release([readSlot(i)], connection);
    } else {
      safe = mark;
    }
  }
  return safe;
}

/** The newest frame of each page among frames `after` + 1 … `upTo`, by page number. */
function newestFrames(pgnos: readonly number[], after: number, upTo: number): readonly [number, number][] {
  const newest = new Map<number, number>();
  for (let frame = after + 1; frame <= upTo; frame++) newest.set(pgnos[frame - 1]!, frame);
  return [...newest].sort(([a], [b]) => a - b);
}

/** The end of RESTART (nothing but the lock) and TRUNCATE (the log is empty, with the next salts). */
function* finish(connection: SqliteConnection, chance: SimChance, truncates: boolean): Steps<boolean> {
  const slots = [1, 2, 3, 4].map(readSlot);
  const salt = chance.u32();
  if (!connection.locks.exclude(slots, connection)) return false;
  try {
    if (truncates) {
      yield* restartHeader(connection, salt);
      connection.disk.resize(`${connection.path}-wal`, connection.files.wal, 0);
      yield 'wal truncated';
    }
  } finally {
    if (connection.isOpen) connection.locks.release(slots, connection);
  }
  return true;
}
