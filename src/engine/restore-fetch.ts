/**
 * RestoreFetch: brings the pages of an opened plan to where they are written, and vouches for them.
 *
 *     indexes, window by window ─▶ newest frame of each page ─▶ ranges ─▶ read ─▶ decode (workers) ─▶ write
 *
 * Memory is bounded by the lanes, a window and a chunk of every index, whatever the database's size. Two
 * checks vouch for the result: the checksum of every file of which all frames were read, and the database's
 * rolling checksum that the newest file carries. Where there is none (files of others), all frames of all
 * files are read, owned or not.
 *
 * Trap: with a rolling checksum, damage in what was not read (a superseded frame of a large file) is not
 * found; it is no part of the result.
 */

import { assert, must } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import { checksumFormat, pgno } from '../base/ids.ts';
import type { Checksum, Pgno } from '../base/ids.ts';
import type { Clock, Pool } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import { CHECKSUM_FLAG } from '../format/ltx-header.ts';
import { lockPage } from '../format/sqlite-header.ts';
import { decodeFrames } from './jobs.ts';
import type { DecodeInput, DecodeOutput, RestoreJobs } from './jobs.ts';
import { runLanes } from './lanes.ts';
import { LIMITS as CHOICE_LIMITS, PageWindow, fetchRanges } from './page-choice.ts';
import type { ChoiceLimits, FetchRange, FrameList, PageSpace } from './page-choice.ts';
import { naming, namingAsync } from './plan-file.ts';
import type { PlanFile } from './plan-file.ts';

export const LIMITS = {
  /** Ranges that are read, decoded or written at once. */
  lanes: 8,
  /** Pages of this many bytes are decoded here: a trip to a worker costs more. */
  inlineBytesMax: 65_536,
  /** How often a range is given to a worker that dies. */
  decodeAttemptsMax: 3,
} as const;

/** Where pages go, and who decodes them. */
export interface FetchContext {
  readonly clock: Clock;
  readonly pool: Pool<RestoreJobs>;
  /** Takes consecutive pages, from `first` on. */
  readonly write: (first: Pgno, pages: Uint8Array) => void;
  /** Told after each range: how many pages it brought. */
  readonly onPages: (count: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** By default those of page-choice.ts. */
  readonly limits?: ChoiceLimits;
}

/** What vouches for the result: the database's own checksum, or those of all files. */
export type FetchProof = 'rolling' | 'files';

interface PlannedRange {
  readonly file: PlanFile;
  readonly range: FetchRange;
}

/**
 * Fetches every page of the database that `files` (oldest first) make, and verifies it. Throws Fault corrupt:
 * with the key of the object at fault in its details, or without one (`page-missing`, `restore-checksum`)
 * where only the whole is known to be wrong.
 */
export async function fetchPages(files: readonly PlanFile[], context: FetchContext): Promise<FetchProof> {
  const { header } = must(files.at(-1), 'a plan has files');
  const slices = new Slices(context.clock);
  let checksum = 0n;
  const work = async ({ file, range }: PlannedRange, signal: AbortSignal): Promise<void> => {
    const output = await decode(file, range, context);
    if (signal.aborted)
      throw new Fault('unavailable', 'aborted', 'the restore was given up', { cause: signal.reason });
    file.checksum.add({
      offset: range.offset,
      end: range.offset + range.length,
      crc: output.crc,
      bytes: output.crcBytes,
    });
    checksum ^= output.checksum;
    writeRuns(output, header.pageSize, context.write);
    context.onPages(output.pgnos.length);
    await slices.breathe();
  };
  await runLanes(LIMITS.lanes, plannedRanges(files, context.limits ?? CHOICE_LIMITS), work, context.signal);
  for (const file of files) file.check();
  if (header.rolling === null) return 'files';
  const found = (checksum | CHECKSUM_FLAG) as Checksum;
  if (found === header.rolling.post) return 'rolling';
  const [is, expected] = [checksumFormat(found), checksumFormat(header.rolling.post)];
  throw new Fault(
    'corrupt',
    'restore-checksum',
    `the restored database's checksum is ${is}, not ${expected}`,
  );
}

/** The ranges to fetch, window by window, in each from the newest file to the oldest. */
async function* plannedRanges(
  files: readonly PlanFile[],
  limits: ChoiceLimits,
): AsyncGenerator<PlannedRange> {
  const { commit, pageSize, rolling } = must(files.at(-1), 'a plan has files').header;
  const space: PageSpace = { commit, lockPage: lockPage(pageSize) };
  const newestFirst = files.toReversed();
  const rangesOf = (file: PlanFile, frames: FrameList, isOwned: Uint8Array): PlannedRange[] => {
    const all = rolling === null || file.isHeld;
    if (!all && isOwned.includes(0)) file.checksum.giveUp();
    return fetchRanges(frames, isOwned, { pageSize, all, limits }).map((range) => ({ file, range }));
  };
  for (let first = 1; first <= commit;) {
    const window = new PageWindow(pgno(first), space, limits.windowPages);
    for (const file of newestFirst) {
      for await (const frames of file.framesBefore(window.end))
        yield* rangesOf(file, frames, window.claim(frames));
    }
    const missing = window.missing();
    if (missing !== null) {
      throw new Fault('corrupt', 'page-missing', `no file of the plan holds page ${missing} of ${commit}`);
    }
    first = window.end;
  }
  for (const file of newestFirst) {
    for await (const frames of file.framesBefore(Infinity))
      yield* rangesOf(file, frames, new Uint8Array(frames.count));
    assert(file.isIndexDone, 'every index is read to its end');
  }
}

/**
 * Reads and decodes a range. The memory of what is read moves to the worker; a worker that dies takes it
 * along.
 */
async function decode(file: PlanFile, range: FetchRange, { pool }: FetchContext): Promise<DecodeOutput> {
  const { pgnos, offsets, sizes, count } = range.frames;
  const { pageSize } = file.header;
  for (let attempt = 1; ; attempt++) {
    const bytes = await file.bytes(range.offset, range.length);
    const input: DecodeInput = {
      bytes: bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice(),
      pageSize,
      pgnos,
      offsets: offsets.map((offset) => offset - range.offset),
      sizes,
      isOwned: range.isOwned,
    };
    if (count * pageSize <= LIMITS.inlineBytesMax) return naming(file.file, () => decodeFrames(input));
    try {
      return await namingAsync(file.file, () =>
        pool.run('decodeFrames', input, [input.bytes.buffer as ArrayBuffer]),
      );
    } catch (error) {
      const isDead = isFault(error, 'unavailable') && error.code === 'worker-died';
      if (!isDead || attempt === LIMITS.decodeAttemptsMax) throw error;
    }
  }
}

/** Writes pages, those that follow each other in one go. */
function writeRuns({ pgnos, pages }: DecodeOutput, pageSize: number, write: FetchContext['write']): void {
  for (let first = 0; first < pgnos.length;) {
    let end = first + 1;
    while (end < pgnos.length && pgnos[end] === (pgnos[end - 1] as number) + 1) end++;
    write(pgno(pgnos[first] as number), pages.subarray(first * pageSize, end * pageSize));
    first = end;
  }
}
