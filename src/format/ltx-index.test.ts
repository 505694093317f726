import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { concat, view } from '../base/bytes.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { LTX_FRAME_BYTES_MAX, LTX_FRAME_BYTES_MIN } from './ltx-frame.ts';
import { LtxIndexWriter, ltxIndexDecode } from './ltx-index.ts';
import { runs } from '../../test/support/runs.ts';

interface Entries {
  readonly pgnos: readonly number[];
  readonly sizes: readonly number[];
}

const entries: fc.Arbitrary<Entries> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2_000_000 })),
      fc.integer({ min: LTX_FRAME_BYTES_MIN, max: LTX_FRAME_BYTES_MAX }),
    ),
    { maxLength: 200 },
  )
  .map((all) => {
    let last = 0;
    return { pgnos: all.map(([step]) => (last += step)), sizes: all.map(([, size]) => size) };
  });

interface Written {
  readonly bytes: Uint8Array;
  /** Where the frames end: behind the header and all of them. */
  readonly end: number;
}

function written({ pgnos, sizes }: Entries): Written {
  const writer = new LtxIndexWriter();
  let end = 100;
  for (const [i, size] of sizes.entries()) {
    writer.add(pgnos[i] ?? 0, end, size);
    end += size;
  }
  writer.end();
  const { size } = writer;
  const bytes = writer.take();
  strictEqual(bytes.length, size);
  strictEqual(writer.pending, 0);
  return { bytes, end };
}

/** The bytes of a table of numbers below 128 and a final 0: an index by hand. */
const byHand = (...numbers: readonly number[]): Uint8Array => Uint8Array.of(...numbers, 0);

test('an index gives back what it was made of, and its size', () => {
  fc.assert(
    fc.property(entries, (of) => {
      const { bytes, end } = written(of);
      const size = Number(view(bytes).getBigUint64(bytes.length - 8));
      strictEqual(size, bytes.length - 8);
      const index = ltxIndexDecode(bytes.subarray(0, size), end + 6);
      deepStrictEqual([...index.pgnos], of.pgnos);
      deepStrictEqual([...index.sizes], of.sizes);
    }),
    { numRuns: runs(300) },
  );
});

test('offsets beyond 4 GiB and pieces that are taken early make the same bytes', () => {
  const count = 90_000;
  const whole = new LtxIndexWriter();
  const early = new LtxIndexWriter();
  const parts: Uint8Array[] = [];
  let end = 100;
  for (let pgno = 1; pgno <= count; pgno++, end += 65_000) {
    whole.add(pgno, end, 65_000);
    early.add(pgno, end, 65_000);
    if (early.pending > 10_000) parts.push(early.take());
  }
  whole.end();
  early.end();
  const bytes = whole.take();
  ok(parts.length > 50);
  deepStrictEqual(concat([...parts, early.take()]), bytes);
  ok(end > 2 ** 32);
  const index = ltxIndexDecode(bytes.subarray(0, -8), end + 6);
  strictEqual(index.pgnos.length, count);
  strictEqual(index.offsets[count - 1], end - 65_000);
});

test('an index that leaves a hole, goes back or ends elsewhere is refused', () => {
  ok(ltxIndexDecode(byHand(1, 100, 20, 2, 120, 20), 146));
  const cases: readonly (readonly [Uint8Array, number])[] = [
    [byHand(1, 101, 20), 127],
    [byHand(1, 101, 20), 126],
    [byHand(1, 100, 20, 2, 121, 20), 147],
    [byHand(1, 100, 20, 1, 120, 20), 146],
    [byHand(2, 100, 20, 1, 120, 20), 146],
    [byHand(1, 100, LTX_FRAME_BYTES_MIN - 1), 100 + LTX_FRAME_BYTES_MIN + 5],
    [byHand(1, 100, 20), 125],
    [byHand(1, 100, 20, 0), 126],
    [Uint8Array.of(1, 100, 20), 126],
    [Uint8Array.of(1, 100), 126],
    [new Uint8Array(0), 106],
    [Uint8Array.of(0x81, 0x00, 100, 20, 0), 126],
    [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 100, 20, 0), 126],
    [Uint8Array.of(...Array.from({ length: 12 }, () => 0xff), 1, 100, 20, 0), 126],
  ];
  for (const [i, [bytes, at]] of cases.entries()) {
    throws(() => ltxIndexDecode(bytes, at), { kind: 'corrupt', code: 'ltx-index' }, `case ${i}`);
  }
});

test('a damaged index is refused, or it is the same table', () => {
  let refused = 0;
  fc.assert(
    fc.property(entries, damages, (of, all) => {
      const { bytes, end } = written(of);
      const index = bytes.subarray(0, -8);
      if (!faultsOnly(() => ltxIndexDecode(damaged(index, all), end + 6))) refused++;
    }),
    { numRuns: runs(500) },
  );
  ok(refused > 200, `only ${refused} of 500 were refused`);
});
