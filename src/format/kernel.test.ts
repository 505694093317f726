import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyKind, fill, outcomeOf } from '../../kernel/samples.ts';
import * as twin from '../../kernel/twin.ts';
import { bytesEqual, concat, utf8, view } from '../base/bytes.ts';
import type { Checksum } from '../base/ids.ts';
import * as kernel from './kernel.ts';
import { runs as runsOf } from '../../test/support/runs.ts';

const runs = { numRuns: runsOf(200) };
const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;

const anyBytes = (max: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength: max, size: 'max' });
const anyChecksum = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map((value) => value as Checksum);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const plain = { noNullPrototype: true };
const anySeed = fc.record({ s0: u32, s1: u32 }, plain);

interface Batch {
  readonly pageSize: number;
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
}

const anyBatch: fc.Arbitrary<Batch> = fc
  .record({
    pageSize: fc.constantFrom(...PAGE_SIZES.slice(0, 5), ...PAGE_SIZES),
    kinds: fc.array(fc.tuple(anyKind, fc.nat(), fc.integer({ min: 1, max: 0xffff_fffe })), { maxLength: 3 }),
  })
  .map(({ pageSize, kinds }) => ({
    pageSize,
    pgnos: Uint32Array.from(kinds.map(([, , pgno]) => pgno)),
    pages: concat(kinds.map(([kind, seed]) => fill(kind, pageSize, seed))),
  }));

test('the CRC is CRC-64/GO-ISO: its check value is b90956c775a41001', () => {
  assert.equal(kernel.crc64(utf8('123456789')), 0xb909_56c7_75a4_1001n);
  assert.equal(kernel.crc64(new Uint8Array()), 0n);
});

test('the CRC equals its twin at every length up to three folded blocks', () => {
  const bytes = fill('noise', 320, 7);
  for (let length = 0; length <= bytes.length; length++) {
    const part = bytes.subarray(0, length);
    assert.equal(kernel.crc64(part), twin.crc64(part), `length ${length}`);
  }
});

test('a CRC continued, a CRC combined and a CRC of the whole are the same', () => {
  fc.assert(
    fc.property(anyBytes(2000), anyBytes(2000), anyChecksum, (a, b, before) => {
      const whole = kernel.crc64(concat([a, b]), before);
      assert.equal(whole, twin.crc64(concat([a, b]), before));
      assert.equal(kernel.crc64(b, kernel.crc64(a, before)), whole);
      assert.equal(kernel.crc64Combine(kernel.crc64(a, before), kernel.crc64(b), b.length), whole);
    }),
    runs,
  );
});

test('combining CRCs equals its twin for lengths up to 2^53', () => {
  fc.assert(
    fc.property(anyChecksum, anyChecksum, fc.maxSafeNat(), (a, b, length) => {
      assert.equal(kernel.crc64Combine(a, b, length), twin.crc64Combine(a, b, length));
    }),
    runs,
  );
});

test('the WAL checksum equals its twin in both word orders, whole or in two parts', () => {
  fc.assert(
    fc.property(anyBytes(2000), fc.boolean(), anySeed, fc.nat(), (bytes, bigEndian, seed, cut) => {
      const whole = bytes.subarray(0, bytes.length - (bytes.length % 8));
      const at = (cut % (whole.length / 8 + 1)) * 8;
      const sum = kernel.walChecksum(whole, bigEndian, seed);
      assert.deepEqual(sum, twin.walChecksum(whole, bigEndian, seed));
      const first = kernel.walChecksum(whole.subarray(0, at), bigEndian, seed);
      assert.deepEqual(kernel.walChecksum(whole.subarray(at), bigEndian, first), sum);
    }),
    runs,
  );
});

/** Frames that continue `chain`, by the twin's checksum. */
function walFrames(chain: kernel.WalChain, count: number): Uint8Array {
  let seed = chain.seed;
  const frames: Uint8Array[] = [];
  for (let index = 0; index < count; index++) {
    const frame = concat([new Uint8Array(24), fill('words', chain.pageSize, index + 1)]);
    const fields = view(frame);
    [index + 1, 0, chain.salt1, chain.salt2].forEach((word, at) => fields.setUint32(4 * at, word));
    seed = twin.walChecksum(frame.subarray(0, 8), chain.bigEndian, seed);
    seed = twin.walChecksum(frame.subarray(24), chain.bigEndian, seed);
    fields.setUint32(16, seed.s0);
    fields.setUint32(20, seed.s1);
    frames.push(frame);
  }
  return concat(frames);
}

test('a WAL is verified up to its first frame with a stale salt or a broken checksum', () => {
  const pageSize = fc.constantFrom(512, 1024, 4096);
  const anyChain = fc.record(
    { pageSize, bigEndian: fc.boolean(), salt1: u32, salt2: u32, seed: anySeed },
    plain,
  );
  fc.assert(
    fc.property(
      anyChain,
      fc.nat(4),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (chain, count, where, flip) => {
        const frames = walFrames(chain, count);
        const whole = kernel.walVerify(frames, chain);
        assert.equal(whole.frames, count);
        assert.deepEqual(whole, twin.walVerify(frames, chain));
        if (count === 0) return;
        const at = where % frames.length;
        frames[at]! ^= flip;
        const broken = kernel.walVerify(frames, chain);
        assert.equal(broken.frames, Math.floor(at / (24 + chain.pageSize)));
        assert.deepEqual(broken, twin.walVerify(frames, chain));
      },
    ),
    runs,
  );
});

test('the checksum of a page equals its twin at every page size', () => {
  const sizes = new Set<number>();
  fc.assert(
    fc.property(anyBatch, ({ pageSize, pgnos, pages }) => {
      sizes.add(pageSize);
      assert.deepEqual(
        kernel.pageChecksums(pgnos, pages, pageSize),
        twin.pageChecksums(pgnos, pages, pageSize),
      );
    }),
    runs,
  );
  assert.equal(sizes.size, PAGE_SIZES.length);
});

const END = new Uint8Array(6);

test('page frames equal their twin and decode to what they were, at every page size', () => {
  const sizes = new Set<number>();
  fc.assert(
    fc.property(anyBatch, anyChecksum, ({ pageSize, pgnos, pages }, before) => {
      sizes.add(pageSize);
      const encoded = kernel.encodePages(pgnos, pages, pageSize, before);
      assert.deepEqual(encoded, twin.encodePages(pgnos, pages, pageSize, before));
      const decoded = kernel.decodePages(concat([encoded.bytes, END]), pageSize, before);
      const { checksums, crc, bytes } = encoded;
      assert.deepEqual(decoded, { consumed: bytes.length, pgnos, pages, checksums, crc, ended: true });
    }),
    runs,
  );
  assert.equal(sizes.size, PAGE_SIZES.length);
});

test('page frames cut anywhere decode up to the cut, and the rest continues them', () => {
  fc.assert(
    fc.property(anyBatch, anyChecksum, fc.nat(), ({ pageSize, pgnos, pages }, before, where) => {
      const file = concat([kernel.encodePages(pgnos, pages, pageSize, before).bytes, END]);
      const cut = where % file.length;
      const first = kernel.decodePages(file.subarray(0, cut), pageSize, before);
      assert.deepEqual(first, twin.decodePages(file.subarray(0, cut), pageSize, before));
      const second = kernel.decodePages(file.subarray(first.consumed), pageSize, first.crc);
      assert.ok(!first.ended && second.ended && first.consumed <= cut);
      assert.deepEqual(concat([first.pages, second.pages]), pages);
      assert.equal(second.crc, kernel.encodePages(pgnos, pages, pageSize, before).crc);
    }),
    runs,
  );
});

test("malformed page frames give a Fault of their twin's code, or what it gives", () => {
  const codes = new Set<string>();
  const anyHits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(anyBatch, anyHits, ({ pageSize, pgnos, pages }, hits) => {
      const file = concat([kernel.encodePages(pgnos, pages, pageSize, 0n as Checksum).bytes, END]);
      // Half the hits land in the first header, which random offsets would hardly find.
      for (const [where, value] of hits)
        file[where % (where % 2 === 0 ? Math.min(12, file.length) : file.length)] = value;
      const outcome = outcomeOf(() => kernel.decodePages(file, pageSize, 0n as Checksum));
      assert.deepEqual(
        outcome,
        outcomeOf(() => twin.decodePages(file, pageSize, 0n as Checksum)),
      );
      codes.add(typeof outcome === 'string' ? outcome : 'decoded');
    }),
    { numRuns: runsOf(400) },
  );
  assert.deepEqual([...codes].sort(), ['decoded', 'ltx-frame', 'lz4-malformed']);
});

test('a frame header with page number 0 or 2^32-1, or with other flags than 1, is illegal', () => {
  const { bytes } = kernel.encodePages(Uint32Array.of(0xffff_fffe), new Uint8Array(512), 512, 0n as Checksum);
  const codeOf = (pgno: number, flags: number): unknown => {
    view(bytes).setUint32(0, pgno);
    view(bytes).setUint16(4, flags);
    const outcome = outcomeOf(() => kernel.decodePages(bytes, 512, 0n as Checksum));
    return typeof outcome === 'string' ? outcome : outcome.pgnos[0];
  };
  assert.equal(codeOf(0xffff_fffe, 1), 0xffff_fffe);
  assert.equal(codeOf(0xffff_ffff, 1), 'ltx-frame');
  assert.equal(codeOf(0, 1), 'ltx-frame');
  assert.equal(codeOf(1, 0), 'ltx-frame');
  assert.equal(codeOf(1, 0x0101), 'ltx-frame');
});

test('many tiny frames that claim to be large pages are malformed, not a large allocation', () => {
  const file = new Uint8Array(11 * 3_000_000);
  file.set([0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0]);
  for (let size = 11; size < file.length; size *= 2) file.copyWithin(size, 0, size);
  assert.equal(
    outcomeOf(() => kernel.decodePages(file, 65_536, 0n as Checksum)),
    'lz4-malformed',
  );
});

test('inputs of many batches give what their parts give', () => {
  const before = 77n as Checksum;
  for (const pageSize of [512, 4096, 65_536]) {
    const count = Math.floor(1_100_000 / pageSize);
    const pgnos = Uint32Array.from({ length: count }, (_, index) => index + 1);
    const pages = concat(
      Array.from({ length: count }, (_, index) =>
        fill(index % 3 === 0 ? 'noise' : 'words', pageSize, index + 1),
      ),
    );
    const whole = kernel.encodePages(pgnos, pages, pageSize, before);
    let crc = before;
    const parts = Array.from(pgnos, (pgno, index) => {
      const page = pages.subarray(index * pageSize, (index + 1) * pageSize);
      const part = kernel.encodePages(Uint32Array.of(pgno), page, pageSize, crc);
      crc = part.crc;
      return part;
    });
    assert.ok(bytesEqual(whole.bytes, concat(parts.map(({ bytes }) => bytes))));
    assert.deepEqual(
      [...whole.sizes],
      parts.map(({ bytes }) => bytes.length),
    );
    assert.deepEqual(
      [...whole.checksums],
      parts.map(({ checksums }) => checksums[0]),
    );
    assert.equal(whole.crc, crc);
    assert.deepEqual(kernel.pageChecksums(pgnos, pages, pageSize), whole.checksums);
    const decoded = kernel.decodePages(whole.bytes, pageSize, before);
    assert.ok(bytesEqual(decoded.pages, pages));
    assert.deepEqual(decoded.pgnos, pgnos);
    assert.deepEqual({ crc: decoded.crc, ended: decoded.ended }, { crc, ended: false });
    assert.equal(decoded.consumed, whole.bytes.length);
  }
  const bytes = fill('words', 1_100_000, 9);
  assert.equal(kernel.crc64(bytes), twin.crc64(bytes));
  assert.deepEqual(
    kernel.walChecksum(bytes, true, { s0: 1, s1: 2 }),
    twin.walChecksum(bytes, true, { s0: 1, s1: 2 }),
  );
  const chain = { pageSize: 4096, bigEndian: false, salt1: 1, salt2: 2, seed: { s0: 3, s1: 4 } };
  const frames = walFrames(chain, 200);
  assert.deepEqual(kernel.walVerify(frames, chain), twin.walVerify(frames, chain));
  frames[150 * 4120 + 3000]! ^= 1;
  assert.equal(kernel.walVerify(frames, chain).frames, 150);
});

test('many zero pages decode from few bytes', () => {
  const pgnos = Uint32Array.from({ length: 3000 }, (_, index) => index + 1);
  const pages = new Uint8Array(3000 * 4096);
  const { bytes, checksums, crc } = kernel.encodePages(pgnos, pages, 4096, 0n as Checksum);
  const decoded = kernel.decodePages(concat([bytes, END, END]), 4096, 0n as Checksum);
  assert.deepEqual(decoded.pgnos, pgnos);
  assert.deepEqual(decoded.checksums, checksums);
  assert.ok(decoded.ended && decoded.crc === crc && decoded.consumed === bytes.length);
  assert.ok(bytesEqual(decoded.pages, pages));
});

test('what is returned are copies: further calls leave it alone', () => {
  const pages = fill('words', 4096, 5);
  const first = kernel.encodePages(Uint32Array.of(1), pages, 4096, 0n as Checksum);
  const kept = structuredClone(first);
  kernel.encodePages(Uint32Array.of(2), fill('noise', 4096, 6), 4096, 0n as Checksum);
  kernel.lz4Compress(fill('noise', 5000, 8));
  assert.deepEqual(first, kept);
});
