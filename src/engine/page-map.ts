/**
 * The page map: a CRC-64 for each page of the database at one position, and their XOR, the rolling checksum.
 *
 * 8 bytes a page. 0 marks a page that is not known (a page's checksum has bit 63 set, so it is never 0); the
 * lock page stays 0 for ever.
 */

import { assert } from '../base/assert.ts';
import { checksum } from '../base/ids.ts';
import type { Checksum } from '../base/ids.ts';
import { CHECKSUM_FLAG } from '../format/ltx-header.ts';

const GROWTH_FACTOR = 1.5;

export class PageMap {
  #sums: BigUint64Array;
  #size: number;
  #rolling: bigint = 0n;

  /** A map of no pages. */
  constructor() {
    this.#sums = new BigUint64Array(64);
    this.#size = 0;
  }

  /** A map from the checksums of pages 1, 2, 3 …, which it keeps. */
  static of(sums: BigUint64Array): PageMap {
    const map = new PageMap();
    map.#sums = sums;
    map.#size = sums.length;
    for (const sum of sums) map.#rolling ^= sum;
    return map;
  }

  /** The database's size in pages. */
  get size(): number {
    return this.#size;
  }

  /** XOR of all pages' checksums, bit 63 set: the LTX database checksum. */
  get rolling(): Checksum {
    return checksum(this.#rolling | CHECKSUM_FLAG);
  }

  /** The checksum of page `pgno`; 0 where it is not known or beyond the end. */
  get(pgno: number): bigint {
    return pgno <= this.#size ? (this.#sums[pgno - 1] ?? 0n) : 0n;
  }

  /** Sets a page's checksum; the database grows to hold it. */
  set(pgno: number, sum: bigint): void {
    assert(pgno >= 1, 'page numbers start at 1');
    if (pgno > this.#size) this.resize(pgno);
    this.#rolling ^= (this.#sums[pgno - 1] ?? 0n) ^ sum;
    this.#sums[pgno - 1] = sum;
  }

  /**
   * Makes the database `size` pages long: pages beyond it are forgotten (B6), pages that it gains are not
   * known.
   */
  resize(size: number): void {
    for (let pgno = size + 1; pgno <= this.#size; pgno++) {
      this.#rolling ^= this.#sums[pgno - 1] ?? 0n;
      this.#sums[pgno - 1] = 0n;
    }
    if (size > this.#sums.length) {
      const grown = new BigUint64Array(Math.ceil(size * GROWTH_FACTOR));
      grown.set(this.#sums);
      this.#sums = grown;
    }
    this.#size = size;
  }

  /** The checksums of pages 1 … size: a view, valid until the map changes. */
  sums(): BigUint64Array {
    return this.#sums.subarray(0, this.#size);
  }
}
