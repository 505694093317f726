import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { must } from '../base/assert.ts';
import { concat, view } from '../base/bytes.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { pageOf, pageSizes } from '../../test/support/ltx-cases.ts';
import { walChecksum, walVerify } from './kernel.ts';
import * as wal from './wal.ts';
import { runs } from '../../test/support/runs.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });

const fields: fc.Arbitrary<wal.WalFields> = fc.record(
  {
    bigEndian: fc.boolean(),
    pageSize: pageSizes,
    sequence: u32,
    salt1: u32,
    salt2: u32,
  },
  { noNullPrototype: true },
);

interface Log {
  readonly header: wal.WalHeader;
  readonly bytes: Uint8Array;
  readonly frames: readonly wal.WalFrame[];
}

/** A log of `count` frames, each second of them a commit. */
function logOf(of: wal.WalFields, count: number): Log {
  const head = wal.walHeaderEncode(of);
  const header = must(wal.walHeaderDecode(head), 'a header');
  const parts = [head];
  const frames: wal.WalFrame[] = [];
  let chain = header;
  for (let i = 0; i < count; i++) {
    const frame = { pgno: i + 1, commit: i % 2, page: pageOf('noise', of.pageSize, i) };
    const { bytes, seed } = wal.walFrameEncode(chain, frame);
    parts.push(bytes);
    frames.push({ pgno: frame.pgno, commit: frame.commit, salt1: of.salt1, salt2: of.salt2, checksum: seed });
    chain = { ...chain, seed };
  }
  return { header, bytes: concat(parts), frames };
}

test('a header gives back what it was made of, and the seed of the chain', () => {
  fc.assert(
    fc.property(fields, (of) => {
      const { seed, ...rest } = must(wal.walHeaderDecode(wal.walHeaderEncode(of)), 'a header');
      deepStrictEqual(rest, of);
      deepStrictEqual(
        seed,
        walChecksum(wal.walHeaderEncode(of).subarray(0, 24), of.bigEndian, { s0: 0, s1: 0 }),
      );
    }),
    { numRuns: runs(300) },
  );
});

test('frames give back what they were made of, and continue the chain', () => {
  fc.assert(
    fc.property(fields, fc.nat(6), (of, count) => {
      const { header, bytes, frames } = logOf(of, count);
      strictEqual(wal.frameCount(bytes.length, of.pageSize), count);
      frames.forEach((frame, i) => {
        deepStrictEqual(wal.walFrameDecode(bytes, wal.frameOffset(i, of.pageSize)), frame);
      });
      const expected = { frames: count, checksum: frames.at(-1)?.checksum ?? header.seed };
      deepStrictEqual(walVerify(bytes.subarray(wal.WAL_HEADER_BYTES), header), expected);
    }),
    { numRuns: runs(200) },
  );
});

test('a frame with a stale salt ends the log, and so does a page with one bit changed', () => {
  fc.assert(
    fc.property(fields, fc.nat(4), fc.boolean(), (of, at, isStale) => {
      const { header, bytes } = logOf(of, 5);
      const offset =
        wal.frameOffset(at, of.pageSize) + (isStale ? 8 : wal.WAL_FRAME_HEADER_BYTES + of.pageSize - 1);
      bytes[offset] = must(bytes[offset], 'a byte') ^ 1;
      strictEqual(walVerify(bytes.subarray(wal.WAL_HEADER_BYTES), header).frames, at);
    }),
    { numRuns: runs(200) },
  );
});

test('a restart adds one to salt-1 and the sequence, modulo 2³²', () => {
  const of = { bigEndian: false, pageSize: 4096, sequence: 0xffff_ffff, salt1: 0xffff_ffff, salt2: 5 };
  deepStrictEqual(wal.walRestarted(of, 9), { ...of, sequence: 0, salt1: 0, salt2: 9 });
});

test('a header of another length, magic, page size or checksum is none', () => {
  const good = wal.walHeaderEncode({ bigEndian: true, pageSize: 512, sequence: 1, salt1: 2, salt2: 3 });
  ok(wal.walHeaderDecode(good));
  ok(wal.walHeaderDecode(concat([good, Uint8Array.of(1)])), 'what follows does not matter');
  strictEqual(wal.walHeaderDecode(new Uint8Array(0)), null);
  strictEqual(wal.walHeaderDecode(new Uint8Array(32)), null);
  strictEqual(wal.walHeaderDecode(good.subarray(0, 31)), null);
  for (let at = 0; at < good.length; at++) {
    strictEqual(wal.walHeaderDecode(good.with(at, must(good[at], 'a byte') ^ 1)), null, `byte ${at}`);
  }
});

/** A header with `value` at `offset`, under the checksum that it then asks for. */
function resealed(offset: number, value: number): Uint8Array {
  const bytes = wal.walHeaderEncode({ bigEndian: false, pageSize: 512, sequence: 0, salt1: 0, salt2: 0 });
  const at = view(bytes);
  at.setUint32(offset, value);
  const sum = walChecksum(bytes.subarray(0, 24), false, { s0: 0, s1: 0 });
  at.setUint32(24, sum.s0);
  at.setUint32(28, sum.s1);
  return bytes;
}

test('a sound header of another version is refused by name; of another magic or page size it is none', () => {
  throws(() => wal.walHeaderDecode(resealed(4, 3_007_001)), { kind: 'invalid', code: 'wal-version' });
  for (const magic of [0x377f0681, 0x377f0684, 0]) strictEqual(wal.walHeaderDecode(resealed(0, magic)), null);
  for (const pageSize of [1, 513, 131_072]) strictEqual(wal.walHeaderDecode(resealed(8, pageSize)), null);
  ok(wal.walHeaderDecode(resealed(8, 1024)));
});

test('damaged headers are Faults, none, or headers', () => {
  fc.assert(
    fc.property(fields, damages, (of, all) => {
      faultsOnly(() => wal.walHeaderDecode(damaged(wal.walHeaderEncode(of), all)));
    }),
    { numRuns: runs(300) },
  );
});
