import { deepStrictEqual, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { must } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { pageSizes } from '../../test/support/ltx-cases.ts';
import { walChecksum } from './kernel.ts';
import { READ_MARK_UNUSED, WAL_INDEX_HEADER_BYTES, walIndexDecode, walIndexEncode } from './wal-index.ts';
import type { WalIndexFields } from './wal-index.ts';
import { runs } from '../../test/support/runs.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const fields: fc.Arbitrary<WalIndexFields> = fc.record(
  {
    iChange: u32,
    bigEndian: fc.boolean(),
    pageSize: fc.oneof(pageSizes, fc.constant(0)),
    mxFrame: u32,
    nPage: u32,
    frameChecksum: fc.record({ s0: u32, s1: u32 }, { noNullPrototype: true }),
    salt1: u32,
    salt2: u32,
    nBackfill: u32,
    nBackfillAttempted: u32,
    readMarks: fc.array(fc.oneof(u32, fc.constant(READ_MARK_UNUSED)), { minLength: 5, maxLength: 5 }),
  },
  { noNullPrototype: true },
);

const example: WalIndexFields = {
  iChange: 7,
  bigEndian: false,
  pageSize: 4096,
  mxFrame: 3,
  nPage: 2,
  frameChecksum: { s0: 1, s1: 2 },
  salt1: 0x01020304,
  salt2: 0x05060708,
  nBackfill: 1,
  nBackfillAttempted: 2,
  readMarks: [0, 3, READ_MARK_UNUSED, READ_MARK_UNUSED, READ_MARK_UNUSED],
};

/** Gives both copies of a header the checksum that their bytes ask for. */
function resealed(bytes: Uint8Array): Uint8Array {
  const sum = walChecksum(bytes.subarray(0, 40), false, { s0: 0, s1: 0 });
  view(bytes).setUint32(40, sum.s0, true);
  view(bytes).setUint32(44, sum.s1, true);
  bytes.copyWithin(48, 0, 48);
  return bytes;
}

test('an index gives back what it was made of, and its own 48 bytes', () => {
  fc.assert(
    fc.property(fields, (of) => {
      const bytes = walIndexEncode(of);
      strictEqual(bytes.length, WAL_INDEX_HEADER_BYTES);
      deepStrictEqual(walIndexDecode(bytes), { ...of, torn: null, raw48: bytes.slice(0, 48) });
    }),
    { numRuns: runs(300) },
  );
});

test('the 48 bytes are a copy: the buffer may be read into again', () => {
  const bytes = walIndexEncode(example);
  const index = walIndexDecode(bytes);
  bytes.fill(0);
  strictEqual(index.torn, null);
  if (index.torn === null) deepStrictEqual(index.raw48, walIndexEncode(example).slice(0, 48));
});

test('salts are bytes as in the WAL, everything else is little-endian', () => {
  const bytes = walIndexEncode(example);
  deepStrictEqual([...bytes.subarray(32, 40)], [1, 2, 3, 4, 5, 6, 7, 8]);
  deepStrictEqual([...bytes.subarray(8, 12)], [7, 0, 0, 0]);
});

test('one changed byte in either copy is torn, whichever byte it is', () => {
  const bytes = walIndexEncode(example);
  for (let at = 0; at < 96; at++) {
    const torn = walIndexDecode(bytes.with(at, must(bytes[at], 'a byte') ^ 1));
    deepStrictEqual(torn, { torn: 'copies-differ' }, `byte ${at}`);
  }
});

test('an equal pair with a wrong checksum is torn; one that nobody initialised, too', () => {
  const bytes = walIndexEncode(example);
  bytes[8] = 8;
  bytes.copyWithin(48, 0, 48);
  deepStrictEqual(walIndexDecode(bytes), { torn: 'checksum' });
  deepStrictEqual(walIndexDecode(new Uint8Array(136)), { torn: 'uninitialised' });
  deepStrictEqual(walIndexDecode(new Uint8Array(3)), { torn: 'short' });
  deepStrictEqual(walIndexDecode(new Uint8Array(0)), { torn: 'short' });
});

test('another version, byte order or page size is refused by name', () => {
  const later = walIndexEncode(example);
  view(later).setUint32(0, 3_007_001, true);
  throws(() => walIndexDecode(resealed(later)), {
    name: 'Fault',
    kind: 'invalid',
    code: 'wal-index-version',
  });
  const swapped = walIndexEncode(example);
  view(swapped).setUint32(0, 3_007_000, false);
  const byteOrder = { name: 'Fault', kind: 'invalid', code: 'wal-index-byte-order' };
  throws(() => walIndexDecode(resealed(swapped)), byteOrder);
  const odd = walIndexEncode(example);
  view(odd).setUint16(14, 4097, true);
  throws(() => walIndexDecode(resealed(odd)), {
    name: 'Fault',
    kind: 'corrupt',
    code: 'wal-index-malformed',
  });
});

test('damaged indexes are Faults, torn, or indexes', () => {
  fc.assert(
    fc.property(fields, damages, fc.boolean(), (of, all, isResealed) => {
      const bytes = damaged(walIndexEncode(of), all);
      faultsOnly(() => walIndexDecode(isResealed && bytes.length >= 96 ? resealed(bytes) : bytes));
    }),
    { numRuns: runs(500) },
  );
});
