/**
 * Files on the real machine.
 *
 * Only fsync leaves the thread; everything else is a system call on the page cache, cheaper than a trip to
 * the thread pool. Nothing here opens a database that this process has open: `close` would drop its locks
 * (I12).
 */

import * as fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

import { assert } from '../base/assert.ts';
import type { Fd, Files } from '../base/ports.ts';
import { assertForeign } from './descriptors.ts';
import { fileStat } from './file-stat.ts';
import { lockFile } from './lock.ts';
import { isAbsence, system, systemCode, systemFault } from './system-fault.ts';

const fsyncFile = promisify(fs.fsync);

const FLAGS = { read: 'r', write: 'r+', create: 'wx+' } as const;
const MODE = { file: 0o600, directory: 0o700 } as const;
/** utimes takes seconds and drops what is below a microsecond: half of one keeps the milliseconds whole. */
const HALF_MICROSECOND_MS = 0.0005;

/** The paths of open descriptors, for messages. */
const paths = new Map<number, string>();

/** The Files of this machine. */
export const hostFiles: Files = {
  stat: fileStat,
  list,
  mkdir,
  open,
  size: (fd) => system('look at', pathOf(fd), () => fs.fstatSync(fd).size),
  read,
  write,
  truncate: (fd, size) => system('truncate', pathOf(fd), () => fs.ftruncateSync(fd, size)),
  fsync: (fd) => fsync(fd, pathOf(fd)),
  close,
  link,
  rename: (from, to) => system(`rename ${from} to`, to, () => fs.renameSync(from, to)),
  remove,
  touch: (path, mtimeMs) => {
    const seconds = (mtimeMs + HALF_MICROSECOND_MS) / 1000;
    system('touch', path, () => fs.utimesSync(path, seconds, seconds));
  },
  own,
  fsyncDir,
  freeBytes,
  lock: lockFile,
};

function pathOf(fd: Fd): string {
  const path = paths.get(fd);
  assert(path !== undefined, () => `descriptor ${fd} is not open`);
  return path;
}

function list(dir: string): readonly string[] | null {
  try {
    return fs.readdirSync(dir).toSorted();
  } catch (error) {
    if (isAbsence(error)) return null;
    throw systemFault('list', dir, error);
  }
}

async function mkdir(dir: string): Promise<void> {
  const path = resolve(dir);
  const first = system('make directory', path, () =>
    fs.mkdirSync(path, { recursive: true, mode: MODE.directory }),
  );
  if (first === undefined) return;
  // The name of each directory that was made stands in its parent.
  for (let made = path; ; made = dirname(made)) {
    await fsyncDir(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

function open(path: string, how: 'read' | 'write' | 'create'): Fd {
  assertForeign(path);
  const fd = system(how === 'create' ? 'create' : 'open', path, () =>
    fs.openSync(path, FLAGS[how], MODE.file),
  );
  paths.set(fd, path);
  if (how === 'read' && fs.fstatSync(fd).isDirectory()) {
    close(fd as Fd);
    throw systemFault('open', path, Object.assign(new Error('a directory'), { code: 'EISDIR' }));
  }
  return fd as Fd;
}

function read(fd: Fd, into: Uint8Array, at: number): number {
  return system('read', pathOf(fd), () => readFully(fd, into, at));
}

/** Reads at `at` until `into` is full or the file ends; returns the bytes read. */
export function readFully(fd: number, into: Uint8Array, at: number): number {
  const size = into.length;
  let done = fs.readSync(fd, into, 0, size, at);
  while (done < size) {
    const more = fs.readSync(fd, into, done, size - done, at + done);
    if (more === 0) break;
    done += more;
  }
  return done;
}

function write(fd: Fd, bytes: Uint8Array, at: number): void {
  const path = pathOf(fd);
  for (let done = 0; done < bytes.length;) {
    const from = done;
    done += system('write', path, () => fs.writeSync(fd, bytes, from, bytes.length - from, at + from));
  }
}

async function fsync(fd: number, path: string): Promise<void> {
  try {
    await fsyncFile(fd);
  } catch (error) {
    throw systemFault('fsync', path, error);
  }
}

function close(fd: Fd): void {
  const path = pathOf(fd);
  paths.delete(fd);
  system('close', path, () => fs.closeSync(fd));
}

function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw systemFault(`link ${from} to`, to, error);
  }
}

function remove(path: string): boolean {
  try {
    fs.unlinkSync(path);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw systemFault('remove', path, error);
  }
}

function own(
  path: string,
  owner: { readonly mode: number; readonly uid: number; readonly gid: number },
): void {
  try {
    // Before the mode: a change of owner clears some of its bits.
    fs.chownSync(path, owner.uid, owner.gid);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') throw systemFault('set the owner of', path, error);
  }
  system('set the mode of', path, () => fs.chmodSync(path, owner.mode & 0o7777));
}

async function fsyncDir(dir: string): Promise<void> {
  const fd = system('open', dir, () => fs.openSync(dir, 'r'));
  try {
    await fsync(fd, dir);
  } finally {
    fs.closeSync(fd);
  }
}

function freeBytes(path: string): number {
  for (let at = resolve(path); ; at = dirname(at)) {
    try {
      const stats = fs.statfsSync(at);
      return stats.bavail * stats.bsize;
    } catch (error) {
      if (!isAbsence(error) || at === dirname(at)) throw systemFault('look at', path, error);
    }
  }
}
