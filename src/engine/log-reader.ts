/**
 * Reads a live WAL and its index, and believes neither without proof.
 *
 * Frames come back only as far as salts and checksum chain hold; a header of the index only if both of its
 * copies agree. The run that `frames` returns lies in a buffer that the next call reuses.
 */

import type { DatabaseHandle } from '../base/ports.ts';
import { walVerify } from '../format/kernel.ts';
import type { WalSeed } from '../format/kernel.ts';
import { WAL_INDEX_HEADER_BYTES, walIndexDecode } from '../format/wal-index.ts';
import type { WalIndex } from '../format/wal-index.ts';
import {
  WAL_FRAME_HEADER_BYTES,
  WAL_HEADER_BYTES,
  frameBytes,
  frameOffset,
  walFrameDecode,
  walHeaderDecode,
} from '../format/wal.ts';
import type { WalHeader } from '../format/wal.ts';
import { FrameRun } from './frame-run.ts';
import { sameGeneration } from './position.ts';

export const LIMITS = { runBytesMax: 1_048_576, headerReadsMax: 8 } as const;

/** A chain of frames in one generation of the log, at some place in it. */
export interface LogChain {
  readonly bigEndian: boolean;
  readonly salt1: number;
  readonly salt2: number;
  /** The running checksum before the next frame. */
  readonly seed: WalSeed;
}

export class LogReader {
  readonly #handle: DatabaseHandle;
  readonly #pageSize: number;
  readonly #buffer: Uint8Array;
  readonly #index = new Uint8Array(WAL_INDEX_HEADER_BYTES);

  /** Reads the log of an attached handle. */
  constructor(handle: DatabaseHandle, pageSize: number) {
    this.#handle = handle;
    this.#pageSize = pageSize;
    const frame = frameBytes(pageSize);
    this.#buffer = new Uint8Array(frame * Math.max(1, Math.floor(LIMITS.runBytesMax / frame)));
  }

  /** The index's header, or `null` while it is being written (or was never built): look again later. */
  index(): WalIndex | null {
    for (let read = 0; read < LIMITS.headerReadsMax; read++) {
      if (this.#handle.readShm(this.#index, 0) < WAL_INDEX_HEADER_BYTES) return null;
      const header = walIndexDecode(this.#index);
      if (header.torn === null) return header;
    }
    return null;
  }

  /** The log's own header, or `null` where there is no valid one. */
  header(): WalHeader | null {
    const bytes = new Uint8Array(WAL_HEADER_BYTES);
    return this.#handle.readWal(bytes, 0) === WAL_HEADER_BYTES ? walHeaderDecode(bytes) : null;
  }

  /**
   * The chain before the first frame of the generation that `salts` name, or `null` if the log is another by
   * now.
   */
  start(salts: { readonly salt1: number; readonly salt2: number }): LogChain | null {
    const header = this.header();
    if (header === null || header.salt1 !== salts.salt1 || header.salt2 !== salts.salt2) return null;
    return header.pageSize === this.#pageSize ? header : null;
  }

  /** The frames from `from` on, before `to`, that continue `chain`: at most one buffer of them. */
  frames(chain: LogChain, from: number, to: number): { readonly run: FrameRun; readonly next: LogChain } {
    const step = frameBytes(this.#pageSize);
    const wanted = Math.min(this.#buffer.length / step, to - from);
    const bytes = this.#buffer.subarray(0, wanted * step);
    const whole = Math.floor(this.#handle.readWal(bytes, frameOffset(from, this.#pageSize)) / step);
    const verified = walVerify(bytes.subarray(0, whole * step), { ...chain, pageSize: this.#pageSize });
    return {
      run: new FrameRun(bytes.subarray(0, verified.frames * step), this.#pageSize),
      next: { ...chain, seed: verified.checksum },
    };
  }

  /** Whether a frame of another generation than `header`'s stands directly behind its `mxFrame`. */
  hasOlderFrame(header: WalIndex): boolean {
    const bytes = new Uint8Array(WAL_FRAME_HEADER_BYTES);
    const at = frameOffset(header.mxFrame, this.#pageSize);
    if (this.#handle.readWal(bytes, at) < WAL_FRAME_HEADER_BYTES) return false;
    return !sameGeneration(walFrameDecode(bytes, 0), header);
  }

  /** The page in frame `frameIndex`, whose place in the chain was verified before. */
  page(frameIndex: number, into: Uint8Array): boolean {
    const at = frameOffset(frameIndex + 1, this.#pageSize) - this.#pageSize;
    return this.#handle.readWal(into, at) === this.#pageSize;
  }
}
