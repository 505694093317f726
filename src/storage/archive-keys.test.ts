/** Unit tests of the keys of an archive. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';

import { TXID_MAX, txid } from '../base/ids.ts';
import { keyBefore, levelPrefix, ltxFileOf, ltxKey } from './archive-keys.ts';
import { keyCheck } from './object-store.ts';
import { runs } from '../../test/support/runs.ts';

const layouts = fc.constantFrom('levels-decimal' as const, 'levels-hex4' as const);
const levels = fc.integer({ min: 0, max: 9 });
const txids = fc.bigInt({ min: 1n, max: TXID_MAX }).map(txid);

test('keys are those of Litestream', () => {
  const name = '0000000000000001-00000000000000ff.ltx';
  assert.equal(ltxKey('levels-decimal', 9, txid(1), txid(255)), `ltx/9/${name}`);
  assert.equal(ltxKey('levels-hex4', 9, txid(1), txid(255)), `0009/${name}`);
  assert.equal(levelPrefix('levels-decimal', 0), 'ltx/0/');
  assert.equal(levelPrefix('levels-hex4', 0), '0000/');
});

test('a key is read back as the file that it names, at no other level, and every store takes it', () => {
  const holds = (layout: 'levels-decimal' | 'levels-hex4', level: number, a: bigint, b: bigint): void => {
    const [minTxid, maxTxid] = [txid(a < b ? a : b), txid(a < b ? b : a)];
    const info = { key: ltxKey(layout, level, minTxid, maxTxid), size: 1, modifiedMs: 2 };
    keyCheck(info.key);
    assert.deepEqual(ltxFileOf(layout, level, info), { ...info, level, minTxid, maxTxid });
    assert.equal(ltxFileOf(layout, (level + 1) % 10, info), null);
  };
  fc.assert(fc.property(layouts, levels, txids, txids, holds), { numRuns: runs(300) });
});

test('what sorts before a TXID sorts after all smaller ones', () => {
  const holds = (
    layout: 'levels-decimal' | 'levels-hex4',
    level: number,
    from: bigint,
    min: bigint,
  ): void => {
    const key = ltxKey(layout, level, txid(min), TXID_MAX);
    assert.equal(key > keyBefore(layout, level, txid(from)), min >= from);
  };
  fc.assert(fc.property(layouts, levels, txids, txids, holds), { numRuns: runs(300) });
  fc.assert(fc.property(layouts, levels, txids, (layout, level, same) => holds(layout, level, same, same)));
});

test('whatever else lies beside the files is passed over', () => {
  for (const name of ['x.ltx', `${'0'.repeat(16)}-${'0'.repeat(16)}.ltx`, '0-1.ltx', 'note.txt', 'tmp/x']) {
    assert.equal(
      ltxFileOf('levels-decimal', 0, { key: `ltx/0/${name}`, size: 1, modifiedMs: 0 }),
      null,
      name,
    );
  }
});
