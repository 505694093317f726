/** The Files port of a simulated process. */

import { must } from '../../src/base/assert.ts';
import { Fault } from '../../src/base/fault.ts';
import type { Closer, Fd, FileStat, Files } from '../../src/base/ports.ts';
import type { SimClock } from './clock.ts';
import { parentOf } from './disk.ts';
import type { SimDisk } from './disk.ts';
import type { Inode } from './inode.ts';
import type { SimProcess } from './process.ts';

/** Each is a probability for one call. */
export interface FilesFaults {
  readonly fsyncFails: number;
  readonly writeFails: number;
}

interface OpenFile {
  readonly path: string;
  readonly inode: Inode;
  readonly canWrite: boolean;
}

const LIMITS = { fsyncMs: 3 } as const;

/** Files on a simulated disk, as one process sees them. */
export class SimFiles implements Files {
  faults: FilesFaults = { fsyncFails: 0, writeFails: 0 };
  readonly #process: SimProcess;
  readonly #disk: SimDisk;
  readonly #clock: SimClock;
  readonly #open = new Map<number, OpenFile>();
  #lastFd = 2;

  constructor(process: SimProcess, disk: SimDisk, clock: SimClock) {
    this.#process = process;
    this.#disk = disk;
    this.#clock = clock;
    process.whenDead(() => disk.releaseLocks(process));
  }

  stat(path: string): FileStat | null {
    this.#process.enter('files.stat', path);
    return this.#disk.stat(normal(path));
  }

  list(dir: string): readonly string[] | null {
    this.#process.enter('files.list', dir);
    return this.#disk.names(normal(dir)) ?? null;
  }

  async mkdir(dir: string): Promise<void> {
    this.#change('mkdir', dir);
    const path = normal(dir);
    for (let at = path; at !== '/'; at = parentOf(at)) if (this.#disk.lookup(at)) throw wrongKind(at);
    this.#disk.mkdir(path);
    await this.#latency();
  }

  open(name: string, how: 'read' | 'write' | 'create'): Fd {
    const path = normal(name);
    if (how === 'create') this.#change('create', path);
    else this.#process.enter('files.open', path);
    if (this.#disk.isDirectory(path)) throw wrongKind(path);
    const found = this.#disk.lookup(path);
    if (how === 'create' && found !== undefined) {
      throw new Fault('invalid', 'file-exists', `cannot create ${path}: the file exists`);
    }
    if (how !== 'create' && found === undefined) throw missing(path);
    if (!this.#disk.isDirectory(parentOf(path))) throw missing(path);
    const { uid, gid } = this.#process;
    const inode = found ?? this.#disk.create(path, { mode: 0o600, uid, gid });
    const fd = ++this.#lastFd;
    this.#open.set(fd, { path, inode, canWrite: how !== 'read' });
    return fd as Fd;
  }

  size(fd: Fd): number {
    this.#process.enter('files.size', this.#file(fd).path);
    return this.#file(fd).inode.size;
  }

  read(fd: Fd, into: Uint8Array, at: number): number {
    const { path, inode } = this.#file(fd);
    this.#process.enter('files.read', path);
    return inode.read(into, at);
  }

  write(fd: Fd, bytes: Uint8Array, at: number): void {
    const { path, inode } = this.#writable(fd);
    this.#change('write', path, bytes);
    if (this.#process.chance.flip(this.faults.writeFails)) throw diskError(path);
    const growth = Math.max(0, at + bytes.length - inode.size);
    if (growth > 0 && growth > this.#disk.freeBytes) throw diskFull(path);
    if (bytes.length > 0) this.#disk.write(path, inode, bytes, at);
  }

  truncate(fd: Fd, size: number): void {
    const { path, inode } = this.#writable(fd);
    this.#change('truncate', path);
    this.#disk.resize(path, inode, size);
  }

  async fsync(fd: Fd): Promise<void> {
    const { path, inode } = this.#file(fd);
    this.#change('fsync', path);
    const { order } = inode;
    const fails = this.#process.chance.flip(this.faults.fsyncFails);
    await this.#latency();
    if (fails) throw diskError(path);
    inode.settle(order);
    this.#process.enter('files.fsynced', path);
  }

  close(fd: Fd): void {
    this.#process.enter('files.close', this.#file(fd).path);
    this.#open.delete(fd);
  }

  link(from: string, to: string): boolean {
    this.#change('link', to);
    const inode = this.#disk.lookup(normal(from));
    if (inode === undefined || !this.#disk.isDirectory(parentOf(normal(to)))) throw missing(from);
    if (this.#disk.lookup(normal(to)) !== undefined) return false;
    this.#disk.bind(normal(to), inode);
    return true;
  }

  rename(from: string, to: string): void {
    this.#change('rename', to);
    const inode = this.#disk.lookup(normal(from));
    if (inode === undefined || !this.#disk.isDirectory(parentOf(normal(to)))) throw missing(from);
    if (this.#disk.isDirectory(normal(to))) throw wrongKind(to);
    this.#disk.bind(normal(to), inode);
    this.#disk.bind(normal(from), null);
  }

  remove(path: string): boolean {
    this.#change('remove', path);
    if (this.#disk.isDirectory(normal(path))) throw wrongKind(path);
    if (this.#disk.lookup(normal(path)) === undefined) return false;
    this.#disk.bind(normal(path), null);
    return true;
  }

  touch(path: string, mtimeMs: number): void {
    this.#change('touch', path);
    this.#named(path).mtimeMs = mtimeMs;
  }

  own(path: string, owner: { readonly mode: number; readonly uid: number; readonly gid: number }): void {
    this.#change('own', path);
    const inode = this.#named(path);
    inode.mode = owner.mode & 0o7777;
    inode.uid = owner.uid;
    inode.gid = owner.gid;
  }

  async fsyncDir(dir: string): Promise<void> {
    this.#change('fsyncDir', dir);
    if (!this.#disk.isDirectory(normal(dir))) throw missing(dir);
    const count = this.#disk.namesPending(normal(dir));
    await this.#latency();
    this.#disk.settleNames(normal(dir), count);
    this.#process.enter('files.dirFsynced', dir);
  }

  freeBytes(path: string): number {
    this.#process.enter('files.freeBytes', path);
    return this.#disk.freeBytes;
  }

  lock(name: string): Closer | null {
    const path = normal(name);
    this.#change('lock', path);
    if (this.#disk.isDirectory(path)) throw wrongKind(path);
    if (!this.#disk.isDirectory(parentOf(path))) throw missing(path);
    const { uid, gid } = this.#process;
    const inode = this.#disk.lookup(path) ?? this.#disk.create(path, { mode: 0o600, uid, gid });
    const locks = this.#disk.locks(inode);
    if (locks.isHeld('file')) return null;
    locks.share('file', this.#process);
    let isHeld = true;
    return {
      close: () => {
        if (isHeld) locks.release(['file'], this.#process);
        isHeld = false;
      },
    };
  }

  #change(call: string, path: string, bytes?: Uint8Array): void {
    this.#process.enter(`files.${call}`, path);
    this.#process.note(call, path, bytes);
  }

  async #latency(): Promise<void> {
    await this.#process.hold(this.#clock.wait(this.#process.chance.latencyMs(LIMITS.fsyncMs)));
  }

  #file(fd: Fd): OpenFile {
    return must(this.#open.get(fd), `descriptor ${fd} is not open`);
  }

  #writable(fd: Fd): OpenFile {
    const file = this.#file(fd);
    if (!file.canWrite) throw new Fault('invalid', 'file-forbidden', `${file.path} was opened for reading`);
    return file;
  }

  #named(path: string): Inode {
    const inode = this.#disk.lookup(normal(path));
    if (inode === undefined) throw missing(path);
    return inode;
  }
}

/** The path without `.`, `..` and double slashes. */
export function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function missing(path: string): Fault {
  return new Fault('invalid', 'file-missing', `cannot open ${path}: no such file or directory`);
}

function wrongKind(path: string): Fault {
  return new Fault('invalid', 'file-kind', `cannot use ${path}: the wrong kind of file`);
}

function diskFull(path: string): Fault {
  return new Fault('unavailable', 'disk-full', `cannot write ${path}: no space left`);
}

function diskError(path: string): Fault {
  return new Fault('unavailable', 'disk-error', `cannot write ${path}: input/output error`);
}
