/**
 * The header of SQLite's WAL-index (`-shm`): what is committed, and how far it is checkpointed.
 *
 * Contract: a header is believed as SQLite believes it, if both copies are equal, initialised and sound;
 * anything else is `torn`, an expected outcome: read it again.
 * Trap: fields are in the writer's native byte order, little-endian on every host that is supported, but the
 * salts are bytes copied from the WAL, big-endian. After a recovery iChange begins at 0 again, and while the
 * WAL is empty nPage and page size may be 0.
 *
 * Source: "WAL-mode File Format" §2, sqlite.org/walformat.html.
 */

import { assert } from '../base/assert.ts';
import { bytesEqual, view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { walChecksum } from './kernel.ts';
import type { WalSeed } from './kernel.ts';
import { isPageSize } from './sqlite-header.ts';

/** Both copies of the header, and the checkpoint's record behind them. */
export const WAL_INDEX_HEADER_BYTES = 136;

/** The value of a read mark that nobody uses. */
export const READ_MARK_UNUSED = 0xffff_ffff;

const VERSION = 3_007_000;
const VERSION_SWAPPED = 0x18e2_2d00;
const COPY_BYTES = 48;
const READ_MARKS = 5;
const ZERO: WalSeed = { s0: 0, s1: 0 };

const OFFSET = {
  version: 0,
  iChange: 8,
  isInit: 12,
  bigEndian: 13,
  pageSize: 14,
  mxFrame: 16,
  nPage: 20,
  frameChecksum: 24,
  salt1: 32,
  salt2: 36,
  checksum: 40,
  copy: 48,
  nBackfill: 96,
  readMarks: 100,
  nBackfillAttempted: 128,
} as const;

/** What a WAL-index header says. */
export interface WalIndexFields {
  /**
   * Grows by one with every commit, modulo 2³². Comparable only between two readings without a recovery
   * between.
   */
  readonly iChange: number;
  /** The byte order of the WAL's checksums. */
  readonly bigEndian: boolean;
  /** 0: the index was built from an empty WAL, and nothing was committed since. */
  readonly pageSize: number;
  /** The number of frames that are committed. */
  readonly mxFrame: number;
  /** The database's size in pages; 0 as `pageSize`. */
  readonly nPage: number;
  /** The running checksum at the last committed frame. */
  readonly frameChecksum: WalSeed;
  readonly salt1: number;
  readonly salt2: number;
  /** The frames that are safe in the main file. */
  readonly nBackfill: number;
  /** The frames that a checkpoint began to copy. */
  readonly nBackfillAttempted: number;
  /** Five: mark 0 is always 0 ("file only"); a reader holds mark `i` by lock 3 + i. */
  readonly readMarks: readonly number[];
}

/** A WAL-index header that SQLite would believe. */
export interface WalIndex extends WalIndexFields {
  readonly torn: null;
  /** The header's 48 bytes: equal bytes mean that nothing was committed in between. */
  readonly raw48: Uint8Array;
}

/**
 * A WAL-index header that must be read again: a commit was being published, or nobody has built the index
 * yet.
 */
export interface WalIndexTorn {
  readonly torn: 'short' | 'copies-differ' | 'uninitialised' | 'checksum';
}

/**
 * Reads the first 136 bytes of a `-shm`.
 * Throws Fault `wal-index-version` or `wal-index-byte-order` for an index of another kind of SQLite or
 * machine.
 */
export function walIndexDecode(bytes: Uint8Array): WalIndex | WalIndexTorn {
  if (bytes.length < WAL_INDEX_HEADER_BYTES) return { torn: 'short' };
  const raw48 = Uint8Array.from(bytes.subarray(0, COPY_BYTES)); // a copy, whatever kind of Uint8Array it is
  if (!bytesEqual(raw48, bytes.subarray(OFFSET.copy, OFFSET.copy + COPY_BYTES)))
    return { torn: 'copies-differ' };
  const at = view(bytes);
  if (at.getUint8(OFFSET.isInit) === 0) return { torn: 'uninitialised' };
  const version = at.getUint32(OFFSET.version, true);
  if (version === VERSION_SWAPPED) {
    throw new Fault('invalid', 'wal-index-byte-order', 'the WAL-index was written by a big-endian machine', {
      hint: 'Millrace runs on little-endian machines; restore on one of those from an archive',
    });
  }
  const sum = walChecksum(raw48.subarray(0, OFFSET.checksum), false, ZERO);
  const isSound =
    at.getUint32(OFFSET.checksum, true) === sum.s0 && at.getUint32(OFFSET.checksum + 4, true) === sum.s1;
  if (!isSound) return { torn: 'checksum' };
  if (version !== VERSION) {
    throw new Fault('invalid', 'wal-index-version', `the WAL-index has version ${version}, not ${VERSION}`, {
      hint: 'a later SQLite has the database open; use a Millrace that knows its format',
    });
  }
  return { torn: null, raw48, ...fieldsDecode(at) };
}

/** The 136 bytes of a WAL-index that says `fields`, its lock bytes zero. */
export function walIndexEncode(fields: WalIndexFields): Uint8Array {
  const { pageSize, readMarks } = fields;
  assert(pageSize === 0 || isPageSize(pageSize), () => `not a page size: ${pageSize}`);
  assert(readMarks.length === READ_MARKS, () => `${readMarks.length} read marks, not ${READ_MARKS}`);
  const bytes = new Uint8Array(WAL_INDEX_HEADER_BYTES);
  const at = view(bytes);
  at.setUint32(OFFSET.version, VERSION, true);
  at.setUint32(OFFSET.iChange, fields.iChange, true);
  at.setUint8(OFFSET.isInit, 1);
  at.setUint8(OFFSET.bigEndian, fields.bigEndian ? 1 : 0);
  at.setUint16(OFFSET.pageSize, pageSize === 65_536 ? 1 : pageSize, true);
  at.setUint32(OFFSET.mxFrame, fields.mxFrame, true);
  at.setUint32(OFFSET.nPage, fields.nPage, true);
  at.setUint32(OFFSET.frameChecksum, fields.frameChecksum.s0, true);
  at.setUint32(OFFSET.frameChecksum + 4, fields.frameChecksum.s1, true);
  at.setUint32(OFFSET.salt1, fields.salt1);
  at.setUint32(OFFSET.salt2, fields.salt2);
  const sum = walChecksum(bytes.subarray(0, OFFSET.checksum), false, ZERO);
  at.setUint32(OFFSET.checksum, sum.s0, true);
  at.setUint32(OFFSET.checksum + 4, sum.s1, true);
  bytes.copyWithin(OFFSET.copy, 0, COPY_BYTES);
  at.setUint32(OFFSET.nBackfill, fields.nBackfill, true);
  for (const [i, mark] of readMarks.entries()) at.setUint32(OFFSET.readMarks + 4 * i, mark, true);
  at.setUint32(OFFSET.nBackfillAttempted, fields.nBackfillAttempted, true);
  return bytes;
}

function fieldsDecode(at: DataView): WalIndexFields {
  const stored = at.getUint16(OFFSET.pageSize, true);
  const pageSize = stored === 1 ? 65_536 : stored;
  if (pageSize !== 0 && !isPageSize(pageSize)) {
    throw new Fault(
      'corrupt',
      'wal-index-malformed',
      `the WAL-index has page size ${stored} under a sound checksum`,
    );
  }
  const readMarks: number[] = [];
  for (let i = 0; i < READ_MARKS; i++) readMarks.push(at.getUint32(OFFSET.readMarks + 4 * i, true));
  return {
    iChange: at.getUint32(OFFSET.iChange, true),
    bigEndian: at.getUint8(OFFSET.bigEndian) !== 0,
    pageSize,
    mxFrame: at.getUint32(OFFSET.mxFrame, true),
    nPage: at.getUint32(OFFSET.nPage, true),
    frameChecksum: {
      s0: at.getUint32(OFFSET.frameChecksum, true),
      s1: at.getUint32(OFFSET.frameChecksum + 4, true),
    },
    salt1: at.getUint32(OFFSET.salt1),
    salt2: at.getUint32(OFFSET.salt2),
    nBackfill: at.getUint32(OFFSET.nBackfill, true),
    nBackfillAttempted: at.getUint32(OFFSET.nBackfillAttempted, true),
    readMarks,
  };
}
