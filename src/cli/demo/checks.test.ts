import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { temporaryDirectory } from '../../../test/support/temp.ts';
import { acknowledgedBefore } from './acknowledgements.ts';
import type { Acknowledgement } from './acknowledgements.ts';
import { checksOf } from './checks.ts';
import { ledgerCreate, ledgerWriter } from './ledger.ts';

/** A ledger of ten commits, acknowledged at 1, 2, … 10 ms. */
function ledger(t: TestContext): { path: string; acknowledged: Acknowledgement[] } {
  const path = join(temporaryDirectory(t), 'ledger.db');
  const db = new DatabaseSync(path);
  let now = ledgerCreate(db);
  const commit = ledgerWriter(db);
  const acknowledged: Acknowledgement[] = [];
  for (let wallMs = 1; wallMs <= 10; wallMs++) {
    now = commit(now);
    acknowledged.push({ commits: now.commits, wallMs, hash: now.hash });
  }
  db.close();
  return { path, acknowledged };
}

/** The names of the checks that do not hold. */
function broken(path: string, expected: Parameters<typeof checksOf>[1]): string[] {
  return checksOf(path, expected)
    .checks.filter((check) => !check.holds)
    .map((check) => check.name);
}

function alter(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

test('all checks of a ledger that is what was acknowledged hold', (t) => {
  const { path, acknowledged } = ledger(t);
  assert.deepEqual(broken(path, { acknowledged, commitsMin: 10, commitsMax: 11 }), []);
});

test('a commit that was reported durable and is not there is seen', (t) => {
  const { path, acknowledged } = ledger(t);
  const expected = { acknowledged, commitsMin: 11, commitsMax: 12 };
  assert.deepEqual(broken(path, expected), ['every commit that was reported durable is there']);
});

test('a commit from after the moment is seen', (t) => {
  const { path, acknowledged } = ledger(t);
  const expected = { acknowledged, commitsMin: 5, commitsMax: 9 };
  assert.deepEqual(broken(path, expected), ['nothing is there that had not happened yet']);
});

test('anything but the state after one commit is seen', (t) => {
  const expected = (acknowledged: Acknowledgement[]): Parameters<typeof checksOf>[1] => ({
    acknowledged,
    commitsMin: 0,
    commitsMax: 99,
  });
  const wrong = ['it is exactly the state after one commit'];
  for (const sql of [
    'DELETE FROM entry WHERE id = (SELECT max(id) FROM entry)',
    "UPDATE entry SET body = x'00' WHERE id = 3",
    'UPDATE account SET amount = amount + 1 WHERE id = 7',
    'UPDATE head SET commits = 9',
  ]) {
    const { path, acknowledged } = ledger(t);
    alter(path, sql);
    assert.deepEqual(broken(path, expected(acknowledged)), wrong, sql);
  }
  const { path, acknowledged } = ledger(t);
  const other = acknowledged.map((one) => ({ ...one, hash: 'another' }));
  assert.deepEqual(broken(path, expected(other)), wrong, 'another history');
});

test('a commit counts as reported durable if it was acknowledged before, not at, the moment', (t) => {
  const { acknowledged } = ledger(t);
  assert.deepEqual(
    [0, 1, 2, 10, 11].map((wallMs) => acknowledgedBefore(acknowledged, wallMs)),
    [0, 0, 1, 9, 10],
  );
});
