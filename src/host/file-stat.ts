/** What the file system says about a path, as the ports put it. */

import { statSync, type BigIntStats } from 'node:fs';

import type { FileStat } from '../base/ports.ts';
import { isAbsence, systemFault } from './system-fault.ts';

/** The FileStat of a path, links followed. `null`: there is nothing. */
export function fileStat(path: string): FileStat | null {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : fromStats(stat);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw systemFault('look at', path, error);
  }
}

/** The FileStat that Node's stats mean; times to the microsecond. */
export function fromStats(stat: BigIntStats): FileStat {
  return {
    kind: stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other',
    size: Number(stat.size),
    mtimeMs: Number(stat.mtimeNs / 1000n) / 1000,
    dev: stat.dev,
    ino: stat.ino,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
  };
}
