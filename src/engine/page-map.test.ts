import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { PageMap } from './page-map.ts';
import { runs } from '../../test/support/runs.ts';

const FLAG = 1n << 63n;
const sum = fc.bigInt({ min: 1n, max: FLAG - 1n }).map((value) => value | FLAG);

type Step = { readonly set: readonly [number, bigint] } | { readonly resize: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ set: fc.tuple(fc.integer({ min: 1, max: 200 }), sum) }),
  fc.record({ resize: fc.integer({ min: 0, max: 200 }) }),
);

test('the rolling checksum is the XOR of the checksums of the pages that there are', () => {
  const property = fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const map = new PageMap();
    const model = new Map<number, bigint>();
    for (const what of steps) {
      if ('set' in what) {
        map.set(...what.set);
        model.set(...what.set);
      } else {
        map.resize(what.resize);
        for (const pgno of model.keys()) if (pgno > what.resize) model.delete(pgno);
      }
    }
    const expected = [...model.values()].reduce((acc, value) => acc ^ value, 0n) | FLAG;
    assert.equal(map.rolling, expected);
    for (let pgno = 1; pgno <= 220; pgno++) assert.equal(map.get(pgno), model.get(pgno) ?? 0n);
    assert.equal(PageMap.of(map.sums().slice()).rolling, expected);
  });
  fc.assert(property, { numRuns: runs(300) });
});

test('pages that fell off and came back are not known', () => {
  const map = new PageMap();
  map.set(5, FLAG | 7n);
  map.resize(3);
  map.resize(8);
  assert.equal(map.get(5), 0n);
  assert.equal(map.size, 8);
});
