import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { Bug } from '../base/assert.ts';
import { TXID_MAX, txid } from '../base/ids.ts';
import { ltxName, ltxNameParse } from './ltx-name.ts';
import { runs } from '../../test/support/runs.ts';

const txids = fc.bigInt({ min: 1n, max: TXID_MAX }).map((value) => txid(value));
const ranges = fc
  .tuple(txids, txids)
  .map(([a, b]) => (a <= b ? { minTxid: a, maxTxid: b } : { minTxid: b, maxTxid: a }));

test('a name gives back the TXIDs that it was made of', () => {
  fc.assert(
    fc.property(ranges, (range) => {
      deepStrictEqual(ltxNameParse(ltxName(range.minTxid, range.maxTxid)), range);
    }),
    { numRuns: runs(300) },
  );
});

test('names sort as their ranges do', () => {
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      const isBefore = a.minTxid < b.minTxid || (a.minTxid === b.minTxid && a.maxTxid < b.maxTxid);
      strictEqual(ltxName(a.minTxid, a.maxTxid) < ltxName(b.minTxid, b.maxTxid), isBefore);
    }),
    { numRuns: runs(300) },
  );
});

test('a name that differs in anything is not that of an LTX file', () => {
  const name = ltxName(txid(1), txid(0xab));
  strictEqual(name, '0000000000000001-00000000000000ab.ltx');
  const others = [
    name.toUpperCase(),
    `${name}.tmp`,
    `a${name}`,
    `${name}\n`,
    name.slice(1),
    'millrace.json',
    '0000000000000000-0000000000000001.ltx',
    '0000000000000002-0000000000000001.ltx',
    '0000000000000001-8000000000000000.ltx',
  ];
  for (const other of others) strictEqual(ltxNameParse(other), null, other);
});

test('TXIDs out of order are a bug, not a name', () => {
  throws(() => ltxName(txid(2), txid(1)), Bug);
  ok(ltxName(txid(2), txid(2)));
});
