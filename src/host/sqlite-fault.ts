/** Faults of SQLite's result codes, for connections to databases that other processes use. */

import { Fault, messageOf, type FaultKind } from '../base/fault.ts';

/** Primary result codes (https://www.sqlite.org/rescode.html). */
const RESULT = {
  perm: 3,
  busy: 5,
  nomem: 7,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  auth: 23,
  notadb: 26,
};

/** SQLite's extended result code of an error that node:sqlite threw; `undefined` for any other error. */
export function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined;
  return error.errcode;
}

/** Whether somebody else's lock is in the way, of whatever kind. */
export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === RESULT.busy;
}

/**
 * The Fault that an error of a connection means; any other error as it is. A connection that has read before
 * shares the file: to it, no lock is somebody's exclusive use.
 */
export function connectionFault(path: string, error: unknown, hasRead = false): unknown {
  const extended = resultCode(error);
  if (extended === undefined) return error;
  const fault = (kind: FaultKind, code: string, says: string, hint?: string): Fault =>
    new Fault(kind, code, `cannot read ${path} through SQLite: ${says} (result code ${extended})`, {
      cause: error,
      details: { path, resultCode: extended },
      ...(hint === undefined ? {} : { hint }),
    });
  // Recovery, a snapshot, a checkpoint are moments; a plain BUSY is somebody who holds the whole file.
  if (extended === RESULT.busy && !hasRead) {
    return fault(
      'invalid',
      'database-exclusive',
      'another process holds the whole file (locking_mode=EXCLUSIVE, or it is closing it at the moment)',
      'let the application use `PRAGMA locking_mode=NORMAL`; a database in exclusive use cannot be followed',
    );
  }
  switch (extended & 0xff) {
    case RESULT.busy:
      return fault('unavailable', 'database-busy', 'another process recovers or locks it');
    case RESULT.notadb:
    case RESULT.corrupt:
      return fault(
        'invalid',
        'not-a-database',
        'it is not an SQLite database that this SQLite can read',
        'an encrypted database (SQLCipher) cannot be followed; a damaged one needs `.recover`',
      );
    case RESULT.perm:
    case RESULT.auth:
    case RESULT.readonly:
    case RESULT.cantopen:
      return fault('invalid', 'database-forbidden', messageOf(error), 'run as the owner of the database');
    case RESULT.full:
      return fault('unavailable', 'disk-full', 'no space left');
    case RESULT.ioerr:
      return fault('unavailable', 'disk-error', 'input/output error');
    default:
      return fault('unavailable', 'database-error', messageOf(error));
  }
}
