/**
 * One record of the local state: where a seal left the database, and what it did to the page map.
 *
 * A full record holds every page's checksum, a delta those that changed. All integers are big-endian; the
 * CRC-64 covers everything behind it, so a record that a crash cut short ends the journal and is no error.
 */

import { view } from '../base/bytes.ts';
import { Fault } from '../base/fault.ts';
import { checksum, txid } from '../base/ids.ts';
import type { Checksum, Txid } from '../base/ids.ts';
import { crc64 } from '../format/kernel.ts';
import type { PageSums } from './seal.ts';
import type { WalPosition } from './position.ts';

/** What a record says. */
export interface StateRecord {
  readonly kind: 'full' | 'delta';
  readonly txid: Txid;
  /** The rolling checksum after it. */
  readonly post: Checksum;
  readonly pageSize: number;
  readonly size: number;
  readonly sizeMin: number;
  readonly position: WalPosition | null;
  readonly changed: PageSums;
}

const OFFSET = {
  crc: 0,
  bytes: 8,
  kind: 12,
  hasPosition: 13,
  bigEndian: 14,
  reserved: 15,
  txid: 16,
  post: 24,
  pageSize: 32,
  size: 36,
  sizeMin: 40,
  salt1: 44,
  salt2: 48,
  frames: 52,
  s0: 56,
  s1: 60,
  count: 64,
  entries: 68,
} as const;
const ENTRY_BYTES = 12;
const KIND = { full: 1, delta: 2 } as const;

/** The bytes of a record. */
export function stateRecordEncode(record: StateRecord): Uint8Array {
  const { changed, position } = record;
  const bytes = new Uint8Array(OFFSET.entries + changed.pgnos.length * ENTRY_BYTES);
  const at = view(bytes);
  at.setUint32(OFFSET.bytes, bytes.length);
  at.setUint8(OFFSET.kind, KIND[record.kind]);
  at.setBigUint64(OFFSET.txid, record.txid);
  at.setBigUint64(OFFSET.post, record.post);
  at.setUint32(OFFSET.pageSize, record.pageSize);
  at.setUint32(OFFSET.size, record.size);
  at.setUint32(OFFSET.sizeMin, record.sizeMin);
  if (position !== null) {
    at.setUint8(OFFSET.hasPosition, 1);
    at.setUint8(OFFSET.bigEndian, position.bigEndian ? 1 : 0);
    at.setUint32(OFFSET.salt1, position.salt1);
    at.setUint32(OFFSET.salt2, position.salt2);
    at.setUint32(OFFSET.frames, position.frames);
    at.setUint32(OFFSET.s0, position.checksum.s0);
    at.setUint32(OFFSET.s1, position.checksum.s1);
  }
  at.setUint32(OFFSET.count, changed.pgnos.length);
  for (const [i, pgno] of changed.pgnos.entries()) {
    at.setUint32(OFFSET.entries + i * ENTRY_BYTES, pgno);
    at.setBigUint64(OFFSET.entries + i * ENTRY_BYTES + 4, changed.sums[i] ?? 0n);
  }
  at.setBigUint64(OFFSET.crc, crc64(bytes.subarray(OFFSET.bytes)));
  return bytes;
}

/**
 * Reads the record at the front of `bytes`, or `null` where no whole, sound record stands. Fault
 * `state-unreadable` for a sound one of another version.
 */
export function stateRecordDecode(
  bytes: Uint8Array,
): { readonly record: StateRecord; readonly bytes: number } | null {
  if (bytes.length < OFFSET.entries) return null;
  const at = view(bytes);
  const length = at.getUint32(OFFSET.bytes);
  const count = at.getUint32(OFFSET.count);
  if (length > bytes.length || length !== OFFSET.entries + count * ENTRY_BYTES) return null;
  if (at.getBigUint64(OFFSET.crc) !== crc64(bytes.subarray(OFFSET.bytes, length))) return null;
  const kind = at.getUint8(OFFSET.kind);
  if ((kind !== KIND.full && kind !== KIND.delta) || at.getUint8(OFFSET.reserved) !== 0)
    throw unknownRecord();
  const pgnos = new Uint32Array(count);
  const sums = new BigUint64Array(count);
  for (let i = 0; i < count; i++) {
    pgnos[i] = at.getUint32(OFFSET.entries + i * ENTRY_BYTES);
    sums[i] = at.getBigUint64(OFFSET.entries + i * ENTRY_BYTES + 4);
  }
  const record: StateRecord = {
    kind: kind === KIND.full ? 'full' : 'delta',
    txid: txid(at.getBigUint64(OFFSET.txid)),
    post: checksum(at.getBigUint64(OFFSET.post)),
    pageSize: at.getUint32(OFFSET.pageSize),
    size: at.getUint32(OFFSET.size),
    sizeMin: at.getUint32(OFFSET.sizeMin),
    position: at.getUint8(OFFSET.hasPosition) === 1 ? positionDecode(at) : null,
    changed: { pgnos, sums },
  };
  return { record, bytes: length };
}

/** Sound, and not of this version. */
function unknownRecord(): Fault {
  const message = 'a record of the local state is of a kind that this Millrace does not know';
  return new Fault('corrupt', 'state-unreadable', message, {
    hint: 'a later Millrace wrote it: use that one, or remove the state directory and start again',
  });
}

/** The commit counter is not kept: recovery may reset it while nobody watches (B3). */
function positionDecode(at: DataView): WalPosition {
  return {
    bigEndian: at.getUint8(OFFSET.bigEndian) === 1,
    salt1: at.getUint32(OFFSET.salt1),
    salt2: at.getUint32(OFFSET.salt2),
    frames: at.getUint32(OFFSET.frames),
    checksum: { s0: at.getUint32(OFFSET.s0), s1: at.getUint32(OFFSET.s1) },
    iChange: null,
  };
}
