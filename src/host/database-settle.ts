/**
 * Makes a database that nobody has open one file, through SQLite: the `-wal` is folded in, a hot journal
 * rolled back.
 *
 * Exclusive locking is asked for after the first read, so that the connection has the `-shm` too, and its
 * close removes both. Who has a rollback-journal database open but reads nothing holds no lock, and is not
 * seen.
 */

import { DatabaseSync } from 'node:sqlite';

import { isFault } from '../base/fault.ts';
import {
  closeConnection,
  holdConnection,
  identityOf,
  isRegistered,
  register,
  unregister,
} from './descriptors.ts';
import { fileStat } from './file-stat.ts';
import { connectionFault, isBusy } from './sqlite-fault.ts';

/** How long to wait for another process's lock: it blocks the thread. */
export const LIMITS = { busyMs: 50 } as const;

/**
 * Settles the database whose main file is `real`. `false`: it is open somewhere, in this process or another.
 */
export function settleDatabase(real: string): boolean {
  const main = fileStat(real);
  if (main === null || main.kind !== 'file') return true;
  const identity = identityOf(main);
  if (isRegistered(identity)) return false;
  register(identity, real);
  try {
    return settle(real);
  } finally {
    unregister(identity);
  }
}

function settle(real: string): boolean {
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(real, { timeout: LIMITS.busyMs });
    holdConnection(connection);
    connection.prepare('PRAGMA schema_version').get();
    connection.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK');
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    const fault = connectionFault(real, error);
    if (isFault(fault) && fault.code === 'not-a-database') return true;
    throw fault;
  } finally {
    if (connection !== null) closeConnection(connection);
  }
}
