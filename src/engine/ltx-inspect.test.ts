import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ltxOf } from '../../test/support/archive-builder.ts';
import { statesOf } from '../../test/support/states.ts';
import { concat } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { ltxInspect } from './ltx-inspect.ts';

const STATES = statesOf(
  [
    { size: 9, changes: [] },
    { size: 9, changes: [2, 5] },
  ],
  512,
);

test('an inspection tells what a file holds', async () => {
  const image = ltxOf(STATES, { level: 0, min: 2, max: 2 }, { pageSize: 512 });
  const pages: number[] = [];
  const found = await ltxInspect(image.chunks, (batch) => pages.push(...batch.map(({ pgno }) => pgno)));
  assert.deepEqual(pages, [2, 5]);
  assert.deepEqual([found.pages, found.size, found.isSnapshot], [2, image.size, false]);
  assert.equal(found.fileChecksum, image.fileChecksum);
  assert.equal(found.header.maxTxid, 2n);
});

test('an inspection refuses a file that is cut off or damaged', async () => {
  const bytes = concat(ltxOf(STATES, { level: 9, min: 1, max: 2 }, { pageSize: 512 }).chunks);
  await assert.rejects(ltxInspect([bytes.subarray(0, -1)]), (error) => isFault(error, 'corrupt'));
  const flipped = bytes.slice();
  flipped[35]! ^= 1;
  await assert.rejects(
    ltxInspect([flipped]),
    (error) => isFault(error, 'corrupt') && error.code === 'ltx-checksum',
  );
});
