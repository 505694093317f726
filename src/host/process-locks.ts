/**
 * The POSIX locks of this process, as Linux shows them in /proc/locks.
 *
 * A lock is told by its inode alone: the device number there differs from `stat`'s on some file systems.
 */

import { readFileSync } from 'node:fs';

/** Where SQLite locks (https://www.sqlite.org/src/file/src/os.h, os_unix.c). */
const RANGE = { sharedFirst: 0x4000_0002, dms: 128 } as const;

/** `1: POSIX  ADVISORY  READ 6145 fe:00:2162929 128 128` */
const LINE = /^\d+: POSIX +\S+ +(?:READ|WRITE) (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) (\d+) (\d+|EOF)$/;

/**
 * Which of SQLite's lasting locks this process holds on the files with these inodes: "<inode> shared" (a main
 * file in WAL mode), "<inode> dms" (a mapped `-shm`). `null`: this system does not say.
 */
export function locksOf(inodes: readonly bigint[]): ReadonlySet<string> | null {
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'utf8');
  } catch {
    return null;
  }
  return locksParse(text, process.pid, inodes);
}

/** The same, of the text of /proc/locks and the locks of process `pid`. */
export function locksParse(text: string, pid: number, inodes: readonly bigint[]): ReadonlySet<string> {
  const wanted = new Set(inodes.map(String));
  const held = new Set<string>();
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null || Number(match[1]) !== pid || !wanted.has(match[2] ?? '')) continue;
    const [first, last] = [Number(match[3]), match[4] === 'EOF' ? Infinity : Number(match[4])];
    if (first <= RANGE.dms && last >= RANGE.dms) held.add(`${match[2]} dms`);
    if (first <= RANGE.sharedFirst && last >= RANGE.sharedFirst) held.add(`${match[2]} shared`);
  }
  return held;
}
