/**
 * A simulated disk: directories of names, files behind them, and what a power failure leaves.
 *
 * Contract: changes of names are durable after an fsync of their directory. A power failure keeps a prefix of
 * those that are not, a directory at a time. Directories themselves are durable as soon as they are made.
 * Trap: this is the machine's own view. The product sees it through `SimFiles` and `SimDatabases` only.
 */

import { assert, must } from '../../src/base/assert.ts';
import type { FileStat } from '../../src/base/ports.ts';
import type { SimChance } from './chance.ts';
import { Inode } from './inode.ts';
import { LockTable } from './locks.ts';
import type { LockOwner } from './locks.ts';

/** A name given (to `inode`) or taken away (null). */
interface NameChange {
  readonly name: string;
  readonly inode: Inode | null;
}

interface Directory {
  readonly ino: bigint;
  readonly names: Map<string, Inode>;
  readonly durable: Map<string, Inode>;
  pending: NameChange[];
  /** How many changes are durable. */
  settled: number;
}

interface Watcher {
  readonly dir: string;
  readonly onChange: (path: string) => void;
}

export interface Owner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const DEV = 7n;

/** The directory of a path. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A machine's disk. */
export class SimDisk {
  readonly #directories = new Map<string, Directory>();
  readonly #chance: SimChance;
  readonly #wallMs: () => number;
  readonly #watchers = new Set<Watcher>();
  readonly #inodes = new Set<Inode>();
  #ino = 1n;
  /** The disk's size: writes beyond it fail. */
  capacityBytes: number = 1 << 30;

  constructor(chance: SimChance, wallMs: () => number) {
    this.#chance = chance;
    this.#wallMs = wallMs;
    this.mkdir('/');
  }

  mkdir(path: string): void {
    if (this.#directories.has(path)) return;
    assert(!this.lookup(path), () => `${path} is a file`);
    if (path !== '/') this.mkdir(parentOf(path));
    this.#directories.set(path, {
      ino: this.#ino++,
      names: new Map(),
      durable: new Map(),
      pending: [],
      settled: 0,
    });
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  lookup(path: string): Inode | undefined {
    return this.#directories.get(parentOf(path))?.names.get(nameOf(path));
  }

  /** Makes an empty file under a free name in a directory that is there. */
  create(path: string, owner: Owner): Inode {
    assert(this.lookup(path) === undefined && !this.isDirectory(path), () => `${path} exists`);
    const inode = new Inode(this.#ino++, owner, this.#wallMs());
    this.#inodes.add(inode);
    this.bind(path, inode);
    return inode;
  }

  /** Gives a name to a file (taking it from whichever had it), or, with null, takes the name away. */
  bind(path: string, inode: Inode | null): void {
    const dir = must(this.#directories.get(parentOf(path)), `no directory for ${path}`);
    const name = nameOf(path);
    if (inode === null) dir.names.delete(name);
    else dir.names.set(name, inode);
    dir.pending.push({ name, inode });
    this.#changed(path);
  }

  /** The names in a directory, sorted; undefined where there is none. */
  names(path: string): readonly string[] | undefined {
    const dir = this.#directories.get(path);
    if (dir === undefined) return undefined;
    const below = [...this.#directories.keys()].filter((other) => other !== '/' && parentOf(other) === path);
    return [...dir.names.keys(), ...below.map(nameOf)].sort();
  }

  write(path: string, inode: Inode, bytes: Uint8Array, at: number): void {
    inode.write(bytes, at);
    this.#touched(path, inode);
  }

  resize(path: string, inode: Inode, size: number): void {
    inode.resize(size);
    this.#touched(path, inode);
  }

  /** How many changes of names in a directory have ever been made: an fsync of it covers those there are. */
  namesPending(path: string): number {
    const dir = must(this.#directories.get(path), `no directory ${path}`);
    return dir.settled + dir.pending.length;
  }

  /** Changes of names in a directory become durable: the first `count` ever, or all so far. */
  settleNames(path: string, count: number = this.namesPending(path)): void {
    const dir = must(this.#directories.get(path), `no directory ${path}`);
    applyNames(dir, Math.max(0, count - dir.settled));
  }

  get freeBytes(): number {
    let used = 0;
    for (const dir of this.#directories.values()) for (const inode of dir.names.values()) used += inode.size;
    return Math.max(0, this.capacityBytes - used);
  }

  stat(path: string): FileStat | null {
    const inode = this.lookup(path);
    if (inode !== undefined) return statOf(inode);
    const dir = this.#directories.get(path);
    if (dir === undefined) return null;
    const none = { size: 0, mtimeMs: 0, mode: 0o755, uid: 0, gid: 0 };
    return { kind: 'directory', dev: DEV, ino: dir.ino, ...none };
  }

  /** The locks of one file. */
  locks(inode: Inode): LockTable {
    inode.locks ??= new LockTable();
    return inode.locks;
  }

  /** Ends every lock that `owner` holds on any file. */
  releaseLocks(owner: LockOwner): void {
    for (const inode of this.#inodes) inode.locks?.releaseAll(owner);
  }

  /** Calls `onChange` after a name or a content in `dir` changed, until the returned function is called. */
  watch(dir: string, onChange: (path: string) => void): () => void {
    const watcher = { dir, onChange };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /**
   * The power fails. Nobody may be running: every lock is gone, and so is what was in the page cache only.
   */
  losePower(): void {
    for (const dir of this.#directories.values()) {
      applyNames(dir, this.#chance.between(0, dir.pending.length));
      dir.settled += dir.pending.length;
      dir.pending = [];
      dir.names.clear();
      for (const [name, inode] of dir.durable) dir.names.set(name, inode);
    }
    for (const inode of this.#inodes) {
      inode.losePower(this.#chance);
      inode.locks = undefined;
    }
  }

  #touched(path: string, inode: Inode): void {
    inode.mtimeMs = this.#wallMs();
    this.#changed(path);
  }

  #changed(path: string): void {
    const dir = parentOf(path);
    for (const watcher of this.#watchers) if (watcher.dir === dir) watcher.onChange(path);
  }
}

/** What `stat` says of a file. */
export function statOf(inode: Inode): FileStat {
  const { size, mtimeMs, ino, mode, uid, gid } = inode;
  return { kind: 'file', size, mtimeMs, dev: DEV, ino, mode, uid, gid };
}

function applyNames(dir: Directory, count: number): void {
  dir.settled += Math.min(count, dir.pending.length);
  for (const { name, inode } of dir.pending.splice(0, count)) {
    if (inode === null) dir.durable.delete(name);
    else dir.durable.set(name, inode);
  }
}
