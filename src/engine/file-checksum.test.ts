import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { concat } from '../base/bytes.ts';
import { crc64 } from '../format/kernel.ts';
import { FileChecksum } from './file-checksum.ts';
import { runs as runsOf } from '../../test/support/runs.ts';

test('parts in any order give the checksum of the whole', () => {
  const part = fc.uint8Array({ minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(
      part,
      fc.array(fc.tuple(part, fc.nat()), { maxLength: 12 }),
      fc.array(part, { maxLength: 3 }),
      (header, runs, closing) => {
        let at = header.length;
        // Where a run lies and how many bytes it decodes to are different things.
        const parts = runs.map(([bytes, order]) => {
          const offset = at;
          at += bytes.length * 3;
          return { order, part: { offset, end: at, crc: crc64(bytes), bytes: bytes.length } };
        });
        const checksum = new FileChecksum(header, at);
        closing.forEach((bytes) => checksum.addClosing(bytes));
        parts.sort((a, b) => a.order - b.order).forEach(({ part: run }) => checksum.add(run));
        const whole = concat([header, ...runs.map(([bytes]) => bytes), ...closing]);
        assert.equal(checksum.value(), crc64(whole) | (1n << 63n));
      },
    ),
    { numRuns: runsOf(200) },
  );
});

test('a file of which frames were left out has no checksum', () => {
  const checksum = new FileChecksum(new Uint8Array(100), 300);
  checksum.giveUp();
  checksum.add({ offset: 200, end: 250, crc: crc64(new Uint8Array(1)), bytes: 1 });
  assert.equal(checksum.value(), null);
});
