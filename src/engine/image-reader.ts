/**
 * Reads one committed state of a whole database, page by page, while others write it.
 *
 * Each page is its newest frame in the log up to a header's `mxFrame`, else the main file's. The header must
 * have been read under the pin (B5): then nothing above a read mark is copied back, or, with READ0, the main
 * file is frozen and the log restarts at most once. Where there is no log, the main file alone is the state.
 */

import { assert } from '../base/assert.ts';
import type { DatabaseHandle } from '../base/ports.ts';
import type { Slices } from '../base/task.ts';
import { lockPage } from '../format/sqlite-header.ts';
import type { WalIndex } from '../format/wal-index.ts';
import type { LogReader } from './log-reader.ts';

export const LIMITS = { batchBytesMax: 262_144 } as const;

/** Consecutive pages but for the lock page, in one buffer that the next batch reuses. */
export interface PageBatch {
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
}

/** What an image is read from. */
export interface ImageSource {
  readonly handle: DatabaseHandle;
  readonly pageSize: number;
  /** The log, where there is one, and the header that says how much of it counts. */
  readonly log: { readonly reader: LogReader; readonly header: WalIndex } | null;
}

/** The database's size in pages in the state that `source` names. */
export function imageSize(source: ImageSource): number {
  const committed = source.log?.header.nPage ?? 0;
  return committed > 0 ? committed : Math.floor(source.handle.mainSize() / source.pageSize);
}

/**
 * The newest frame of every page in the log up to `mxFrame`, or `null` if the log is not what the header
 * says.
 */
async function newestFrames(
  source: ImageSource,
  slices: Slices,
): Promise<ReadonlyMap<number, number> | null> {
  const newest = new Map<number, number>();
  if (source.log === null || source.log.header.mxFrame === 0) return newest;
  const { reader, header } = source.log;
  let chain = reader.start(header);
  for (let at = 0; at < header.mxFrame;) {
    const read = chain === null ? null : reader.frames(chain, at, header.mxFrame);
    if (read === null || read.run.count === 0) return null;
    for (let i = 0; i < read.run.count; i++) newest.set(read.run.pgno(i), at + i);
    at += read.run.count;
    chain = read.next;
    await slices.breathe();
  }
  return newest;
}

/**
 * Yields every page of the image in order, in batches. Returns `false` where the log turned out to be another
 * one: what was yielded is then no state at all, and the caller reads a header anew.
 */
export async function* readImage(source: ImageSource, slices: Slices): AsyncGenerator<PageBatch, boolean> {
  const newest = await newestFrames(source, slices);
  if (newest === null) return false;
  const { handle, pageSize } = source;
  const size = imageSize(source);
  const lock = lockPage(pageSize);
  const buffer = new Uint8Array(Math.max(pageSize, LIMITS.batchBytesMax));
  const batchPages = buffer.length / pageSize;
  for (let first = 1; first <= size;) {
    if (first === lock) {
      first++;
      continue;
    }
    const end = Math.min(size + 1, first + batchPages, first < lock ? lock : Infinity);
    const pages = buffer.subarray(0, (end - first) * pageSize);
    pages.fill(0, handle.readMain(pages, (first - 1) * pageSize));
    const pgnos = new Uint32Array(end - first);
    for (let pgno = first; pgno < end; pgno++) {
      pgnos[pgno - first] = pgno;
      const frame = newest.get(pgno);
      if (frame === undefined) continue;
      const page = pages.subarray((pgno - first) * pageSize, (pgno - first + 1) * pageSize);
      assert(source.log !== null, 'frames come from a log');
      if (!source.log.reader.page(frame, page)) return false;
    }
    yield { pgnos, pages };
    first = end;
    await slices.breathe();
  }
  if (source.log === null) return true;
  const after = source.log.reader.index();
  return after !== null && after.salt1 === source.log.header.salt1 && after.salt2 === source.log.header.salt2;
}
