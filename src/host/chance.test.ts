import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Bug } from '../base/assert.ts';
import { LIMITS, hostChance } from './chance.ts';

test('numbers are whole and cover 32 bits', () => {
  let [all, any] = [0xffff_ffff, 0];
  for (let i = 0; i < 200; i++) {
    const value = hostChance.u32();
    assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32);
    [all, any] = [(all & value) >>> 0, (any | value) >>> 0];
  }
  // Each bit was 0 once and 1 once; by chance this fails once in 2¹⁹⁴ runs.
  assert.deepEqual([all, any], [0, 0xffff_ffff]);
});

test('bytes are as many as asked for, and not the same twice', () => {
  for (const count of [0, 1, 16, LIMITS.bytesMax]) assert.equal(hostChance.bytes(count).length, count);
  assert.notDeepEqual(hostChance.bytes(16), hostChance.bytes(16));
  assert.throws(() => hostChance.bytes(LIMITS.bytesMax + 1), Bug);
});
