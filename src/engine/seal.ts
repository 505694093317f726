/**
 * Sealing: pages become one LTX image, and their checksums the next state of the page map.
 *
 * Nothing here touches the page map until `finish`, so that a seal that fails half-way leaves no trace.
 */

import { assert } from '../base/assert.ts';
import type { Checksum, Epoch, Txid, WallMs } from '../base/ids.ts';
import { LtxEncoder } from '../format/ltx-encoder.ts';
import type { LtxImage } from '../format/ltx-encoder.ts';
import { WAL_HEADER_BYTES } from '../format/wal.ts';
import type { PageMap } from './page-map.ts';
import type { WalPosition } from './position.ts';
import { positionOffset, sameGeneration } from './position.ts';

/** The pages of one seal and their checksums, in the same order. */
export interface PageSums {
  readonly pgnos: Uint32Array;
  readonly sums: BigUint64Array;
}

/** What a seal is told by its caller. */
export interface SealLabel {
  readonly txid: Txid;
  readonly timestampMs: WallMs;
  /** The rolling checksum of the TXID before; 0 where there is none. */
  readonly pre: Checksum;
  readonly epoch: Epoch;
  /** Commits captured in this epoch so far, modulo 2³². */
  readonly counter: number;
  /** The database's size in pages after it, and the smallest size since the seal before. */
  readonly size: number;
  readonly sizeMin: number;
  /**
   * Where in the log the batch begins and ends; `from` is `null` for a difference, both are without a log.
   */
  readonly from: WalPosition | null;
  readonly to: WalPosition | null;
}

/** A sealed TXID: its file, and what it did to the page map. */
export interface Sealed {
  readonly image: LtxImage;
  readonly changed: PageSums;
  readonly label: SealLabel;
}

export class Seal {
  readonly #pageSize: number;
  readonly #encoder: LtxEncoder;
  readonly #pgnos: Uint32Array[] = [];
  readonly #sums: BigUint64Array[] = [];

  constructor(pageSize: number) {
    this.#pageSize = pageSize;
    this.#encoder = new LtxEncoder(pageSize);
  }

  /** Adds pages in ascending order; keeps no reference to them. */
  add(pgnos: Uint32Array, pages: Uint8Array): void {
    if (pgnos.length === 0) return;
    this.#sums.push(this.#encoder.add(pgnos, pages));
    this.#pgnos.push(pgnos);
  }

  /** Pages added so far. */
  get pages(): number {
    return this.#pgnos.reduce((count, pgnos) => count + pgnos.length, 0);
  }

  /** Closes the file and moves `map` to the state that it describes. */
  finish(map: PageMap, label: SealLabel): Sealed {
    const changed = this.#changed();
    applySums(map, label.sizeMin, label.size, changed);
    const image = this.#encoder.finish({
      pageSize: this.#pageSize,
      commit: label.size,
      minTxid: label.txid,
      maxTxid: label.txid,
      timestampMs: label.timestampMs,
      ...walFields(label, this.#pageSize),
      epoch: label.epoch,
      counter: label.counter,
      rolling: { post: map.rolling, pre: label.pre },
    });
    return { image, changed, label };
  }

  #changed(): PageSums {
    const pgnos = new Uint32Array(this.pages);
    const sums = new BigUint64Array(pgnos.length);
    let at = 0;
    for (const [i, part] of this.#pgnos.entries()) {
      pgnos.set(part, at);
      sums.set(this.#sums[i] ?? new BigUint64Array(0), at);
      at += part.length;
    }
    assert(at === sums.length, 'a checksum for every page');
    return { pgnos, sums };
  }
}

/**
 * Moves a page map over one seal: what lay beyond the smallest size is forgotten, then the new checksums
 * count.
 */
export function applySums(map: PageMap, sizeMin: number, size: number, changed: PageSums): void {
  if (sizeMin < map.size) map.resize(sizeMin);
  map.resize(size);
  for (const [i, pgno] of changed.pgnos.entries()) map.set(pgno, changed.sums[i] ?? 0n);
  assert(map.size === size, 'no page lies beyond the size');
}

/**
 * The header's words on the log (W4): where the batch lies, or, where it lies in no one place, its end alone.
 */
function walFields(
  label: SealLabel,
  pageSize: number,
): { walOffset: number; walSize: number; walSalt1: number; walSalt2: number } {
  const { from, to } = label;
  const start = WAL_HEADER_BYTES;
  if (to === null) return { walOffset: start, walSize: 0, walSalt1: 1, walSalt2: 1 };
  const end = positionOffset(to, pageSize);
  const walOffset = from !== null && sameGeneration(from, to) ? positionOffset(from, pageSize) : start;
  const salts = { walSalt1: to.salt1 === 0 && to.salt2 === 0 ? 1 : to.salt1, walSalt2: to.salt2 };
  return { walOffset, walSize: end - walOffset, ...salts };
}
