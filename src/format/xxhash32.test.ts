import { strictEqual } from 'node:assert/strict';
import { before, test } from 'node:test';

import fc from 'fast-check';
import xxhash from 'xxhash-wasm';

import { utf8 } from '../base/bytes.ts';
import { xxhash32 } from './xxhash32.ts';
import { runs } from '../../test/support/runs.ts';

let twin: (bytes: Uint8Array, seed: number) => number;

before(async () => {
  const api = await xxhash();
  twin = (bytes, seed) => api.h32Raw(bytes, seed);
});

test('the known figures come out', () => {
  strictEqual(xxhash32(utf8('')), 0x02cc5d05);
  strictEqual(xxhash32(utf8('a')), 0x550d7456);
  strictEqual(xxhash32(utf8('abc')), 0x32d153ff);
  strictEqual(xxhash32(utf8('Nobody inspects the spammish repetition')), 0xe2293b2f);
});

test('the hash of any bytes with any seed is that of xxhash-wasm', () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  const seeds = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff_ffff }));
  fc.assert(
    fc.property(bytes, seeds, (of, seed) => strictEqual(xxhash32(of, seed), twin(of, seed))),
    { numRuns: runs(1000) },
  );
});

test('a view into a larger buffer is hashed alone', () => {
  const whole = Uint8Array.from({ length: 100 }, (_, i) => i);
  strictEqual(xxhash32(whole.subarray(3, 50)), xxhash32(whole.slice(3, 50)));
});
