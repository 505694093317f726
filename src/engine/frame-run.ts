/** A run of whole, verified WAL frames in memory, and what can be read off it. */

import { assert } from '../base/assert.ts';
import { bytesEqual, view } from '../base/bytes.ts';
import { WAL_FRAME_HEADER_BYTES, frameBytes } from '../format/wal.ts';
import type { WalSeed } from '../format/kernel.ts';
import type { CommitCount } from './proof.ts';

const OFFSET = { pgno: 0, commit: 4, checksum: 16 } as const;
/** What sector padding repeats of a frame's header: page number and size. */
const REPEATED_BYTES = 8;

export class FrameRun {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly #pageSize: number;
  readonly #step: number;
  readonly #view: DataView;

  /** A run of frames of `pageSize`-byte pages; it keeps `bytes`. */
  constructor(bytes: Uint8Array, pageSize: number) {
    this.bytes = bytes;
    this.#pageSize = pageSize;
    this.#step = frameBytes(pageSize);
    this.#view = view(bytes);
    this.count = bytes.length / this.#step;
    assert(Number.isInteger(this.count), 'a run holds whole frames');
  }

  pgno(index: number): number {
    return this.#view.getUint32(index * this.#step + OFFSET.pgno);
  }

  /** The database's size in pages where this frame commits, else 0. */
  commit(index: number): number {
    return this.#view.getUint32(index * this.#step + OFFSET.commit);
  }

  /** The running checksum behind this frame. */
  checksum(index: number): WalSeed {
    const at = index * this.#step + OFFSET.checksum;
    return { s0: this.#view.getUint32(at), s1: this.#view.getUint32(at + 4) };
  }

  /** The page of this frame: a view. */
  image(index: number): Uint8Array {
    return this.bytes.subarray(index * this.#step + WAL_FRAME_HEADER_BYTES, (index + 1) * this.#step);
  }

  /** The run of the first `count` frames: a view. */
  first(count: number): FrameRun {
    return new FrameRun(this.bytes.subarray(0, count * this.#step), this.#pageSize);
  }

  /** The number of frames up to and including the last commit frame. */
  committedEnd(): number {
    for (let end = this.count; end > 0; end--) if (this.commit(end - 1) !== 0) return end;
    return 0;
  }

  /** The run up to and including the `commits`-th commit frame, which must be there. */
  firstCommits(commits: number): FrameRun {
    let end = 0;
    for (let left = commits; left > 0; end++) {
      assert(end < this.count, 'the run holds as many commits as are asked for');
      if (this.commit(end) !== 0) left--;
    }
    return this.first(end);
  }

  /** Frame `index` alone, as a copy: what the run that follows is compared with. */
  copy(index: number): Uint8Array {
    return this.bytes.slice(index * this.#step, (index + 1) * this.#step);
  }

  /**
   * Counts commits, and those commit frames that directly follow one with equal page number, size and page:
   * they may be sector padding (B1). `before` is the frame before the run, if that was a commit frame.
   */
  countCommits(before: Uint8Array | null): CommitCount {
    let commits = 0;
    let suspects = 0;
    let last = before;
    for (let index = 0; index < this.count; index++) {
      if (this.commit(index) === 0) {
        last = null;
        continue;
      }
      const frame = this.bytes.subarray(index * this.#step, (index + 1) * this.#step);
      commits++;
      if (last !== null && isRepetition(last, frame)) suspects++;
      last = frame;
    }
    return { commits, suspects };
  }
}

/** Whether two frames are equal but for salts and checksum. */
function isRepetition(a: Uint8Array, b: Uint8Array): boolean {
  return (
    bytesEqual(a.subarray(0, REPEATED_BYTES), b.subarray(0, REPEATED_BYTES)) &&
    bytesEqual(a.subarray(WAL_FRAME_HEADER_BYTES), b.subarray(WAL_FRAME_HEADER_BYTES))
  );
}
