import { test } from 'node:test';
import assert from 'node:assert/strict';
import { bytesFigure, countFigure, durationFigure, plural, table } from './figures.ts';

test('sizes are in the unit that leaves one to three digits before the point', () => {
  assert.deepEqual([0, 1023, 1024, 1536, 104_857_600, 5 * 1024 ** 4].map(bytesFigure), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '100 MiB',
    '5.0 TiB',
  ]);
});

test('durations name their two largest units', () => {
  assert.deepEqual([0, 999, 1_500, 60_000, 90_000, 3_600_000, 3_661_000, 90_061_000].map(durationFigure), [
    '0 ms',
    '999 ms',
    '1.5 s',
    '1 min',
    '1 min 30 s',
    '1 h',
    '1 h 1 min',
    '1 d 1 h',
  ]);
});

test('counts have separators, and one is singular', () => {
  assert.equal(countFigure(1_234_567), '1,234,567');
  assert.deepEqual([plural(1, 'commit'), plural(0, 'commit')], ['1 commit', '0 commits']);
});

test('the columns of a table line up', () => {
  assert.deepEqual(
    table(
      [
        ['a', '1', 'x'],
        ['long', '22', ''],
      ],
      [1],
    ),
    ['a      1  x', 'long  22'],
  );
});
