/**
 * FileChecksum: the checksum of an LTX file whose parts arrive in any order. Pure.
 *
 * CRCs combine: that of `A‖B` follows from those of A and B and the length of B. So every range is
 * checksummed by the worker that decodes it, and only the few numbers meet here. The CRC is taken over pages
 * as they decode, not as they lie in the file; a part's `bytes` are therefore what went into its CRC, and its
 * `offset` and `end` where it lies.
 */

import { assert } from '../base/assert.ts';
import type { Checksum } from '../base/ids.ts';
import { crc64, crc64Combine } from '../format/kernel.ts';
import { CHECKSUM_FLAG } from '../format/ltx-header.ts';

/** A run of page frames: where it lies, and the CRC (from nothing) over so many decoded bytes. */
export interface ChecksumPart {
  readonly offset: number;
  readonly end: number;
  readonly crc: Checksum;
  readonly bytes: number;
}

/** The checksum of one file, from its header on. */
export class FileChecksum {
  readonly #framesEnd: number;
  readonly #waiting = new Map<number, ChecksumPart>();
  #frontier: number;
  #crc: Checksum;
  #closing: Checksum = 0n as Checksum;
  #closingBytes = 0;
  #isPartial = false;

  constructor(header: Uint8Array, framesEnd: number) {
    this.#crc = crc64(header);
    this.#frontier = header.length;
    this.#framesEnd = framesEnd;
  }

  /** Frames are left out: there will be no checksum. */
  giveUp(): void {
    this.#isPartial = true;
    this.#waiting.clear();
  }

  /** A run of frames, in any order. */
  add(part: ChecksumPart): void {
    if (this.#isPartial) return;
    assert(part.offset >= this.#frontier && part.end > part.offset, 'every frame is added once');
    this.#waiting.set(part.offset, part);
    for (
      let next = this.#waiting.get(this.#frontier);
      next !== undefined;
      next = this.#waiting.get(this.#frontier)
    ) {
      this.#waiting.delete(this.#frontier);
      this.#crc = crc64Combine(this.#crc, next.crc, next.bytes);
      this.#frontier = next.end;
    }
  }

  /** The bytes behind the frames, in order: end header, index, its size, and the trailer's first 8 bytes. */
  addClosing(bytes: Uint8Array): void {
    this.#closing = crc64(bytes, this.#closing);
    this.#closingBytes += bytes.length;
  }

  /** The checksum that the trailer must carry, once everything was added; `null`: frames were left out. */
  value(): Checksum | null {
    if (this.#isPartial) return null;
    assert(this.#waiting.size === 0 && this.#frontier === this.#framesEnd, 'every frame was added');
    return (crc64Combine(this.#crc, this.#closing, this.#closingBytes) | CHECKSUM_FLAG) as Checksum;
  }
}
