/** The judge of check.ts: what must make it fail does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areasChosen, BUILT_AREAS, STATIC_AREAS, TEST_AREAS } from './check/areas.ts';
import { countsParse, type Ended, judge, outcomeLine, total } from './check/outcome.ts';

const well: Ended = {
  name: 'unit',
  isTests: true,
  seconds: 1,
  budgetS: 10,
  output: 'COUNTS {"passed":3,"failed":0,"skipped":1}\n',
  exitCode: 0,
};

test('an area that ended well, in time, with tests, passes', () => {
  const outcome = judge(well);
  assert.deepEqual(outcome.failures, []);
  assert.deepEqual(outcome.counts, { passed: 3, failed: 0, skipped: 1 });
  assert.match(outcomeLine(outcome), /^ok {5}unit .* 3 passed, 1 skipped$/);
});

const BROKEN: Readonly<Record<string, Partial<Ended>>> = {
  'an exit code that is not 0': { exitCode: 1 },
  'being killed': { exitCode: null },
  'exceeding the budget': { seconds: 10.1 },
  'a failed test': { output: 'COUNTS {"passed":3,"failed":1,"skipped":0}' },
  'no test at all': { output: 'COUNTS {"passed":0,"failed":0,"skipped":0}' },
  'no count': { output: 'all is well' },
};

for (const [what, change] of Object.entries(BROKEN)) {
  test(`${what} fails an area`, () => {
    assert.equal(judge({ ...well, ...change }).failures.length, 1);
  });
}

test('tests that were not counted are a failure in the sum', () => {
  const outcomes = [
    judge(well),
    judge({ ...well, output: '', exitCode: 1 }),
    judge({ ...well, isTests: false }),
  ];
  assert.deepEqual(total(outcomes), { passed: 3, failed: 1, skipped: 1 });
});

test('a count is read from its line only', () => {
  assert.equal(countsParse('the word COUNTS {"passed":1,"failed":0,"skipped":0}'), null);
});

test('the budgets together stay below ten minutes', () => {
  const sum = [...STATIC_AREAS, ...BUILT_AREAS, ...TEST_AREAS].reduce((s, { budgetS }) => s + budgetS, 0);
  assert.ok(sum < 900, `${sum} s`);
  // The two lanes run side by side, so the longer one counts.
  const lane = (areas: readonly { budgetS: number }[]): number =>
    areas.reduce((s, { budgetS }) => s + budgetS, 0);
  assert.ok(Math.max(lane(STATIC_AREAS), lane(BUILT_AREAS)) + lane(TEST_AREAS) <= 600 + 30);
});

test('an area is chosen by name, all tests by "test", and an unknown name is refused', () => {
  assert.deepEqual(areasChosen(['test']), TEST_AREAS);
  assert.deepEqual(areasChosen(['lint', 'unit']), [STATIC_AREAS[1], TEST_AREAS[3]]);
  const refusal = areasChosen(['unti']);
  assert.ok(typeof refusal === 'string' && refusal.startsWith('no area is called "unti"'));
});
