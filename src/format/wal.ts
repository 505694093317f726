/**
 * SQLite's write-ahead log: its header, and the headers of its frames.
 *
 * Contract: `walHeaderDecode` takes what SQLite's recovery takes, and nothing else. Whether frames belong to
 * the log is for `walVerify` (kernel.ts) to say: salts *and* the running checksum; a header alone proves
 * nothing.
 * Trap: the checksum adds up words in the byte order that the magic names, but all of the header is
 * big-endian.
 *
 *     | header 32 | frame 0: header 24, page | frame 1 | … | older frames, with other salts |
 *
 * Source: "WAL-mode File Format" §1, sqlite.org/walformat.html.
 */

import { assert } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { walChecksum } from './kernel.ts';
import type { WalChain, WalSeed } from './kernel.ts';
import { isPageSize } from './sqlite-header.ts';

export const WAL_HEADER_BYTES = 32;
export const WAL_FRAME_HEADER_BYTES = 24;

const MAGIC = 0x377f_0682;
const VERSION = 3_007_000;
const ZERO: WalSeed = { s0: 0, s1: 0 };

const HEADER = {
  magic: 0,
  version: 4,
  pageSize: 8,
  sequence: 12,
  salt1: 16,
  salt2: 20,
  checksum: 24,
} as const;
const FRAME = { pgno: 0, commit: 4, salt1: 8, salt2: 12, checksum: 16 } as const;
const FRAME_BYTES_UNDER_CHECKSUM = 8;

/** What a WAL's header says, apart from its checksum. */
export interface WalFields {
  /** The byte order of the words that checksums add up; not that of the header. */
  readonly bigEndian: boolean;
  readonly pageSize: number;
  /** The number of restarts, as the writer counted them; 0 again with a writer that began afresh. */
  readonly sequence: number;
  readonly salt1: number;
  readonly salt2: number;
}

/** A WAL's header. `seed` is its checksum, from which the first frame continues. */
export interface WalHeader extends WalFields {
  readonly seed: WalSeed;
}

/** A frame's header. */
export interface WalFrame {
  readonly pgno: number;
  /** The database's size in pages if this frame commits, else 0. */
  readonly commit: number;
  readonly salt1: number;
  readonly salt2: number;
  /** The running checksum, this frame included. */
  readonly checksum: WalSeed;
}

/** The bytes of one frame. */
export function frameBytes(pageSize: number): number {
  return WAL_FRAME_HEADER_BYTES + pageSize;
}

/** Where a frame begins in the file. `frameIndex` is 0-based; that of the end of `n` frames is `n`. */
export function frameOffset(frameIndex: number, pageSize: number): number {
  assert(Number.isSafeInteger(frameIndex) && frameIndex >= 0, () => `not a frame index: ${frameIndex}`);
  return WAL_HEADER_BYTES + frameIndex * frameBytes(pageSize);
}

/**
 * How many whole frames a file of `walBytes` has room for; whether they belong to the log is another
 * question.
 */
export function frameCount(walBytes: number, pageSize: number): number {
  return Math.max(0, Math.floor((walBytes - WAL_HEADER_BYTES) / frameBytes(pageSize)));
}

/**
 * Reads a WAL's header. `null`: there is none (too short, wrong magic, page size or checksum), so the log is
 * empty.
 * Throws Fault `wal-version` for a version that SQLite would refuse as well.
 */
export function walHeaderDecode(bytes: Uint8Array): WalHeader | null {
  if (bytes.length < WAL_HEADER_BYTES) return null;
  const at = view(bytes);
  const magic = at.getUint32(HEADER.magic);
  if (magic !== MAGIC && magic !== MAGIC + 1) return null;
  const bigEndian = magic === MAGIC + 1;
  const pageSize = at.getUint32(HEADER.pageSize);
  if (!isPageSize(pageSize)) return null;
  const seed = walChecksum(bytes.subarray(0, HEADER.checksum), bigEndian, ZERO);
  if (at.getUint32(HEADER.checksum) !== seed.s0 || at.getUint32(HEADER.checksum + 4) !== seed.s1) return null;
  const version = at.getUint32(HEADER.version);
  if (version !== VERSION) {
    throw new Fault('invalid', 'wal-version', `the WAL has version ${version}, not ${VERSION}`, {
      hint: 'a later SQLite made it; use a Millrace that knows its format',
    });
  }
  return {
    bigEndian,
    pageSize,
    sequence: at.getUint32(HEADER.sequence),
    salt1: at.getUint32(HEADER.salt1),
    salt2: at.getUint32(HEADER.salt2),
    seed,
  };
}

/** The 32 bytes of a WAL's header; decode them for the `seed`. */
export function walHeaderEncode(fields: WalFields): Uint8Array {
  assert(isPageSize(fields.pageSize), () => `not a page size: ${fields.pageSize}`);
  const bytes = new Uint8Array(WAL_HEADER_BYTES);
  const at = view(bytes);
  at.setUint32(HEADER.magic, fields.bigEndian ? MAGIC + 1 : MAGIC);
  at.setUint32(HEADER.version, VERSION);
  at.setUint32(HEADER.pageSize, fields.pageSize);
  at.setUint32(HEADER.sequence, fields.sequence);
  at.setUint32(HEADER.salt1, fields.salt1);
  at.setUint32(HEADER.salt2, fields.salt2);
  const seed = walChecksum(bytes.subarray(0, HEADER.checksum), fields.bigEndian, ZERO);
  at.setUint32(HEADER.checksum, seed.s0);
  at.setUint32(HEADER.checksum + 4, seed.s1);
  return bytes;
}

/** What the header says after a restart by the same writer: salt-1 grows by one, salt-2 is drawn. */
export function walRestarted(fields: WalFields, salt2: number): WalFields {
  const { bigEndian, pageSize, sequence, salt1 } = fields;
  return { bigEndian, pageSize, sequence: (sequence + 1) >>> 0, salt1: (salt1 + 1) >>> 0, salt2 };
}

/** Reads the header of the frame that begins at `at`. */
export function walFrameDecode(bytes: Uint8Array, at: number): WalFrame {
  assert(
    at + WAL_FRAME_HEADER_BYTES <= bytes.length,
    () => `no frame header at ${at} of ${bytes.length} bytes`,
  );
  const from = view(bytes);
  return {
    pgno: from.getUint32(at + FRAME.pgno),
    commit: from.getUint32(at + FRAME.commit),
    salt1: from.getUint32(at + FRAME.salt1),
    salt2: from.getUint32(at + FRAME.salt2),
    checksum: { s0: from.getUint32(at + FRAME.checksum), s1: from.getUint32(at + FRAME.checksum + 4) },
  };
}

/**
 * One frame, header and page, that continues `chain` (a `WalHeader`, for the first); the next continues
 * `seed`.
 */
export function walFrameEncode(
  chain: WalChain,
  frame: { readonly pgno: number; readonly commit: number; readonly page: Uint8Array },
): { readonly bytes: Uint8Array; readonly seed: WalSeed } {
  assert(
    frame.page.length === chain.pageSize,
    () => `a page of ${frame.page.length}, not ${chain.pageSize} bytes`,
  );
  const bytes = new Uint8Array(frameBytes(chain.pageSize));
  const at = view(bytes);
  at.setUint32(FRAME.pgno, frame.pgno);
  at.setUint32(FRAME.commit, frame.commit);
  at.setUint32(FRAME.salt1, chain.salt1);
  at.setUint32(FRAME.salt2, chain.salt2);
  bytes.set(frame.page, WAL_FRAME_HEADER_BYTES);
  const middle = walChecksum(bytes.subarray(0, FRAME_BYTES_UNDER_CHECKSUM), chain.bigEndian, chain.seed);
  const seed = walChecksum(frame.page, chain.bigEndian, middle);
  at.setUint32(FRAME.checksum, seed.s0);
  at.setUint32(FRAME.checksum + 4, seed.s1);
  return { bytes, seed };
}
