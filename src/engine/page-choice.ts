/**
 * PageChoice: of all frames of a plan's files, the newest of every page, and the byte ranges that fetch them.
 * Pure.
 *
 * Pages are chosen in windows of page numbers, so that memory does not grow with the database. In a window
 * files take turns, newest first: who holds a page first owns it. Ranges join frames that lie close together
 * in a file.
 *
 *     window 1…8     file 3   · · 3 · · · 7 ·      owns 3 7
 *                    file 2   · 2 3 · · · · ·      owns 2
 *                    file 1   1 2 3 4 5 6 7 8      owns 1 4 5 6 8
 */

import { assert } from '../base/assert.ts';
import type { Pgno } from '../base/ids.ts';

/** How much is chosen and fetched at a time. */
export interface ChoiceLimits {
  /** Page numbers a window. */
  readonly windowPages: number;
  /** The most bytes of a range, but for one frame that is larger. */
  readonly rangeBytesMax: number;
  /** The most bytes that the pages of a range decode to, but for one page. */
  readonly pagesBytesMax: number;
  /** Bytes between two chosen frames that are cheaper to read than another request. */
  readonly gapBytesMax: number;
}

export const LIMITS: ChoiceLimits = {
  windowPages: 65_536,
  rangeBytesMax: 2_097_152,
  pagesBytesMax: 4_194_304,
  gapBytesMax: 65_536,
};

/** Page frames of a file, ascending: number, offset in the file and size of each. */
export interface FrameList {
  readonly count: number;
  readonly pgnos: Uint32Array;
  readonly offsets: Float64Array;
  readonly sizes: Uint32Array;
}

/**
 * Bytes to fetch from one file, and the frames in them to decode; `isOwned[i]` is 1 where the page is to be
 * kept.
 */
export interface FetchRange {
  readonly offset: number;
  readonly length: number;
  readonly frames: FrameList;
  readonly isOwned: Uint8Array;
}

/** The database that is put together: its size in pages, and the page that never has content. */
export interface PageSpace {
  readonly commit: number;
  readonly lockPage: Pgno;
}

/**
 * Which pages of a window somebody owns. Pages beyond the database's size, and the lock page, belong to
 * nobody.
 */
export class PageWindow {
  readonly first: Pgno;
  /** The first page behind the window. */
  readonly end: number;
  readonly #space: PageSpace;
  readonly #owned: Uint8Array;

  constructor(first: Pgno, space: PageSpace, pages: number = LIMITS.windowPages) {
    this.first = first;
    this.end = first + pages;
    this.#space = space;
    this.#owned = new Uint8Array(pages);
  }

  /** Takes the frames of one file, newer files first: 1 for every page that this file owns. */
  claim(frames: FrameList): Uint8Array {
    const isOwned = new Uint8Array(frames.count);
    for (let i = 0; i < frames.count; i++) {
      const pgno = frames.pgnos[i] as number;
      assert(pgno >= this.first && pgno < this.end, () => `page ${pgno} lies outside the window`);
      if (!this.#hasContent(pgno) || this.#owned[pgno - this.first] === 1) continue;
      this.#owned[pgno - this.first] = 1;
      isOwned[i] = 1;
    }
    return isOwned;
  }

  /** The first page that must have content and that nobody owns; `null`: the window is whole. */
  missing(): Pgno | null {
    const end = Math.min(this.end - 1, this.#space.commit);
    for (let pgno = this.first as number; pgno <= end; pgno++) {
      if (this.#owned[pgno - this.first] === 0 && this.#hasContent(pgno)) return pgno as Pgno;
    }
    return null;
  }

  #hasContent(pgno: number): boolean {
    return pgno <= this.#space.commit && pgno !== this.#space.lockPage;
  }
}

/** How to make ranges: of the owned frames, or of `all`, whose checksum is then that of the file. */
export interface RangeOptions {
  readonly pageSize: number;
  readonly all: boolean;
  readonly limits?: ChoiceLimits;
}

/** The ranges that fetch the owned frames of one file (or all of them), ascending and disjoint. */
export function fetchRanges(frames: FrameList, isOwned: Uint8Array, options: RangeOptions): FetchRange[] {
  const { pageSize, all, limits = LIMITS } = options;
  const ranges: FetchRange[] = [];
  let picked: number[] = [];
  for (let i = 0; i < frames.count; i++) {
    if (!all && isOwned[i] === 0) continue;
    const head = picked[0];
    if (head !== undefined) {
      const last = picked[picked.length - 1] as number;
      const reach = endOf(frames, i) - (frames.offsets[head] as number);
      const gap = (frames.offsets[i] as number) - endOf(frames, last);
      assert(gap >= 0, 'frames of a file ascend and do not overlap');
      const isFull = reach > limits.rangeBytesMax || (picked.length + 1) * pageSize > limits.pagesBytesMax;
      if (isFull || gap > limits.gapBytesMax) {
        ranges.push(rangeOf(frames, isOwned, picked));
        picked = [];
      }
    }
    picked.push(i);
  }
  if (picked.length > 0) ranges.push(rangeOf(frames, isOwned, picked));
  return ranges;
}

function endOf(frames: FrameList, i: number): number {
  return (frames.offsets[i] as number) + (frames.sizes[i] as number);
}

function rangeOf(frames: FrameList, isOwned: Uint8Array, picked: readonly number[]): FetchRange {
  const offset = frames.offsets[picked[0] as number] as number;
  return {
    offset,
    length: endOf(frames, picked.at(-1) as number) - offset,
    frames: {
      count: picked.length,
      pgnos: Uint32Array.from(picked, (i) => frames.pgnos[i] as number),
      offsets: Float64Array.from(picked, (i) => frames.offsets[i] as number),
      sizes: Uint32Array.from(picked, (i) => frames.sizes[i] as number),
    },
    isOwned: Uint8Array.from(picked, (i) => isOwned[i] as number),
  };
}
