/**
 * LtxEncoder: pages in ascending order become an LTX file.
 *
 * Contract: frames are encoded as they come; the header, which carries a checksum of the whole database that
 * may be known only at the end, comes last, and the file's checksum is combined from both. A snapshot
 * (minTxid 1) must hold every page but the lock page; no file may hold that, or pages beyond its size.
 */

import { assert } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import type { Checksum } from '../base/ids.ts';
import { crc64, crc64Combine, encodePages } from './kernel.ts';
import { LTX_TRAILER_BYTES, ltxTrailerEncode } from './ltx-file.ts';
import { LTX_END_BYTES } from './ltx-frame.ts';
import { CHECKSUM_FLAG, LTX_HEADER_BYTES, isSnapshot, ltxHeaderEncode } from './ltx-header.ts';
import type { LtxHeader } from './ltx-header.ts';
import { LTX_INDEX_SIZE_BYTES, LtxIndexWriter } from './ltx-index.ts';
import { isPageSize, lockPage } from './sqlite-header.ts';

/** Page header and size field, which the file's checksum covers with every (uncompressed) page. */
const FRAME_PREFIX_BYTES = 10;
const NO_POST_APPLY = new Uint8Array(LTX_TRAILER_BYTES / 2);

/** An LTX file in memory: the body of a PUT. */
export interface LtxImage {
  readonly header: LtxHeader;
  /** The file, in order. */
  readonly chunks: readonly Uint8Array[];
  /** The bytes of all chunks. */
  readonly size: number;
  readonly fileChecksum: Checksum;
}

/** The pages that a snapshot of a database of `commit` pages holds: all but the lock page. */
export function snapshotPages(commit: number, pageSize: number): number {
  return commit - (commit >= lockPage(pageSize) ? 1 : 0);
}

/**
 * Encodes one LTX file in memory, with LZ4 blocks.
 *
 * @example
 * const encoder = new LtxEncoder(4096);
 * encoder.add(Uint32Array.of(1, 2), pages);
 * const { chunks, size } = encoder.finish(header);
 */
export class LtxEncoder {
  readonly #pageSize: number;
  readonly #lockPage: number;
  readonly #frames: Uint8Array[] = [];
  readonly #index = new LtxIndexWriter();
  #crc = 0n as Checksum;
  #pages = 0;
  #last = 0;
  #end = LTX_HEADER_BYTES;
  #isFinished = false;

  constructor(pageSize: number) {
    assert(isPageSize(pageSize), () => `not a page size: ${pageSize}`);
    this.#pageSize = pageSize;
    this.#lockPage = lockPage(pageSize);
  }

  /** How many pages were added. */
  get pages(): number {
    return this.#pages;
  }

  /** The bytes that the file would have, were it finished. */
  get size(): number {
    return this.#end + LTX_END_BYTES + this.#index.size + 1 + LTX_INDEX_SIZE_BYTES + LTX_TRAILER_BYTES;
  }

  /** Adds pages beyond those before; `pages` holds them back to back. Returns the checksum of each. */
  add(pgnos: Uint32Array, pages: Uint8Array): BigUint64Array {
    assert(!this.#isFinished, 'a finished file takes no pages');
    assert(
      pages.length === pgnos.length * this.#pageSize,
      () => `${pages.length} bytes for ${pgnos.length} pages`,
    );
    for (const pgno of pgnos) {
      assert(pgno > this.#last, () => `page ${pgno} follows page ${this.#last}`);
      assert(pgno !== this.#lockPage, 'the lock page is never encoded');
      this.#last = pgno;
    }
    const { bytes, sizes, checksums, crc } = encodePages(pgnos, pages, this.#pageSize, this.#crc);
    for (const [i, size] of sizes.entries()) {
      this.#index.add(pgnos[i] ?? 0, this.#end, size);
      this.#end += size;
    }
    this.#frames.push(bytes);
    this.#crc = crc;
    this.#pages += pgnos.length;
    return checksums;
  }

  /** Completes the file. The encoder cannot be used afterwards. */
  finish(header: LtxHeader): LtxImage {
    assert(!this.#isFinished, 'a file is finished once');
    this.#isFinished = true;
    assert(header.pageSize === this.#pageSize, () => `a header for pages of ${header.pageSize} bytes`);
    assert(this.#last <= header.commit, () => `page ${this.#last} of a database of ${header.commit} pages`);
    const expected = snapshotPages(header.commit, this.#pageSize);
    assert(
      !isSnapshot(header) || this.#pages === expected,
      () => `a snapshot of ${this.#pages}/${expected} pages`,
    );

    const head = ltxHeaderEncode(header);
    this.#index.end();
    const behind = concat([new Uint8Array(LTX_END_BYTES), this.#index.take(), NO_POST_APPLY]);
    const coveredBytes = this.#pages * (FRAME_PREFIX_BYTES + this.#pageSize) + behind.length;
    const crc = crc64Combine(crc64(head), crc64(behind, this.#crc), coveredBytes);
    const fileChecksum = (crc | CHECKSUM_FLAG) as Checksum;
    const trailer = ltxTrailerEncode({ postApply: 0n as Checksum, fileChecksum });
    const end = concat([behind.subarray(0, behind.length - NO_POST_APPLY.length), trailer]);
    return { header, chunks: [head, ...this.#frames, end], size: this.#end + end.length, fileChecksum };
  }
}
