import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Fault } from '../base/fault.ts';
import { connectionFault, isBusy, resultCode } from './sqlite-fault.ts';

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('SQLite says no'), { code: 'ERR_SQLITE_ERROR', errcode, errstr: 'no' });
}

test('each result code is a Fault that says what to do', () => {
  const expected = new Map([
    [5, ['invalid', 'database-exclusive']],
    [5 | (1 << 8), ['unavailable', 'database-busy']], // BUSY_RECOVERY
    [5 | (2 << 8), ['unavailable', 'database-busy']], // BUSY_SNAPSHOT
    [26, ['invalid', 'not-a-database']],
    [11, ['invalid', 'not-a-database']],
    [14, ['invalid', 'database-forbidden']],
    [8 | (6 << 8), ['invalid', 'database-forbidden']], // READONLY_DIRECTORY
    [13, ['unavailable', 'disk-full']],
    [10 | (1 << 8), ['unavailable', 'disk-error']], // IOERR_READ
    [15, ['unavailable', 'database-error']], // PROTOCOL
  ]);
  for (const [code, [kind, name]] of expected) {
    const fault = connectionFault('/app.db', sqliteError(code));
    assert.ok(fault instanceof Fault);
    assert.deepEqual([fault.kind, fault.code, fault.details['resultCode']], [kind, name, code]);
    assert.ok(fault.cause instanceof Error);
  }
});

test('an error that is not SQLite’s stays what it is', () => {
  const error = new TypeError('a mistake');
  assert.equal(connectionFault('/app.db', error), error);
  assert.equal(resultCode(error), undefined);
  assert.equal(isBusy(error), false);
});

test('a lock that a connection meets after its first read is a moment', () => {
  const fault = connectionFault('/app.db', sqliteError(5), true);
  assert.ok(fault instanceof Fault);
  assert.deepEqual([fault.kind, fault.code], ['unavailable', 'database-busy']);
});

test('busy is busy, whatever the extended code', () => {
  assert.deepEqual(
    [5, 261, 517, 6].map((code) => isBusy(sqliteError(code))),
    [true, true, true, false],
  );
});
