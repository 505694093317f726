/**
 * LtxDecoder: an LTX file, read piece by piece and verified whole, in either page encoding and constant
 * memory.
 *
 *     header → pages → index → trailer → ended
 *
 * Contract: batches come out before the file's checksum is known; only `end` vouches for them. It verifies
 * order and range of pages, completeness of snapshots, the page index, the file's checksum, and the
 * database's where a snapshot carries one. Whatever is wrong is a Fault of kind `corrupt`; a decoder that
 * threw is of no further use.
 */

import { assert, must } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import type { Checksum } from '../base/ids.ts';
import { crc64 } from './kernel.ts';
import { snapshotPages } from './ltx-encoder.ts';
import { LTX_TRAILER_BYTES, ltxTrailerDecode } from './ltx-file.ts';
import type { LtxTrailer } from './ltx-file.ts';
import { LTX_END_BYTES, ltxFrameMeasure, ltxFramesDecode } from './ltx-frame.ts';
import type { LtxBatch, LtxFrameMeasure } from './ltx-frame.ts';
import { CHECKSUM_FLAG, LTX_HEADER_BYTES, isSnapshot, ltxHeaderDecode } from './ltx-header.ts';
import type { LtxHeaderRead } from './ltx-header.ts';
import { LtxIndexWriter } from './ltx-index.ts';
import { lockPage } from './sqlite-header.ts';

export const LIMITS = {
  /** Of a pushed chunk, looked at in one go. */
  sliceBytes: 262_144,
  /** Of the pages in one batch. */
  batchBytes: 4_194_304,
  /** Of the expected page index, before it is reduced to its checksum. */
  indexBytes: 65_536,
} as const;

/** What a whole, verified file is. */
export interface LtxSummary {
  readonly header: LtxHeaderRead;
  readonly trailer: LtxTrailer;
  readonly pages: number;
  readonly size: number;
}

type Stage = 'header' | 'pages' | 'index' | 'trailer' | 'ended' | 'failed';

/**
 * Decodes one LTX file. The batches of `push` must be consumed before the next call.
 *
 * @example
 * const decoder = new LtxDecoder();
 * for (const chunk of chunks) for (const batch of decoder.push(chunk)) apply(batch);
 * const { header } = decoder.end();
 */
export class LtxDecoder {
  #stage: Stage = 'header';
  #isBusy = false;
  #held: Uint8Array = new Uint8Array(0);
  #header: LtxHeaderRead | null = null;
  #trailer: LtxTrailer | null = null;
  #crc = 0n as Checksum;
  /** Offset of the first byte of `held` in the file. */
  #offset = 0;
  #pages = 0;
  #last = 0;
  readonly #rolling = new Rolling();
  /**
   * The index that the frames ask for: its size and checksum are compared with those of the one in the file.
   */
  readonly #expected = new LtxIndexWriter();
  #expectedCrc = 0n as Checksum;
  #indexCrc = 0n as Checksum;
  #indexLeft = 0;

  /** The header, as soon as it was read. */
  get header(): LtxHeaderRead | null {
    return this.#header;
  }

  /**
   * Takes the next bytes of the file, which may be overwritten afterwards, and yields the pages that they
   * complete.
   */
  *push(chunk: Uint8Array): Generator<LtxBatch, void, undefined> {
    assert(!this.#isBusy, 'the batches of each push are consumed before the next');
    assert(this.#stage !== 'failed', 'a decoder that threw is not used again');
    this.#isBusy = true;
    const stage = this.#stage;
    this.#stage = 'failed';
    let reached: Stage = stage;
    for (let at = 0; at < chunk.length; at += LIMITS.sliceBytes) {
      this.#held = concat([this.#held, chunk.subarray(at, at + LIMITS.sliceBytes)]);
      for (let before: Stage | null = null; before !== reached;) {
        before = reached;
        if (reached === 'pages') reached = yield* this.#takePages();
        else reached = this.#take(reached);
      }
    }
    this.#stage = reached;
    this.#isBusy = false;
  }

  /** Verifies that the file was whole and sound. Throws Fault `ltx-truncated` if more was to come. */
  end(): LtxSummary {
    assert(!this.#isBusy && this.#stage !== 'failed', 'all batches are consumed, and nothing was thrown');
    if (this.#stage !== 'ended') {
      const size = this.#offset + this.#held.length;
      throw new Fault(
        'corrupt',
        'ltx-truncated',
        `an LTX file ends after ${size} bytes, within its ${this.#stage}`,
      );
    }
    const header = must(this.#header, 'an ended file has a header');
    const trailer = must(this.#trailer, 'an ended file has a trailer');
    return { header, trailer, pages: this.#pages, size: this.#offset };
  }

  #take(stage: Stage): Stage {
    if (stage === 'header') return this.#takeHeader();
    if (stage === 'index') return this.#takeIndex();
    if (stage === 'trailer') return this.#takeTrailer();
    if (this.#held.length > 0) {
      throw new Fault(
        'corrupt',
        'ltx-trailing',
        `an LTX file of ${this.#offset} bytes goes on after its trailer`,
      );
    }
    return stage;
  }

  #takeHeader(): Stage {
    if (this.#held.length < LTX_HEADER_BYTES) return 'header';
    const bytes = this.#consume(LTX_HEADER_BYTES);
    this.#header = ltxHeaderDecode(bytes);
    this.#crc = crc64(bytes);
    return 'pages';
  }

  *#takePages(): Generator<LtxBatch, Stage, undefined> {
    const header = must(this.#header, 'pages follow the header');
    for (;;) {
      const run = this.#measure(header.pageSize);
      if (run.size === 0) return run.isEnd ? this.#endPages(header) : 'pages';
      const { pgnos, pages, checksums, crc } = ltxFramesDecode(
        this.#consume(run.size),
        header.pageSize,
        this.#crc,
      );
      this.#crc = crc;
      this.#pages += pgnos.length;
      this.#rolling.add(checksums);
      yield { pgnos, pages, checksums };
    }
  }

  /**
   * The frames of one encoding at the start of what is held: their bytes, and whether the end mark follows at
   * once.
   */
  #measure(pageSize: number): { readonly size: number; readonly isEnd: boolean } {
    const pagesMax = LIMITS.batchBytes / pageSize;
    let size = 0;
    let first: LtxFrameMeasure | null = null;
    for (let pages = 0; pages < pagesMax; pages++) {
      const frame = ltxFrameMeasure(this.#held, size, pageSize);
      if (frame === null || frame === 'end') return { size, isEnd: frame === 'end' };
      first ??= frame;
      if (frame.encoding !== first.encoding) break;
      this.#checkPage(frame);
      this.#expect(frame, this.#offset + size);
      size += frame.size;
    }
    return { size, isEnd: false };
  }

  #checkPage({ pgno }: LtxFrameMeasure): void {
    const { commit, pageSize } = must(this.#header, 'pages follow the header');
    if (pgno <= this.#last) throw misplaced(`page ${pgno} follows page ${this.#last}`);
    if (pgno > commit) throw misplaced(`page ${pgno} lies beyond the end, after ${commit} pages`);
    if (pgno === lockPage(pageSize)) throw misplaced(`page ${pgno} is the lock page`);
    this.#last = pgno;
  }

  #expect({ pgno, size }: LtxFrameMeasure, offset: number): void {
    this.#expected.add(pgno, offset, size);
    if (this.#expected.pending > LIMITS.indexBytes) {
      this.#expectedCrc = crc64(this.#expected.take(), this.#expectedCrc);
    }
  }

  #endPages(header: LtxHeaderRead): Stage {
    const expected = snapshotPages(header.commit, header.pageSize);
    if (isSnapshot(header) && this.#pages !== expected) {
      throw misplaced(
        `a snapshot of a database of ${header.commit} pages holds ${this.#pages}, not ${expected}`,
      );
    }
    this.#crc = crc64(this.#consume(LTX_END_BYTES), this.#crc);
    this.#expected.end();
    this.#expectedCrc = crc64(this.#expected.take(), this.#expectedCrc);
    this.#indexLeft = this.#expected.size;
    return 'index';
  }

  #takeIndex(): Stage {
    const bytes = this.#consume(Math.min(this.#indexLeft, this.#held.length));
    this.#indexLeft -= bytes.length;
    this.#crc = crc64(bytes, this.#crc);
    this.#indexCrc = crc64(bytes, this.#indexCrc);
    if (this.#indexLeft > 0) return 'index';
    if (this.#indexCrc !== this.#expectedCrc) {
      throw new Fault('corrupt', 'ltx-index', 'the page index of an LTX file does not describe its frames');
    }
    return 'trailer';
  }

  #takeTrailer(): Stage {
    if (this.#held.length < LTX_TRAILER_BYTES) return 'trailer';
    const header = must(this.#header, 'a trailer follows a header');
    const bytes = this.#consume(LTX_TRAILER_BYTES);
    const trailer = ltxTrailerDecode(bytes);
    const { postApply, fileChecksum } = trailer;
    if ((postApply !== 0n) !== header.hasChecksums) {
      throw new Fault(
        'corrupt',
        'ltx-trailer',
        `an LTX file has post-apply checksum ${postApply} against its flags`,
      );
    }
    const crc = crc64(bytes.subarray(0, LTX_TRAILER_BYTES / 2), this.#crc) | CHECKSUM_FLAG;
    if (crc !== fileChecksum) {
      const found = `${crc.toString(16)}, not ${fileChecksum.toString(16)}`;
      throw new Fault('corrupt', 'ltx-checksum', `the checksum of an LTX file is ${found}`);
    }
    this.#checkRolling(header, postApply);
    this.#trailer = trailer;
    return 'ended';
  }

  #checkRolling(header: LtxHeaderRead, postApply: Checksum): void {
    if (!isSnapshot(header)) return;
    const found = this.#rolling.checksum();
    for (const expected of [header.rolling?.post ?? found, header.hasChecksums ? postApply : found]) {
      if (expected === found) continue;
      const numbers = `${found.toString(16)}, not ${expected.toString(16)}`;
      throw new Fault('corrupt', 'ltx-rolling', `the checksum of the database in a snapshot is ${numbers}`);
    }
  }

  /** Takes bytes from the start of what is held. */
  #consume(size: number): Uint8Array {
    const bytes = this.#held.subarray(0, size);
    assert(bytes.length === size, 'no more is consumed than is held');
    this.#held = this.#held.subarray(size);
    this.#offset += size;
    return bytes;
  }
}

/** The XOR of page checksums, in two halves, since bigint would be slow. */
class Rolling {
  #low = 0;
  #high = 0;

  add(checksums: BigUint64Array): void {
    const words = new Uint32Array(checksums.buffer, checksums.byteOffset, 2 * checksums.length);
    for (let i = 0; i < words.length; i += 2) {
      this.#low ^= words[i] ?? 0;
      this.#high ^= words[i + 1] ?? 0;
    }
  }

  checksum(): Checksum {
    return ((BigInt(this.#high >>> 0) << 32n) | BigInt(this.#low >>> 0) | CHECKSUM_FLAG) as Checksum;
  }
}

function misplaced(why: string): Fault {
  return new Fault('corrupt', 'ltx-pages', `the pages of an LTX file are not in order: ${why}`);
}
