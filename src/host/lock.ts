/**
 * A lock between processes that dies with its holder (docs/decisions/0006-keeper-lock.md).
 *
 * It is SQLite's own EXCLUSIVE lock on an empty database: the system drops it with the process, whatever
 * killed it, and no stale file is ever in the way. The file stays when the lock is given up: removing it
 * would let two processes lock two files of one name. POSIX locks belong to the process, so a second lock in
 * this process is refused by a table here, before the file is touched.
 */

import { closeSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { must } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import type { Closer } from '../base/ports.ts';
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
import { system, systemCode } from './system-fault.ts';

/**
 * Takes the lock at `path`, whose directory must exist. `null`: somebody holds it, here or in another
 * process.
 */
export function lockFile(path: string): Closer | null {
  const file = resolve(path);
  create(file);
  const identity = identityOf(must(fileStat(file), `lock file ${file} was just there`));
  if (isRegistered(identity)) return null;
  register(identity, file);
  let connection: DatabaseSync | null = null;
  try {
    connection = new DatabaseSync(file, { timeout: 0 });
    holdConnection(connection);
    connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return closer(connection, identity);
  } catch (error) {
    if (connection !== null) closeConnection(connection);
    unregister(identity);
    if (isBusy(error)) return null;
    throw connectionFault(file, error);
  }
}

function closer(connection: DatabaseSync, identity: string): Closer {
  let held = true;
  return {
    close() {
      if (!held) return;
      held = false;
      closeConnection(connection);
      unregister(identity);
    },
  };
}

/**
 * Makes the file where there is none. An existing one is not opened: closing it would drop this process's
 * locks.
 */
function create(file: string): void {
  const stat = fileStat(file);
  if (stat !== null) {
    if (stat.kind === 'file') return;
    throw new Fault('invalid', 'file-kind', `cannot lock ${file}: it is not a file`);
  }
  system('create', file, () => {
    try {
      closeSync(openSync(file, 'wx', 0o600));
    } catch (error) {
      // Another process was first; its lock decides.
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  });
  if (fileStat(file) === null) {
    throw new Fault('unavailable', 'file-missing', `${file} vanished while it was made in ${dirname(file)}`);
  }
}
