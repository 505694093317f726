import assert from 'node:assert/strict';
import { test } from 'node:test';

import { archiveBuild } from '../../test/support/archive-builder.ts';
import { statesOf } from '../../test/support/states.ts';
import type { WallMs } from '../base/ids.ts';
import { Archive } from '../storage/archive.ts';
import { MemoryStore } from '../storage/memory-store.ts';
import { archiveSummary } from './ls.ts';

const clock = { wallMs: () => 0 as WallMs };
const STATES = statesOf(
  Array.from({ length: 6 }, (_, i) => ({ size: 5 + i, changes: [1] })),
  512,
);

test('an empty archive has nothing to restore', async () => {
  const summary = await archiveSummary(new Archive(new MemoryStore(clock)));
  assert.deepEqual([summary.files, summary.levels, summary.txids, summary.gaps], [[], [], [], []]);
  assert.deepEqual([summary.first, summary.last, summary.head, summary.bytes], [null, null, null, 0]);
});

test('a summary tells levels, what can be restored from when to when, and gaps', async () => {
  const files = [
    { level: 9, min: 1, max: 2 },
    { level: 1, min: 1, max: 3 },
  ];
  const archive = await archiveBuild(new MemoryStore(clock), STATES, {
    pageSize: 512,
    files,
    without: [1, 2, 5],
  });
  const summary = await archiveSummary(archive);
  assert.deepEqual(summary.txids, [2n, 3n, 4n]);
  assert.deepEqual(
    [summary.first, summary.last],
    [
      { txid: 2n, timestampMs: 2_000 },
      { txid: 4n, timestampMs: 4_000 },
    ],
  );
  assert.deepEqual(summary.gaps, [{ first: 5n, last: 5n }]);
  assert.equal(summary.head, 6n);
  assert.deepEqual(
    summary.levels.map(({ level, files: count, minTxid, maxTxid }) => [level, count, minTxid, maxTxid]),
    [
      [0, 3, 3n, 6n],
      [1, 1, 1n, 3n],
      [9, 1, 1n, 2n],
    ],
  );
  assert.equal(
    summary.bytes,
    summary.files.reduce((sum, file) => sum + file.size, 0),
  );
});
