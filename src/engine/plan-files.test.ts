import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { LIMITS, planFileOptions } from './plan-files.ts';
import { runs } from '../../test/support/runs.ts';

test('what is held of all files together is bounded, up to the least that each needs', () => {
  const sizes = fc.array(fc.integer({ min: 131, max: 10_000_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 400 }), (some, times) => {
      const files = Array.from({ length: times }, () => some.map((size) => ({ size }))).flat();
      const { tailBytes, chunkBytes } = planFileOptions(files);
      const least = files.length * LIMITS.tailBytesMin;
      const held = files.reduce((sum, { size }) => sum + Math.min(size, tailBytes), 0);
      assert.ok(held <= Math.max(LIMITS.heldBytesMax, least), `${held} bytes of tails`);
      assert.ok(chunkBytes * files.length <= Math.max(LIMITS.heldBytesMax, least), `${chunkBytes} a chunk`);
      assert.ok(tailBytes <= LIMITS.tailBytesMax && chunkBytes <= LIMITS.chunkBytesMax);
    }),
    { numRuns: runs(200) },
  );
});
