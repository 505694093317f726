/**
 * The first 100 bytes of an LTX file: which pages of which transactions it holds.
 *
 * Contract: what is written has the flag NoChecksum and no pre-apply checksum, so that Litestream can compact
 * it; what is read may be any legal header. A legal header says nothing about the bytes behind it. Millrace's
 * own additions stand where Litestream looks at nothing: its epoch and commit counter in NodeID, its rolling
 * checksums in the reserved bytes, under the tag `MR1`. Zeros there, or another tag, mean that they are
 * absent.
 *
 * Source: LTX format version 3 (superfly/ltx v0.5.2); docs/reference/formats.md, "LTX".
 */

import { assert } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { TXID_MAX } from '../base/ids.ts';
import type { Checksum, Epoch, Txid, WallMs } from '../base/ids.ts';
import { isPageSize } from './sqlite-header.ts';

export const LTX_HEADER_BYTES = 100;

/** Set in every checksum of LTX, so that none is 0. */
export const CHECKSUM_FLAG: bigint = 1n << 63n;

const MAGIC = 0x4c54_5831;
const TAG = 0x4d52_3100;
const FLAG_NO_CHECKSUM = 2;

const OFFSET = {
  magic: 0,
  flags: 4,
  pageSize: 8,
  commit: 12,
  minTxid: 16,
  maxTxid: 24,
  timestamp: 32,
  preApply: 40,
  walOffset: 48,
  walSize: 56,
  walSalt1: 64,
  walSalt2: 68,
  epoch: 72,
  counter: 76,
  tag: 80,
  rollingPost: 84,
  rollingPre: 92,
} as const;

/**
 * The database's checksum after and before a file is applied: the XOR of its pages' checksums, with bit 63
 * set.
 */
export interface LtxRolling {
  readonly post: Checksum;
  /** 0: there was no database before. */
  readonly pre: Checksum;
}

/** What the header of an LTX file says, as Millrace writes it. */
export interface LtxHeader {
  readonly pageSize: number;
  /** The database's size in pages after the file is applied. */
  readonly commit: number;
  /** 1: a snapshot, which holds every page. */
  readonly minTxid: Txid;
  readonly maxTxid: Txid;
  readonly timestampMs: WallMs;
  /** Where in the WAL the batch began; 0 in compacted files. */
  readonly walOffset: number;
  readonly walSize: number;
  readonly walSalt1: number;
  readonly walSalt2: number;
  /** The upper half of NodeID. 0: not written by Millrace. */
  readonly epoch: Epoch;
  /** The lower half of NodeID: the low 32 bits of the counter of the last commit in the file. */
  readonly counter: number;
  /** `null`: absent, as in everything that others wrote. */
  readonly rolling: LtxRolling | null;
}

/** What a header says that anybody may have written. */
export interface LtxHeaderRead extends LtxHeader {
  /** Whether LTX's own database checksums are kept (LiteFS does; Litestream and Millrace never). */
  readonly hasChecksums: boolean;
  /** LTX's own database checksum before the file is applied; 0 without. */
  readonly preApply: Checksum;
}

/** Reads a header. Throws Fault `ltx-header`, or `ltx-truncated` for less than 100 bytes. */
export function ltxHeaderDecode(bytes: Uint8Array): LtxHeaderRead {
  if (bytes.length < LTX_HEADER_BYTES) {
    throw new Fault(
      'corrupt',
      'ltx-truncated',
      `an LTX file of ${bytes.length} bytes ends within its header`,
    );
  }
  const at = view(bytes);
  if (at.getUint32(OFFSET.magic) !== MAGIC) throw malformed('it does not begin with "LTX1"');
  const flags = at.getUint32(OFFSET.flags);
  if ((flags & ~FLAG_NO_CHECKSUM) !== 0) throw malformed(`its flags are 0x${flags.toString(16)}`);
  const header: LtxHeaderRead = {
    pageSize: at.getUint32(OFFSET.pageSize),
    commit: at.getUint32(OFFSET.commit),
    minTxid: at.getBigUint64(OFFSET.minTxid) as Txid,
    maxTxid: at.getBigUint64(OFFSET.maxTxid) as Txid,
    timestampMs: Number(at.getBigInt64(OFFSET.timestamp)) as WallMs,
    walOffset: Number(at.getBigInt64(OFFSET.walOffset)),
    walSize: Number(at.getBigInt64(OFFSET.walSize)),
    walSalt1: at.getUint32(OFFSET.walSalt1),
    walSalt2: at.getUint32(OFFSET.walSalt2),
    epoch: BigInt(at.getUint32(OFFSET.epoch)) as Epoch,
    counter: at.getUint32(OFFSET.counter),
    rolling: rollingDecode(at),
    hasChecksums: flags === 0,
    preApply: at.getBigUint64(OFFSET.preApply) as Checksum,
  };
  const problem = problemOf(header);
  if (problem !== null) throw malformed(problem);
  return header;
}

/** The 100 bytes of a header. */
export function ltxHeaderEncode(header: LtxHeader): Uint8Array {
  const problem = problemOf({ ...header, hasChecksums: false, preApply: 0n as Checksum });
  assert(problem === null, () => `an LTX header that nobody could read: ${problem}`);
  const bytes = new Uint8Array(LTX_HEADER_BYTES);
  const at = view(bytes);
  at.setUint32(OFFSET.magic, MAGIC);
  at.setUint32(OFFSET.flags, FLAG_NO_CHECKSUM);
  at.setUint32(OFFSET.pageSize, header.pageSize);
  at.setUint32(OFFSET.commit, header.commit);
  at.setBigUint64(OFFSET.minTxid, header.minTxid);
  at.setBigUint64(OFFSET.maxTxid, header.maxTxid);
  at.setBigInt64(OFFSET.timestamp, BigInt(header.timestampMs));
  at.setBigInt64(OFFSET.walOffset, BigInt(header.walOffset));
  at.setBigInt64(OFFSET.walSize, BigInt(header.walSize));
  at.setUint32(OFFSET.walSalt1, header.walSalt1);
  at.setUint32(OFFSET.walSalt2, header.walSalt2);
  at.setUint32(OFFSET.epoch, Number(header.epoch));
  at.setUint32(OFFSET.counter, header.counter);
  if (header.rolling !== null) {
    at.setUint32(OFFSET.tag, TAG);
    at.setBigUint64(OFFSET.rollingPost, header.rolling.post);
    at.setBigUint64(OFFSET.rollingPre, header.rolling.pre);
  }
  return bytes;
}

/** Whether a file with this header holds every page of the database. */
export function isSnapshot(header: LtxHeader): boolean {
  return header.minTxid === 1n;
}

function rollingDecode(at: DataView): LtxRolling | null {
  if (at.getUint32(OFFSET.tag) !== TAG) return null;
  return {
    post: at.getBigUint64(OFFSET.rollingPost) as Checksum,
    pre: at.getBigUint64(OFFSET.rollingPre) as Checksum,
  };
}

function problemOf(header: LtxHeaderRead): string | null {
  return rangeProblem(header) ?? walProblem(header) ?? checksumProblem(header);
}

function rangeProblem(header: LtxHeaderRead): string | null {
  const { pageSize, commit, minTxid, maxTxid, timestampMs } = header;
  if (!isPageSize(pageSize)) return `its page size is ${pageSize}`;
  if (minTxid < 1n || maxTxid < minTxid || maxTxid > TXID_MAX)
    return `its TXIDs are ${minTxid} to ${maxTxid}`;
  if (!Number.isSafeInteger(timestampMs)) return `its timestamp is ${timestampMs}`;
  if (!isU32(commit) || commit === 0xffff_ffff) return `its size is ${commit} pages`;
  // Without checksums the trailer of a file with no pages could not be valid.
  return commit === 0 && !header.hasChecksums ? 'it leaves a database of 0 pages' : null;
}

function walProblem({
  walOffset,
  walSize,
  walSalt1,
  walSalt2,
  counter,
  epoch,
}: LtxHeaderRead): string | null {
  const isPlace =
    Number.isSafeInteger(walOffset) && walOffset >= 0 && Number.isSafeInteger(walSize) && walSize >= 0;
  if (!isPlace) return `its WAL range is ${walSize} bytes at ${walOffset}`;
  if (!isU32(walSalt1) || !isU32(walSalt2)) return `its salts are ${walSalt1}, ${walSalt2}`;
  if (walOffset === 0 && (walSize !== 0 || walSalt1 !== 0 || walSalt2 !== 0))
    return 'it has no WAL offset but salts or size';
  return isU32(counter) && isU32(Number(epoch)) ? null : `its epoch and counter are ${epoch}, ${counter}`;
}

function checksumProblem({ minTxid, hasChecksums, preApply, rolling }: LtxHeaderRead): string | null {
  const needsPreApply = hasChecksums && minTxid > 1n;
  if (needsPreApply ? !isFlagged(preApply) : preApply !== 0n) return `its pre-apply checksum is ${preApply}`;
  if (rolling === null) return null;
  const isWhole = isFlagged(rolling.post) && (rolling.pre === 0n || isFlagged(rolling.pre));
  return isWhole ? null : `its rolling checksums are ${rolling.post}, ${rolling.pre}`;
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

function isFlagged(checksum: Checksum): boolean {
  return checksum >= CHECKSUM_FLAG && checksum < 1n << 64n;
}

function malformed(why: string): Fault {
  return new Fault('corrupt', 'ltx-header', `the header of an LTX file is malformed: ${why}`);
}
