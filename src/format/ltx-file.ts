/**
 * The end of an LTX file: trailer, and the tail (page index and trailer) that is enough to find any page.
 *
 *     | header 100 | page frames | end mark 6 | page index | its size 8 | post-apply 8 | file checksum 8 |
 *
 * Trap: a tail is not protected by a checksum that could be verified without reading the whole file. Its page
 * index must fill the file exactly, which finds most damage, but not all of it.
 *
 * Source: LTX format version 3 (superfly/ltx v0.5.2).
 */

import { assert } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import type { Checksum } from '../base/ids.ts';
import { LTX_END_BYTES } from './ltx-frame.ts';
import { CHECKSUM_FLAG, LTX_HEADER_BYTES } from './ltx-header.ts';
import { LTX_INDEX_SIZE_BYTES, ltxIndexDecode } from './ltx-index.ts';
import type { LtxIndex } from './ltx-index.ts';

export const LTX_TRAILER_BYTES = 16;
/** The smallest file: no pages, and an index of its final 0 alone. */
export const LTX_FILE_BYTES_MIN: number =
  LTX_HEADER_BYTES + LTX_END_BYTES + 1 + LTX_INDEX_SIZE_BYTES + LTX_TRAILER_BYTES;

const TRAILER = { postApply: 0, fileChecksum: 8 } as const;

/** The last 16 bytes of an LTX file. */
export interface LtxTrailer {
  /** LTX's own database checksum; 0 in files without checksums, as Millrace's and Litestream's are. */
  readonly postApply: Checksum;
  /** Over everything before it, pages uncompressed, with bit 63 set. */
  readonly fileChecksum: Checksum;
}

/**
 * Where the pages of a file are, or (`missing` > 0) how many bytes that precede the given ones are needed as
 * well.
 */
export type LtxTail =
  | { readonly missing: 0; readonly index: LtxIndex; readonly trailer: LtxTrailer }
  | { readonly missing: number; readonly index: null; readonly trailer: null };

/** Reads a trailer. Throws Fault `ltx-trailer`. */
export function ltxTrailerDecode(bytes: Uint8Array): LtxTrailer {
  assert(bytes.length === LTX_TRAILER_BYTES, () => `a trailer of ${bytes.length} bytes`);
  const at = view(bytes);
  const postApply = at.getBigUint64(TRAILER.postApply) as Checksum;
  const fileChecksum = at.getBigUint64(TRAILER.fileChecksum) as Checksum;
  if (fileChecksum < CHECKSUM_FLAG || (postApply !== 0n && postApply < CHECKSUM_FLAG)) {
    throw malformed('its checksums lack bit 63');
  }
  return { postApply, fileChecksum };
}

/** The 16 bytes of a trailer. */
export function ltxTrailerEncode({ postApply, fileChecksum }: LtxTrailer): Uint8Array {
  const bytes = new Uint8Array(LTX_TRAILER_BYTES);
  view(bytes).setBigUint64(TRAILER.postApply, postApply);
  view(bytes).setBigUint64(TRAILER.fileChecksum, fileChecksum);
  return bytes;
}

/**
 * Reads page index and trailer from the last bytes of a file of `fileSize` bytes (64 KiB are a good guess).
 * Throws Fault `ltx-truncated`, `ltx-trailer` or `ltx-index`.
 */
export function ltxTailDecode(tail: Uint8Array, fileSize: number): LtxTail {
  assert(tail.length <= fileSize, () => `a tail of ${tail.length} bytes of a file of ${fileSize}`);
  if (fileSize < LTX_FILE_BYTES_MIN) {
    throw new Fault(
      'corrupt',
      'ltx-truncated',
      `an LTX file of ${fileSize} bytes is shorter than any can be`,
    );
  }
  const footerBytes = LTX_INDEX_SIZE_BYTES + LTX_TRAILER_BYTES;
  if (tail.length < footerBytes) return missing(footerBytes - tail.length);
  const trailer = ltxTrailerDecode(tail.subarray(tail.length - LTX_TRAILER_BYTES));
  const indexBytes = Number(view(tail).getBigUint64(tail.length - footerBytes));
  const room = fileSize - LTX_HEADER_BYTES - LTX_END_BYTES - footerBytes;
  if (indexBytes < 1 || indexBytes > room) {
    throw malformed(`its page index has ${indexBytes} bytes where there is room for ${room}`);
  }
  const indexAt = tail.length - footerBytes - indexBytes;
  if (indexAt < 0) return missing(-indexAt);
  const index = ltxIndexDecode(
    tail.subarray(indexAt, indexAt + indexBytes),
    fileSize - footerBytes - indexBytes,
  );
  return { missing: 0, index, trailer };
}

function missing(bytes: number): LtxTail {
  return { missing: bytes, index: null, trailer: null };
}

function malformed(why: string): Fault {
  return new Fault('corrupt', 'ltx-trailer', `the end of an LTX file is malformed: ${why}`);
}
