/**
 * The page index of an LTX file: for every page, in order, where its frame is.
 *
 *     | pgno, offset, size (varints) | … | 0 | u64: bytes up to here |
 *
 * Contract: frames fill the space between header and end mark without a hole, so an index either describes
 * exactly that, or it is refused: there is one way to write it.
 *
 * Source: LTX format version 3; varints are unsigned LEB128.
 */

import { assert } from '../base/assert.ts';
import { concat, view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { PGNO_MAX } from '../base/ids.ts';
import { LTX_END_BYTES, LTX_FRAME_BYTES_MAX, LTX_FRAME_BYTES_MIN } from './ltx-frame.ts';
import { LTX_HEADER_BYTES } from './ltx-header.ts';

/** The bytes of the size field behind the index. */
export const LTX_INDEX_SIZE_BYTES = 8;

const CHUNK_BYTES = 64 * 1024;
const ENTRY_BYTES_MAX = 5 + 8 + 5;

/** Where frames are: entry `i` of each array belongs to one page; `pgnos` ascends. */
export interface LtxIndex {
  readonly pgnos: Uint32Array;
  /** Of the frame's first byte in the file. */
  readonly offsets: Float64Array;
  /** Of the whole frame. */
  readonly sizes: Uint32Array;
}

/** Encodes an index as its pages come, and hands it out in pieces. */
export class LtxIndexWriter {
  readonly #full: Uint8Array[] = [];
  #chunk = new Uint8Array(CHUNK_BYTES);
  #used = 0;
  #taken = 0;
  #written = 0;

  /** The bytes of the index so far, those taken included. */
  get size(): number {
    return this.#written + this.#used;
  }

  /** The bytes that `take` would return. */
  get pending(): number {
    return this.size - this.#taken;
  }

  add(pgno: number, offset: number, size: number): void {
    if (this.#used + ENTRY_BYTES_MAX > CHUNK_BYTES) this.#seal();
    this.#used = putVarint(this.#chunk, this.#used, pgno);
    this.#used = putVarint(this.#chunk, this.#used, offset);
    this.#used = putVarint(this.#chunk, this.#used, size);
  }

  /** Writes the final 0 and the size: nothing may be added after it. */
  end(): void {
    if (this.#used + 1 + LTX_INDEX_SIZE_BYTES > CHUNK_BYTES) this.#seal();
    this.#chunk[this.#used++] = 0;
    const size = this.size;
    view(this.#chunk).setBigUint64(this.#used, BigInt(size));
    this.#used += LTX_INDEX_SIZE_BYTES;
  }

  /** What has been written since the last call. */
  take(): Uint8Array {
    this.#seal();
    const bytes = concat(this.#full);
    this.#full.length = 0;
    this.#taken += bytes.length;
    return bytes;
  }

  #seal(): void {
    this.#full.push(this.#chunk.slice(0, this.#used));
    this.#written += this.#used;
    this.#used = 0;
  }
}

/**
 * Reads an index (without the size field behind it) that begins at `indexOffset` of its file.
 * Throws Fault `ltx-index` unless it describes frames that fill the file up to there, in ascending order of
 * pages.
 */
export function ltxIndexDecode(bytes: Uint8Array, indexOffset: number): LtxIndex {
  const room = Math.floor(bytes.length / 3);
  const pgnos = new Uint32Array(room);
  const offsets = new Float64Array(room);
  const sizes = new Uint32Array(room);
  const reader = new VarintReader(bytes);
  let count = 0;
  let end = LTX_HEADER_BYTES;
  let last = 0;
  for (let pgno = reader.next(); pgno !== 0; pgno = reader.next()) {
    const offset = reader.next();
    const size = reader.next();
    if (pgno <= last || pgno > PGNO_MAX) throw malformed(`page ${pgno} follows page ${last}`);
    if (offset !== end) throw malformed(`page ${pgno} is at ${offset}, not ${end}`);
    if (size < LTX_FRAME_BYTES_MIN || size > LTX_FRAME_BYTES_MAX) {
      throw malformed(`the frame of page ${pgno} has ${size} bytes`);
    }
    pgnos[count] = last = pgno;
    offsets[count] = offset;
    sizes[count] = size;
    count++;
    end += size;
  }
  if (reader.at !== bytes.length)
    throw malformed(`it ends ${bytes.length - reader.at} bytes before its size says`);
  if (end + LTX_END_BYTES !== indexOffset)
    throw malformed(`its frames end at ${end}, the file's at ${indexOffset}`);
  return { pgnos: pgnos.slice(0, count), offsets: offsets.slice(0, count), sizes: sizes.slice(0, count) };
}

function putVarint(into: Uint8Array, at: number, value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, () => `not a varint: ${value}`);
  while (value > 0x7f) {
    into[at++] = (value & 0x7f) | 0x80;
    value = Math.floor(value / 128);
  }
  into[at++] = value;
  return at;
}

class VarintReader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.at++];
      if (byte === undefined) throw malformed(`it ends within a number, after ${this.#bytes.length} bytes`);
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('it holds a number beyond 2⁵³');
      if (byte === 0 && scale > 1) throw malformed('it holds a number with leading zeros');
      if (byte < 0x80) return value;
      if (scale >= 2 ** 49) throw malformed('it holds a number beyond 2⁵³');
    }
  }
}

function malformed(why: string): Fault {
  return new Fault('corrupt', 'ltx-index', `the page index of an LTX file is malformed: ${why}`);
}
