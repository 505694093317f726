/**
 * The chain of sealed TXIDs: page map, local state and archive, moved forward together, one upload at a time.
 *
 * Order: page map and record of a seal first, then its PUT. A crash in between leaves a record whose object
 * may or may not be there; the next start asks the archive.
 */

import { assert, must } from '../base/assert.ts';
import { txid, txidNext } from '../base/ids.ts';
import type { Checksum, Epoch, Txid, WallMs } from '../base/ids.ts';
import type { Machine } from '../base/ports.ts';
import type { Archive } from '../storage/archive.ts';
import type { PageMap } from './page-map.ts';
import type { WalPosition } from './position.ts';
import type { Seal, Sealed } from './seal.ts';
import type { LocalState } from './state.ts';
import { upload } from './upload.ts';

/** A TXID that the archive confirmed. */
export interface Durable {
  readonly txid: Txid;
  /** SQLite's commit counter behind its last commit; `null` where it cannot be compared. */
  readonly iChange: number | null;
  /** Every commit that was acknowledged to the application before this wall time is in the archive. */
  readonly walMs: WallMs;
  /** Commits (0 for a difference, which does not count them), pages and bytes of this TXID. */
  readonly commits: number;
  readonly pages: number;
  readonly bytes: number;
}

/** Where a chain begins. */
export interface ChainStart {
  readonly map: PageMap;
  readonly pageSize: number;
  /** This writer's epoch, and behind it those of this database's earlier writers. */
  readonly epochs: readonly Epoch[];
  /** The newest TXID, sealed and durable; `null` before the first. */
  readonly txid: Txid | null;
  /**
   * The rolling checksum there: that of `map`, unless all pages are to become the next TXID; 0 is not known.
   */
  readonly post: Checksum;
  /** Its timestamp: those that follow are not earlier (W9). */
  readonly timestampMs: WallMs;
}

/** What of a seal only capture knows. */
export interface SealedState {
  readonly size: number;
  readonly sizeMin: number;
  readonly commits: number;
  readonly from: WalPosition | null;
  readonly to: WalPosition | null;
  readonly asOfMs: WallMs;
}

export class Chain {
  readonly #machine: Machine;
  readonly #archive: Archive;
  readonly #state: LocalState;
  readonly #start: ChainStart;
  #txid: Txid | null;
  #timestampMs: WallMs;
  #post: Checksum;
  #counter = 0;
  #isUploading = false;

  constructor(machine: Machine, archive: Archive, state: LocalState, start: ChainStart) {
    this.#machine = machine;
    this.#archive = archive;
    this.#state = state;
    this.#start = start;
    this.#txid = start.txid;
    this.#timestampMs = start.timestampMs;
    this.#post = start.post;
  }

  /** The page map at the newest sealed TXID. */
  get map(): PageMap {
    return this.#start.map;
  }

  get pageSize(): number {
    return this.#start.pageSize;
  }

  /** The epoch under which this chain grows. */
  get epoch(): Epoch {
    return must(this.#start.epochs[0], 'a writer has an epoch');
  }

  /** Seals `seal` as the next TXID and uploads it; resolves when the archive has it. Faults as `upload`. */
  async extend(seal: Seal, state: SealedState, signal?: AbortSignal): Promise<Durable> {
    assert(!this.#isUploading, 'one upload in flight a database');
    this.#isUploading = true;
    try {
      const sealed = this.#seal(seal, state);
      await this.#record(sealed);
      await upload(this.#machine, this.#archive, sealed.image, { epochs: this.#start.epochs, signal });
      if (this.#state.isOvergrown) await this.#state.rewrite(this.#fullRecord(sealed));
      return {
        txid: sealed.label.txid,
        iChange: state.to?.iChange ?? null,
        walMs: state.asOfMs,
        commits: state.commits,
        pages: sealed.changed.pgnos.length,
        bytes: sealed.image.size,
      };
    } finally {
      this.#isUploading = false;
    }
  }

  #seal(seal: Seal, state: SealedState): Sealed {
    this.#txid = this.#txid === null ? txid(1n) : txidNext(this.#txid);
    // The time of sealing, not `asOfMs`: nothing in the file may be younger than its timestamp, or a restore
    // as of a moment would hold what came after it.
    this.#timestampMs = Math.max(this.#timestampMs, this.#machine.clock.wallMs()) as WallMs;
    this.#counter = (this.#counter + Math.max(1, state.commits)) >>> 0;
    const pre = this.#post;
    const sealed = seal.finish(this.map, {
      txid: this.#txid,
      pre,
      timestampMs: this.#timestampMs,
      epoch: this.epoch,
      counter: this.#counter,
      size: state.size,
      sizeMin: state.sizeMin,
      from: state.from,
      to: state.to,
    });
    this.#post = this.map.rolling;
    return sealed;
  }

  async #record(sealed: Sealed): Promise<void> {
    const { changed, label } = sealed;
    if (this.#state.isEmpty) {
      await this.#state.rewrite(this.#fullRecord(sealed));
      return;
    }
    const { rolling: post } = this.map;
    const { size, sizeMin, to: position } = label;
    this.#state.append({
      kind: 'delta',
      txid: label.txid,
      post,
      pageSize: this.pageSize,
      size,
      sizeMin,
      position,
      changed,
    });
  }

  #fullRecord({ label }: Sealed): Parameters<LocalState['rewrite']>[0] {
    return fullRecord(this.map, { txid: label.txid, pageSize: this.pageSize, position: label.to });
  }
}

/** The record of a whole page map at `at`. */
export function fullRecord(
  map: PageMap,
  at: { readonly txid: Txid; readonly pageSize: number; readonly position: WalPosition | null },
): Parameters<LocalState['rewrite']>[0] {
  const sums = map.sums();
  const pgnos = Uint32Array.from({ length: sums.length }, (_, i) => i + 1);
  const { rolling: post, size } = map;
  return { kind: 'full', ...at, post, size, sizeMin: 0, changed: { pgnos, sums } };
}
