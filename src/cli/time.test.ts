import { test } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Fault } from '../base/fault.ts';
import { wallMsParse } from './time.ts';
import { runs } from '../../test/support/runs.ts';

const NOW = Date.UTC(2026, 0, 31, 14, 5, 0);

test('an RFC 3339 time is the moment it names, whatever its zone', () => {
  for (const text of [
    '2026-01-31T14:00:00Z',
    '2026-01-31t14:00:00z',
    '2026-01-31 14:00:00Z',
    '2026-01-31T15:30:00+01:30',
    '2026-01-31T14:00Z',
    '2026-01-31T14:00:00.000999Z',
  ]) {
    assert.equal(wallMsParse(text, NOW), NOW - 300_000, text);
  }
});

test('a relative time counts back from the present', () => {
  assert.equal(wallMsParse('5m ago', NOW), NOW - 300_000);
  assert.equal(wallMsParse('-5m', NOW), NOW - 300_000);
  assert.equal(wallMsParse('1h30m ago', NOW), NOW - 5_400_000);
  assert.equal(wallMsParse('1d 2h ago', NOW), NOW - 93_600_000);
  assert.equal(wallMsParse('-1.5s', NOW), NOW - 1_500);
});

test('what is not a time, has no zone, or is no day of the calendar is refused with a hint', () => {
  for (const text of [
    '',
    'yesterday',
    '5m',
    '-',
    '5 ago',
    '2026-01-31',
    '2026-01-31T14:00:00',
    '2026-02-30T00:00:00Z',
  ]) {
    assert.throws(
      () => wallMsParse(text, NOW),
      (error: unknown) =>
        error instanceof Fault && error.code === 'time-malformed' && error.hint !== undefined,
      text,
    );
  }
});

test('every moment that can be printed can be read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      assert.equal(wallMsParse(new Date(ms).toISOString(), NOW), ms);
    }),
    { numRuns: runs(500) },
  );
});
