/**
 * The page frames of an LTX file, in both encodings: LZ4 blocks behind a size field, and the LZ4 frames of
 * older files.
 *
 *     | pgno 4 | flags 2 = 1 | size 4 | LZ4 block |
 *     | pgno 4 | flags 2 = 0 | LZ4 frame |
 *     | six zeros: the end mark |
 *
 * Contract: a page comes out with exactly the page size, or not at all. Order of pages and sums over them are
 * for `LtxDecoder` to judge.
 * Trap: a block may be longer than the page that it holds, and nothing in a block's frame protects it: only
 * the checksum of the whole file, or of the database, finds a byte that was changed.
 *
 * Source: LTX format version 3 (superfly/ltx v0.5.2).
 */

import { assert } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { PGNO_MAX } from '../base/ids.ts';
import type { Checksum, Pgno } from '../base/ids.ts';
import { crc64, decodePages, lz4Decompress, pageChecksums } from './kernel.ts';
import { lz4FrameDecode, lz4FrameMeasure } from './lz4-frame.ts';

/** Page number and flags: what the end mark consists of, too. */
export const LTX_PAGE_HEADER_BYTES = 6;
/** The six zeros behind the last frame. */
export const LTX_END_BYTES = 6;
/** The smallest frame that there can be, and the largest, of any page size. */
export const LTX_FRAME_BYTES_MIN = 12;
export const LTX_FRAME_BYTES_MAX: number = ltxFrameBytesMax(65_536);

const OFFSET = { pgno: 0, flags: 4, size: 6, block: 10 } as const;

/** How a frame holds its page. */
export type LtxPageEncoding = 'block' | 'frame';

/** A frame's page number, encoding and size, header included. */
export interface LtxFrameMeasure {
  readonly pgno: Pgno;
  readonly encoding: LtxPageEncoding;
  readonly size: number;
}

/** Pages of consecutive frames, with the checksum of each (its CRC with bit 63 set). */
export interface LtxBatch {
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
  readonly checksums: BigUint64Array;
}

/** A batch, and the file's running CRC behind it. */
export interface LtxRun extends LtxBatch {
  readonly crc: Checksum;
}

/**
 * More bytes than a frame of any encoding needs: LZ4's bound for what cannot be compressed, and all framing.
 */
export function ltxFrameBytesMax(pageSize: number): number {
  return pageSize + Math.ceil(pageSize / 255) + 64;
}

/** The frame that begins at `at`. `null`: it goes on beyond `bytes`. `'end'`: it is the end mark. */
export function ltxFrameMeasure(
  bytes: Uint8Array,
  at: number,
  pageSize: number,
): LtxFrameMeasure | 'end' | null {
  if (bytes.length < at + LTX_PAGE_HEADER_BYTES) return null;
  const from = view(bytes);
  const pgno = from.getUint32(at + OFFSET.pgno);
  const flags = from.getUint16(at + OFFSET.flags);
  if (pgno === 0 && flags === 0) return 'end';
  if (pgno === 0 || pgno > PGNO_MAX || flags > 1) throw malformed(`page ${pgno} has flags ${flags}`);
  const size = flags === 1 ? blockFrameBytes(from, at) : legacyFrameBytes(bytes, at);
  const sizeMax = ltxFrameBytesMax(pageSize);
  if (size === null && bytes.length - at <= sizeMax) return null;
  if (size === null || size > sizeMax)
    throw malformed(`the frame of page ${pgno} is longer than ${sizeMax} bytes`);
  if (bytes.length < at + size) return null;
  return { pgno: pgno as Pgno, encoding: flags === 1 ? 'block' : 'frame', size };
}

/** The page of exactly one frame. Throws Fault `ltx-frame`, `lz4-frame` or `lz4-malformed`. */
export function ltxFrameDecode(
  frame: Uint8Array,
  pageSize: number,
): { readonly pgno: Pgno; readonly page: Uint8Array } {
  const { pgno, encoding } = wholeFrame(frame, pageSize);
  if (encoding === 'block') return { pgno, page: lz4Decompress(frame.subarray(OFFSET.block), pageSize) };
  return { pgno, page: legacyPage(frame, pageSize) };
}

/**
 * The pages of whole frames, of one encoding, that fill `bytes`. `before` is the file's running CRC.
 * Throws as `ltxFrameDecode` does.
 */
export function ltxFramesDecode(
  bytes: Uint8Array,
  pageSize: number,
  before: Checksum = 0n as Checksum,
): LtxRun {
  const frames = framesOf(bytes, pageSize);
  const [first] = frames;
  if (first === undefined || first.encoding === 'frame')
    return legacyRun(bytes, frames, { pageSize, before });
  const { consumed, pgnos, pages, checksums, crc } = decodePages(bytes, pageSize, before);
  assert(
    consumed === bytes.length && pgnos.length === frames.length,
    'the kernel takes the frames that were measured',
  );
  return { pgnos, pages, checksums, crc };
}

function framesOf(bytes: Uint8Array, pageSize: number): readonly LtxFrameMeasure[] {
  const frames: LtxFrameMeasure[] = [];
  for (let at = 0; at < bytes.length;) {
    const frame = ltxFrameMeasure(bytes, at, pageSize);
    if (frame === null || frame === 'end')
      throw malformed(`the frames of ${bytes.length} bytes end at ${at}`);
    if (frame.encoding !== (frames[0] ?? frame).encoding)
      throw malformed(`page ${frame.pgno} changes the encoding`);
    frames.push(frame);
    at += frame.size;
  }
  return frames;
}

function legacyRun(
  bytes: Uint8Array,
  frames: readonly LtxFrameMeasure[],
  { pageSize, before }: { readonly pageSize: number; readonly before: Checksum },
): LtxRun {
  const pgnos = Uint32Array.from(frames, ({ pgno }) => pgno);
  const pages = new Uint8Array(frames.length * pageSize);
  let crc = before;
  let at = 0;
  for (const [i, { size }] of frames.entries()) {
    const frame = bytes.subarray(at, at + size);
    const page = legacyPage(frame, pageSize);
    crc = crc64(page, crc64(frame.subarray(0, LTX_PAGE_HEADER_BYTES), crc));
    pages.set(page, i * pageSize);
    at += size;
  }
  return { pgnos, pages, checksums: pageChecksums(pgnos, pages, pageSize), crc };
}

function legacyPage(frame: Uint8Array, pageSize: number): Uint8Array {
  const page = lz4FrameDecode(frame.subarray(LTX_PAGE_HEADER_BYTES), pageSize);
  if (page.length !== pageSize) throw malformed(`a page of ${page.length}, not ${pageSize} bytes`);
  return page;
}

function wholeFrame(frame: Uint8Array, pageSize: number): LtxFrameMeasure {
  const measure = ltxFrameMeasure(frame, 0, pageSize);
  if (measure !== null && measure !== 'end' && measure.size === frame.length) return measure;
  throw malformed(`${frame.length} bytes are not one frame`);
}

function blockFrameBytes(from: DataView, at: number): number | null {
  return from.byteLength < at + OFFSET.block ? null : OFFSET.block + from.getUint32(at + OFFSET.size);
}

function legacyFrameBytes(bytes: Uint8Array, at: number): number | null {
  const size = lz4FrameMeasure(bytes.subarray(at + LTX_PAGE_HEADER_BYTES));
  return size === null ? null : LTX_PAGE_HEADER_BYTES + size;
}

function malformed(why: string): Fault {
  return new Fault('corrupt', 'ltx-frame', `a page frame of an LTX file is malformed: ${why}`);
}
