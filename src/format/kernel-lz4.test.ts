import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyFilled, fill, outcomeOf } from '../../kernel/samples.ts';
import * as twin from '../../kernel/twin.ts';
import { bytesEqual, concat } from '../base/bytes.ts';
import * as kernel from './kernel.ts';
import { runs as runsOf } from '../../test/support/runs.ts';

const runs = { numRuns: runsOf(200) };

/** Walks a block and asserts LZ4's rules for its end. */
function assertBlockEnds(block: Uint8Array, size: number): void {
  const length = (code: number): number => {
    let total = code;
    for (let more = code === 15 ? 255 : 0; more === 255; total += more) more = block[at++]!;
    return total;
  };
  let at = 0;
  let to = 0;
  for (;;) {
    const token = block[at++]!;
    const literals = length(token >> 4);
    at += literals;
    to += literals;
    if (at === block.length) {
      assert.ok(to === literals || literals >= 5, 'the last 5 bytes are literals');
      assert.equal(to, size);
      return;
    }
    assert.ok(to <= size - 12, 'no match starts in the last 12 bytes');
    at += 2;
    to += length(token & 15) + 4;
  }
}

test('an LZ4 block equals its twin, keeps the rules for its end, and decompresses to what it was', () => {
  fc.assert(
    fc.property(anyFilled(6000), (bytes) => {
      const block = kernel.lz4Compress(bytes);
      assert.deepEqual(block, twin.lz4Compress(bytes));
      assert.ok(block.length <= bytes.length + Math.floor(bytes.length / 255) + 16);
      assertBlockEnds(block, bytes.length);
      assert.deepEqual(kernel.lz4Decompress(block, bytes.length), bytes);
      assert.deepEqual(twin.lz4Decompress(block, bytes.length), bytes);
    }),
    runs,
  );
});

test('blocks of up to 4 MiB, with repetitions farther apart than a match can reach, are LZ4 too', () => {
  for (const size of [65_535, 65_536, 65_537, 200_000, kernel.LIMITS.lz4BlockBytesMax]) {
    const half = fill('noise', 65_600, size);
    const bytes = concat(Array.from({ length: Math.ceil(size / half.length) }, () => half)).subarray(0, size);
    const block = kernel.lz4Compress(bytes);
    assertBlockEnds(block, size);
    assert.ok(bytesEqual(kernel.lz4Decompress(block, size), bytes), `size ${size}`);
    if (size < 300_000) assert.ok(bytesEqual(block, twin.lz4Compress(bytes)), `size ${size}`);
  }
});

test('a match at every distance up to 40 and every length up to 80 copies what its twin copies', () => {
  const literals = fill('noise', 40, 3);
  for (let distance = 1; distance <= 40; distance++) {
    for (let length = 4; length <= 80; length++) {
      const extension = length < 19 ? [] : [length - 19];
      const match = [distance, 0, ...extension];
      const token = (15 << 4) | Math.min(15, length - 4);
      const block = Uint8Array.of(token, 25, ...literals, ...match, 5 << 4, 1, 2, 3, 4, 5);
      const size = 40 + length + 5;
      assert.deepEqual(kernel.lz4Decompress(block, size), twin.lz4Decompress(block, size));
    }
  }
});

test('a malformed LZ4 block gives Fault lz4-malformed or what its twin gives, nothing else', () => {
  const seen = { fault: 0, bytes: 0 };
  const check = (block: Uint8Array, size: number): void => {
    const outcome = outcomeOf(() => kernel.lz4Decompress(block, size));
    assert.deepEqual(
      outcome,
      outcomeOf(() => twin.lz4Decompress(block, size)),
    );
    if (typeof outcome === 'string') assert.equal(outcome, 'lz4-malformed');
    seen[typeof outcome === 'string' ? 'fault' : 'bytes']++;
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60, size: 'max' }), fc.nat(300), check), runs);
  const anyHits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
  fc.assert(
    fc.property(
      anyFilled(1500),
      anyHits,
      fc.nat(),
      fc.integer({ min: -2, max: 2 }),
      (bytes, hits, cut, more) => {
        const block = kernel.lz4Compress(bytes);
        for (const [where, value] of hits) block[where % block.length] = value;
        check(block, Math.max(0, bytes.length + more));
        check(block.subarray(0, cut % block.length), bytes.length);
      },
    ),
    { numRuns: runsOf(1000) },
  );
  assert.ok(seen.fault > 100 && seen.bytes > 100, JSON.stringify(seen));
});

test('each bound of a block holds to the byte', () => {
  const five = [5 << 4, 1, 2, 3, 4, 5];
  const cases: readonly (readonly [string, boolean, number, readonly number[]])[] = [
    ['literals only', true, 5, five],
    ['nothing, of nothing', true, 0, [0]],
    ['no token', false, 0, []],
    ['literals past the input', false, 5, five.slice(0, -1)],
    ['literals past the output', false, 4, five],
    ['too few bytes', false, 6, five],
    ['a match as far back as there is output', true, 12, [3 << 4, 7, 8, 9, 3, 0, ...five]],
    ['a match from before the output', false, 12, [3 << 4, 7, 8, 9, 4, 0, ...five]],
    ['a match at no distance', false, 12, [3 << 4, 7, 8, 9, 0, 0, ...five]],
    ['a match past the output', false, 6, [3 << 4, 7, 8, 9, 3, 0, ...five]],
    ['a match without a distance', false, 12, [3 << 4, 7, 8, 9, 3]],
    ['a match without literals after it', false, 7, [3 << 4, 7, 8, 9, 3, 0]],
    ['a literal length without an end', false, 300, [15 << 4, 255]],
    ['a match length without an end', false, 300, [(1 << 4) | 15, 7, 1, 0, 255]],
    [
      '5 MB of one byte',
      false,
      100,
      [(1 << 4) | 15, 7, 1, 0, ...new Uint8Array(20_000).fill(255), 0, ...five],
    ],
  ];
  for (const [name, isWellFormed, size, block] of cases) {
    const outcome = outcomeOf(() => kernel.lz4Decompress(Uint8Array.from(block), size));
    assert.equal(typeof outcome !== 'string', isWellFormed, name);
    assert.deepEqual(
      outcome,
      outcomeOf(() => twin.lz4Decompress(Uint8Array.from(block), size)),
      name,
    );
  }
});

test('a block that promises more than LZ4 allows is malformed, not a large allocation', () => {
  const block = new Uint8Array(100);
  assert.equal(
    outcomeOf(() => kernel.lz4Decompress(block, 2 ** 40)),
    'lz4-malformed',
  );
  assert.equal(
    outcomeOf(() => kernel.lz4Decompress(new Uint8Array(5 << 20), 4096)),
    'lz4-malformed',
  );
});
