import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { concat } from '../base/bytes.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { lz4FrameEncoded } from '../../test/support/lz4-frames.ts';
import type { Lz4FrameOptions } from '../../test/support/lz4-frames.ts';
import { PAGE_KINDS, pageOf } from '../../test/support/ltx-cases.ts';
import { lz4FrameDecode, lz4FrameMeasure } from './lz4-frame.ts';
import { runs } from '../../test/support/runs.ts';

const options: fc.Arbitrary<Lz4FrameOptions> = fc.record(
  { hasContentSize: fc.boolean(), hasBlockChecks: fc.boolean(), isStored: fc.boolean() },
  { noNullPrototype: true },
);
const contents = fc
  .tuple(fc.constantFrom(...PAGE_KINDS), fc.nat(5000), fc.nat())
  .map(([kind, size, seed]) => pageOf(kind, size, seed));

const plain: Lz4FrameOptions = { hasContentSize: false, hasBlockChecks: false, isStored: false };
const example = lz4FrameEncoded(pageOf('mixed', 1000, 1), {
  ...plain,
  hasContentSize: true,
  hasBlockChecks: true,
});

test('a frame gives back what it was made of, and ends where it is said to end', () => {
  fc.assert(
    fc.property(contents, options, fc.nat(20), (content, how, beyond) => {
      const frame = lz4FrameEncoded(content, how);
      deepStrictEqual(lz4FrameDecode(frame, content.length), content);
      strictEqual(lz4FrameMeasure(concat([frame, new Uint8Array(beyond)])), frame.length);
    }),
    { numRuns: runs(300) },
  );
});

test('the start of a frame asks for more, wherever it is cut', () => {
  for (let at = 0; at < example.length; at++) {
    strictEqual(lz4FrameMeasure(example.subarray(0, at)), null, `${at} bytes`);
    throws(() => lz4FrameDecode(example.subarray(0, at), 1000), { kind: 'corrupt', code: 'lz4-frame' });
  }
});

test('content of several blocks is put together', () => {
  const content = pageOf('mixed', 200_000, 3);
  const frame = lz4FrameEncoded(content, plain);
  deepStrictEqual(lz4FrameDecode(frame, content.length), content);
  throws(
    () => lz4FrameDecode(frame, content.length - 1),
    { code: 'lz4-frame' },
    'more than there is room for',
  );
});

test('every bit of a frame is looked at: none can be changed unseen', () => {
  for (let bit = 0; bit < example.length * 8; bit++) {
    const flipped = example.with(bit >> 3, (example[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    ok(!faultsOnly(() => lz4FrameDecode(flipped, 1000)), `bit ${bit}`);
  }
});

test('what the programs in question never write is refused', () => {
  const frame = lz4FrameEncoded(pageOf('text', 600, 1), plain);
  const refuse = (at: number, byte: number): void => {
    throws(() => lz4FrameDecode(frame.with(at, byte), 600), { kind: 'corrupt', code: 'lz4-frame' });
  };
  refuse(4, 0x44); // blocks that depend on each other
  refuse(4, 0x60); // no content checksum
  refuse(4, 0xa4); // another version
  refuse(4, 0x65); // a dictionary
  refuse(5, 0x30); // blocks of a size that does not exist
  throws(() => lz4FrameDecode(concat([frame, frame]), 1200), { code: 'lz4-frame' }, 'two frames');
});

test('damaged frames are Faults, or what they were', () => {
  fc.assert(
    fc.property(contents, options, damages, (content, how, all) => {
      const bytes = damaged(lz4FrameEncoded(content, how), all);
      faultsOnly(() => lz4FrameMeasure(bytes));
      if (faultsOnly(() => lz4FrameDecode(bytes, content.length))) {
        deepStrictEqual(lz4FrameDecode(bytes, content.length), content);
      }
    }),
    { numRuns: runs(500) },
  );
});
