/**
 * Databases that other processes have open: by name, by handle, and watched.
 *
 * SQLite follows links before it names `-wal` and `-shm`; so does everything here.
 */

import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';

import { Fault } from '../base/fault.ts';
import type { DatabaseHandle, DatabaseProbe, Databases } from '../base/ports.ts';
import { HostDatabaseHandle } from './database-handle.ts';
import { settleDatabase } from './database-settle.ts';
import { watchDatabase } from './database-watch.ts';
import { fileStat } from './file-stat.ts';
import { isAbsence, systemFault } from './system-fault.ts';

/** The Databases of this machine. */
export const hostDatabases: Databases = {
  probe(path) {
    return databaseProbe(realPath(path));
  },
  open(path): DatabaseHandle {
    const real = realPath(path);
    const main = fileStat(real);
    if (main === null) {
      throw new Fault('invalid', 'database-missing', `there is no database ${real}`, {
        hint: 'give the path of the file that the application opens',
        details: { path: real },
      });
    }
    if (main.kind !== 'file') {
      throw new Fault('invalid', 'not-a-database', `${real} is not a file`, {
        hint: 'give the path of the file that the application opens',
        details: { path: real },
      });
    }
    return new HostDatabaseHandle(real, main);
  },
  settle(path) {
    return settleDatabase(realPath(path));
  },
  watch(path, onChange) {
    return watchDatabase(realPath(path), onChange);
  },
};

/** The files of the database whose main file is `real`. */
export function databaseProbe(real: string): DatabaseProbe {
  return {
    main: fileStat(real),
    wal: fileStat(`${real}-wal`),
    shm: fileStat(`${real}-shm`),
    journal: fileStat(`${real}-journal`),
  };
}

/** The path that SQLite uses: absolute, links followed. Where there is no file, the absolute path. */
function realPath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch (error) {
    if (isAbsence(error)) return absolute;
    throw systemFault('look at', absolute, error);
  }
}
