import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { Bug } from '../base/assert.ts';
import { view } from '../base/bytes.ts';
import { epoch, txid } from '../base/ids.ts';
import type { Checksum, WallMs } from '../base/ids.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { flagged, ltxCases } from '../../test/support/ltx-cases.ts';
import {
  CHECKSUM_FLAG,
  LTX_HEADER_BYTES,
  isSnapshot,
  ltxHeaderDecode,
  ltxHeaderEncode,
} from './ltx-header.ts';
import type { LtxHeader } from './ltx-header.ts';
import { runs } from '../../test/support/runs.ts';

const rollings = fc.option(
  fc.record(
    { post: flagged, pre: fc.oneof(flagged, fc.constant(0n as Checksum)) },
    { noNullPrototype: true },
  ),
);
const headers: fc.Arbitrary<LtxHeader> = fc
  .tuple(ltxCases, rollings)
  .map(([{ header }, rolling]) => ({ ...header, rolling }));

const example: LtxHeader = {
  pageSize: 4096,
  commit: 2,
  minTxid: txid(5),
  maxTxid: txid(6),
  timestampMs: 1_795_388_019_357 as WallMs,
  walOffset: 32,
  walSize: 4120,
  walSalt1: 1,
  walSalt2: 2,
  epoch: epoch(3),
  counter: 4,
  rolling: { post: (CHECKSUM_FLAG | 1n) as Checksum, pre: CHECKSUM_FLAG as Checksum },
};

/** The example's bytes after `change`. */
function changed(change: (at: DataView) => void): Uint8Array {
  const bytes = ltxHeaderEncode(example);
  change(view(bytes));
  return bytes;
}

test('a header gives back what it was made of', () => {
  fc.assert(
    fc.property(headers, (header) => {
      const bytes = ltxHeaderEncode(header);
      strictEqual(bytes.length, LTX_HEADER_BYTES);
      deepStrictEqual(ltxHeaderDecode(bytes), { ...header, hasChecksums: false, preApply: 0n });
      strictEqual(isSnapshot(header), header.minTxid === 1n);
    }),
    { numRuns: runs(300) },
  );
});

test('NodeID is epoch before counter, and the tag stands before the rolling checksums', () => {
  const bytes = ltxHeaderEncode(example);
  deepStrictEqual([...bytes.subarray(72, 80)], [0, 0, 0, 3, 0, 0, 0, 4]);
  deepStrictEqual([...bytes.subarray(80, 84)], [0x4d, 0x52, 0x31, 0]);
  strictEqual(view(bytes).getBigUint64(84), CHECKSUM_FLAG | 1n);
  strictEqual(view(bytes).getBigUint64(92), CHECKSUM_FLAG);
});

test('reserved bytes of somebody else mean that rolling checksums are absent', () => {
  for (const tag of [0, 0x4d523200, 0x4d523101, 0xffffffff]) {
    strictEqual(ltxHeaderDecode(changed((at) => at.setUint32(80, tag))).rolling, null);
  }
});

test('the headers of a LiteFS are read: no flag, a pre-apply checksum, a deletion', () => {
  const withChecksums = changed((at) => {
    at.setUint32(4, 0);
    at.setBigUint64(40, CHECKSUM_FLAG | 7n);
    at.setUint32(12, 0);
  });
  const { hasChecksums, preApply, commit } = ltxHeaderDecode(withChecksums);
  deepStrictEqual([hasChecksums, preApply, commit], [true, CHECKSUM_FLAG | 7n, 0]);
});

test('a header that breaks a rule of the format is refused', () => {
  const breaks: readonly ((at: DataView) => void)[] = [
    (at) => at.setUint32(0, 0x4c545832),
    (at) => at.setUint32(4, 3),
    (at) => at.setUint32(4, 0), // a pre-apply checksum is then required
    (at) => at.setUint32(8, 1),
    (at) => at.setUint32(8, 131_072),
    (at) => at.setUint32(12, 0),
    (at) => at.setUint32(12, 0xffff_ffff),
    (at) => at.setBigUint64(16, 0n),
    (at) => at.setBigUint64(16, 7n),
    (at) => at.setBigUint64(24, 1n << 63n),
    (at) => at.setBigUint64(32, 1n << 62n),
    (at) => at.setBigUint64(40, CHECKSUM_FLAG | 1n),
    (at) => at.setBigInt64(48, -1n),
    (at) => at.setBigInt64(48, 0n), // salts and size need an offset
    (at) => at.setBigInt64(56, -1n),
    (at) => at.setBigUint64(84, 1n),
    (at) => at.setBigUint64(92, 1n),
  ];
  for (const [i, change] of breaks.entries()) {
    throws(() => ltxHeaderDecode(changed(change)), { kind: 'corrupt', code: 'ltx-header' }, `break ${i}`);
  }
  throws(() => ltxHeaderDecode(new Uint8Array(99)), { kind: 'corrupt', code: 'ltx-truncated' });
});

test('a header that nobody could read is a bug, not a file', () => {
  const wrongs: readonly Partial<LtxHeader>[] = [
    { pageSize: 1000 },
    { commit: 0 },
    { minTxid: txid(7) },
    { walOffset: 0 },
    { walSalt1: 2 ** 32 },
    { counter: -1 },
    { timestampMs: 1.5 as WallMs },
    { rolling: { post: 1n as Checksum, pre: CHECKSUM_FLAG as Checksum } },
  ];
  for (const wrong of wrongs) throws(() => ltxHeaderEncode({ ...example, ...wrong }), Bug);
  ok(ltxHeaderEncode(example));
});

test('damaged headers are Faults or headers that encode again', () => {
  let survived = 0;
  fc.assert(
    fc.property(headers, damages, (header, all) => {
      const bytes = damaged(ltxHeaderEncode(header), all);
      if (!faultsOnly(() => ltxHeaderDecode(bytes))) return;
      survived++;
      const read = ltxHeaderDecode(bytes);
      if (!read.hasChecksums) ok(ltxHeaderEncode(read));
    }),
    { numRuns: runs(500) },
  );
  ok(survived > 10, `only ${survived} survived`);
});
