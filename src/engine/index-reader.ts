/**
 * IndexReader: the page index of one LTX file, read in pieces. Pure.
 *
 * An index holds a few bytes a page, so that of a large snapshot is itself large: it is taken from the store
 * in chunks and decoded window by window. Everything an index says is checked: page numbers ascend, frames
 * follow each other without a gap from the header to the end of the frames, and the terminator is the last
 * byte.
 *
 * Source: LTX, "Page index": `uvarint(pgno) uvarint(offset) uvarint(size)` a page, then `uvarint(0)`.
 */

import { assert } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { PGNO_MAX } from '../base/ids.ts';
import { LTX_FRAME_BYTES_MIN, ltxFrameBytesMax } from '../format/ltx-frame.ts';
import { LTX_HEADER_BYTES } from '../format/ltx-header.ts';
import type { FrameList } from './page-choice.ts';

/** Three varints of at most 8 bytes each. */
const ENTRY_BYTES_MAX = 24;

/**
 * Where the index lies in its file: behind `framesEnd` (and an end header), `bytes` long with its terminator.
 */
export interface IndexPlace {
  readonly framesEnd: number;
  readonly bytes: number;
  readonly pageSize: number;
}

/** Reads the page index of one file: push bytes, take frames. */
export class IndexReader {
  readonly #place: IndexPlace;
  #held: Uint8Array = new Uint8Array(0);
  #at = 0;
  #pushed = 0;
  #pgno = 0;
  #offset: number = LTX_HEADER_BYTES;
  #isDone = false;
  /** The number that `take` stopped at, already read. */
  #next: { readonly pgno: number; readonly offset: number; readonly size: number } | null = null;

  constructor(place: IndexPlace) {
    this.#place = place;
  }

  /** Bytes of the index that were not pushed yet. */
  get remaining(): number {
    return this.#place.bytes - this.#pushed;
  }

  /** Whether every entry was taken, and the terminator seen. */
  get isDone(): boolean {
    return this.#isDone && this.#next === null;
  }

  /** Whether `take` may have stopped for want of bytes. */
  get isHungry(): boolean {
    return this.remaining > 0 && this.#next === null && this.#held.length - this.#at < ENTRY_BYTES_MAX;
  }

  /** The next bytes of the index. */
  push(chunk: Uint8Array): void {
    assert(chunk.length <= this.remaining, 'no more bytes than the index has');
    this.#held = concat([this.#held.subarray(this.#at), chunk]);
    this.#at = 0;
    this.#pushed += chunk.length;
  }

  /** The frames of pages below `before` that can be read from what was pushed. Throws Fault `ltx-index`. */
  take(before: number): FrameList {
    const pgnos: number[] = [];
    const offsets: number[] = [];
    const sizes: number[] = [];
    for (;;) {
      const entry = this.#next ?? this.#decode();
      this.#next = entry;
      if (entry === null || entry.pgno >= before) break;
      pgnos.push(entry.pgno);
      offsets.push(entry.offset);
      sizes.push(entry.size);
      this.#next = null;
    }
    return {
      count: pgnos.length,
      pgnos: Uint32Array.from(pgnos),
      offsets: Float64Array.from(offsets),
      sizes: Uint32Array.from(sizes),
    };
  }

  #decode(): { pgno: number; offset: number; size: number } | null {
    if (this.#isDone || this.isHungry) return null;
    const pgno = this.#varint();
    if (pgno === 0) {
      this.#end();
      return null;
    }
    const offset = this.#varint();
    const size = this.#varint();
    if (pgno <= this.#pgno || pgno > PGNO_MAX) throw malformed(`page ${pgno} follows page ${this.#pgno}`);
    if (offset !== this.#offset) throw malformed(`page ${pgno} is at ${offset}, expected at ${this.#offset}`);
    if (size < LTX_FRAME_BYTES_MIN || size > ltxFrameBytesMax(this.#place.pageSize)) {
      throw malformed(`the frame of page ${pgno} has ${size} bytes`);
    }
    this.#pgno = pgno;
    this.#offset = offset + size;
    if (this.#offset > this.#place.framesEnd)
      throw malformed(`the frame of page ${pgno} ends behind the frames`);
    return { pgno, offset, size };
  }

  #end(): void {
    const left = this.remaining + this.#held.length - this.#at;
    if (left > 0) throw malformed(`${left} bytes follow its terminator`);
    if (this.#offset !== this.#place.framesEnd) {
      throw malformed(`it ends at ${this.#offset}, the frames at ${this.#place.framesEnd}`);
    }
    this.#isDone = true;
  }

  /** An unsigned LEB128 number below 2⁵³. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#held[this.#at];
      if (byte === undefined) throw malformed('it ends inside an entry');
      this.#at++;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('it holds a number of 2⁵³ or more');
      if (byte < 0x80) return value;
      scale *= 128;
      if (scale > 2 ** 49) throw malformed('it holds a number of more than 8 bytes');
    }
  }
}

function malformed(why: string): Fault {
  return new Fault('corrupt', 'ltx-index', `the page index is malformed: ${why}`);
}
