import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { isFault } from '../base/fault.ts';
import { LtxIndexWriter } from '../format/ltx-index.ts';
import { IndexReader } from './index-reader.ts';
import { runs } from '../../test/support/runs.ts';

interface Entry {
  readonly pgno: number;
  readonly size: number;
}

const anyEntries = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 100_000 })),
      size: fc.integer({ min: 12, max: 570 }),
    }),
    {
      maxLength: 60,
    },
  )
  .map((list) => {
    let pgno = 0;
    return list.map(({ step, size }) => ({ pgno: (pgno += step), size }));
  });

function indexOf(entries: readonly Entry[]): { bytes: Uint8Array; framesEnd: number } {
  const writer = new LtxIndexWriter();
  let framesEnd = 100;
  for (const { pgno, size } of entries) {
    writer.add(pgno, framesEnd, size);
    framesEnd += size;
  }
  writer.end();
  const bytes = writer.take();
  return { bytes: bytes.subarray(0, bytes.length - 8), framesEnd };
}

function readAll(bytes: Uint8Array, framesEnd: number, chunk: number, window: number): Entry[] {
  const reader = new IndexReader({ framesEnd, bytes: bytes.length, pageSize: 512 });
  const entries: Entry[] = [];
  const take = (before: number): void => {
    for (;;) {
      const frames = reader.take(before);
      for (let i = 0; i < frames.count; i++) {
        assert.ok(frames.pgnos[i]! < before);
        entries.push({ pgno: frames.pgnos[i]!, size: frames.sizes[i]! });
      }
      if (!reader.isHungry) return;
      const at = bytes.length - reader.remaining;
      reader.push(bytes.subarray(at, at + chunk));
    }
  };
  for (let before = window; before < 20 * window; before += window) take(before);
  take(Infinity);
  assert.ok(reader.isDone);
  return entries;
}

test('an index reads the same in chunks and windows of any size', () => {
  fc.assert(
    fc.property(
      anyEntries,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 200_000 }),
      (entries, chunk, window) => {
        const { bytes, framesEnd } = indexOf(entries);
        assert.deepEqual(readAll(bytes, framesEnd, chunk, window), entries);
      },
    ),
    { numRuns: runs(300) },
  );
});

test('bytes that are no index are a Fault, whatever they are', () => {
  let faults = 0;
  fc.assert(
    fc.property(
      anyEntries,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.integer({ min: 1, max: 40 }),
      (entries, at, flip, chunk) => {
        const { bytes, framesEnd } = indexOf(entries);
        bytes[at % bytes.length]! ^= flip;
        try {
          readAll(bytes, framesEnd, chunk, 1_000);
        } catch (error) {
          assert.ok(isFault(error, 'corrupt'), String(error));
          assert.equal(error.code, 'ltx-index');
          faults++;
        }
      },
    ),
    { numRuns: runs(500) },
  );
  assert.ok(faults > 200, `${faults} Faults`);
});

test('an index that is cut off is a Fault', () => {
  const { bytes, framesEnd } = indexOf([
    { pgno: 1, size: 100 },
    { pgno: 300, size: 50 },
  ]);
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(
      () => readAll(bytes.subarray(0, length), framesEnd, 8, 1_000),
      (error) => isFault(error, 'corrupt'),
    );
  }
});
