import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isFault } from '../base/fault.ts';
import { checksum, epoch, txid } from '../base/ids.ts';
import { continuity } from './continuity.ts';
import type { Decision, Found } from './continuity.ts';

const post = (n: number) => checksum((1n << 63n) | BigInt(n));
const seal = (n: number) => ({ txid: txid(n), post: post(n) });
const url = 'file:///archive';
const empty = { url, lineage: null, head: null };

function headAt(n: number, of = 3): Found['archive'] {
  return { url, lineage: 'a', head: { ...seal(n), epoch: epoch(of) } };
}

const state: NonNullable<Found['state']> = {
  lineage: 'a',
  epochs: [epoch(3), epoch(2)],
  isSameFile: true,
  isSameArchive: true,
  last: seal(7),
  before: seal(6),
};

/** The table of the module's header: what is found, and what follows with and without `--continue`. */
const table: readonly (readonly [string, Omit<Found, 'isContinue'>, Decision | string, Decision])[] = [
  ['nothing at all', { state: null, archive: empty }, { do: 'begin' }, { do: 'begin' }],
  ['an archive and no state', { state: null, archive: headAt(7) }, { do: 'compare' }, { do: 'overwrite' }],
  [
    'a state of another file',
    { state: { ...state, isSameFile: false }, archive: headAt(7) },
    { do: 'compare' },
    { do: 'overwrite' },
  ],
  [
    'a state for another archive',
    { state: { ...state, isSameArchive: false }, archive: empty },
    { do: 'begin' },
    { do: 'begin' },
  ],
  [
    'the newest seal is the head',
    { state, archive: headAt(7) },
    { do: 'resume', keep: 'all' },
    { do: 'resume', keep: 'all' },
  ],
  [
    'the newest seal never arrived',
    { state, archive: headAt(6) },
    { do: 'resume', keep: 'but-last' },
    { do: 'resume', keep: 'but-last' },
  ],
  [
    'the first seal never arrived',
    { state: { ...state, last: seal(1), before: null }, archive: { ...empty, lineage: 'a' } },
    { do: 'begin' },
    { do: 'begin' },
  ],
  [
    'our own objects lie beyond the state',
    { state, archive: headAt(9) },
    { do: 'replay', keep: 'all' },
    { do: 'replay', keep: 'all' },
  ],
  ['another epoch went on', { state, archive: headAt(9, 4) }, 'other-writer', { do: 'overwrite' }],
  ['an older epoch went on', { state, archive: headAt(9, 0) }, 'other-writer', { do: 'overwrite' }],
  [
    'a PUT of ours arrived late, where the newest seal should be',
    { state, archive: { url, lineage: 'a', head: { txid: txid(7), post: post(99), epoch: epoch(2) } } },
    { do: 'replay', keep: 'but-last' },
    { do: 'replay', keep: 'but-last' },
  ],
  [
    'the head has our TXID and the content of another',
    { state, archive: { url, lineage: 'a', head: { txid: txid(7), post: post(99), epoch: epoch(5) } } },
    'other-writer',
    { do: 'overwrite' },
  ],
  ['objects are gone', { state, archive: headAt(4) }, 'archive-behind', { do: 'overwrite' }],
  ['all objects are gone', { state, archive: empty }, 'archive-vanished', { do: 'begin' }],
  [
    'another lineage',
    { state, archive: { ...headAt(7), lineage: 'b' } },
    'lineage-mismatch',
    { do: 'overwrite' },
  ],
];

for (const [name, found, plain, overruled] of table) {
  test(`continuity: ${name}`, () => {
    if (typeof plain === 'string') {
      assert.throws(
        () => continuity({ ...found, isContinue: false }),
        (error) => isFault(error, 'conflict') && error.code === plain && error.hint !== undefined,
      );
    } else {
      assert.deepEqual(continuity({ ...found, isContinue: false }), plain);
    }
    assert.deepEqual(continuity({ ...found, isContinue: true }), overruled);
  });
}
