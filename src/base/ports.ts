/**
 * The ports: what the rooms need of a machine, and all that they may use of it. Interfaces only.
 *
 * `host` implements each on the real machine, `sim/world` in a simulated one; one contract suite in
 * `test/contract` holds both. All methods throw `Fault` for operating errors (`invalid` no permission, wrong
 * kind of file;
 * `unavailable` no space, input/output error), never anything else.
 */

import type { MonoMs, WallMs } from './ids.ts';
import type { Log } from './log.ts';

/** Time. */
export interface Clock {
  /** The wall clock. It may jump: for stamps, never for differences. */
  wallMs(): WallMs;
  /** A clock that only runs forward, with a fraction. */
  monoMs(): MonoMs;
  /** Resolves after `ms`, or as soon as `signal` aborts: look at the signal afterwards. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets all other work have a turn. */
  yield(): Promise<void>;
}

/** Chance. */
export interface Chance {
  /** A uniform integer, 0 … 2³²−1. */
  u32(): number;
  /** `count` random bytes, fit for identities. */
  bytes(count: number): Uint8Array;
}

/** What a file is. `dev` and `ino` together are its identity; they survive a rename, not a replacement. */
export interface FileStat {
  readonly kind: 'file' | 'directory' | 'other';
  readonly size: number;
  readonly mtimeMs: number;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** An open file, by its raw number. */
export type Fd = number & { readonly fd: unique symbol };

/** Stops what it stands for; doing so twice is harmless. */
export interface Closer {
  close(): void;
}

/**
 * Files that are not databases in use. (Main file, `-wal` and `-shm` of a database that anybody may have open
 * are reached through `Databases` only: closing any descriptor of them drops the locks of the whole process,
 * I12.)
 *
 * Only fsync is asynchronous, since only it is slow; everything else is a system call on the page cache.
 */
export interface Files {
  /** `null`: there is no such file. */
  stat(path: string): FileStat | null;
  /** The names in a directory, sorted. `null`: there is no such directory. */
  list(dir: string): readonly string[] | null;
  /** Makes a directory and its parents, durably. */
  mkdir(dir: string): Promise<void>;
  /**
   * `read` an existing file, `write` (and read) an existing one, or `create` one that must not exist, mode
   * 0600.
   */
  open(path: string, how: 'read' | 'write' | 'create'): Fd;
  size(fd: Fd): number;
  /** Reads at `at` until `into` is full or the file ends; returns the bytes read. */
  read(fd: Fd, into: Uint8Array, at: number): number;
  /** Writes all of `bytes` at `at`. */
  write(fd: Fd, bytes: Uint8Array, at: number): void;
  truncate(fd: Fd, size: number): void;
  /** Makes content and size durable. */
  fsync(fd: Fd): Promise<void>;
  close(fd: Fd): void;
  /** Makes `to` a second name of `from`, atomically. `false`: `to` exists, and nothing happened. */
  link(from: string, to: string): boolean;
  /** Gives `from` the name `to`, atomically, replacing what had it. */
  rename(from: string, to: string): void;
  /** `false`: there was none. */
  remove(path: string): boolean;
  /** Sets the time of the last change. */
  touch(path: string, mtimeMs: number): void;
  /** Sets owner and permissions; owner only where the process may. */
  own(path: string, owner: { readonly mode: number; readonly uid: number; readonly gid: number }): void;
  /** Makes the names in a directory durable. */
  fsyncDir(dir: string): Promise<void>;
  /** Free bytes on the file system that holds `path`. */
  freeBytes(path: string): number;
  /** An exclusive lock that dies with the process. `null`: another process holds it. */
  lock(path: string): Closer | null;
}

/** The files of one database, by name, without opening any. */
export interface DatabaseProbe {
  readonly main: FileStat | null;
  readonly wal: FileStat | null;
  readonly shm: FileStat | null;
  readonly journal: FileStat | null;
}

/**
 * Databases that other processes have open: the one owner of their descriptors and connections in this
 * process.
 */
export interface Databases {
  probe(path: string): DatabaseProbe;
  /**
   * Opens the main file for reading; of `-wal` and `-shm` nothing yet. One handle a path at a time.
   * Faults: `database-missing`, `database-forbidden`, `database-open-already`, `not-a-database` (no regular
   * file).
   */
  open(path: string): DatabaseHandle;
  /**
   * Makes a database that nobody has open one file, before it is replaced: takes SQLite's exclusive lock and
   * closes, which folds `-wal` into the main file and rolls a hot `-journal` back. `false`: a connection of
   * any process has it open, and nothing happened. What SQLite does not take for a whole database is left as
   * it is (`true`).
   */
  settle(path: string): boolean;
  /**
   * Calls `onChange` after the database's `-wal` changed, or, where there is none, after anything in its
   * directory did. Never watches main file or `-shm`. May call too often; may, on odd file systems, never
   * call.
   */
  watch(path: string, onChange: () => void): Closer;
}

/** One database that other processes have open. Reading from it never locks or blocks them, but for `pin`. */
export interface DatabaseHandle extends Closer {
  readonly path: string;
  /** What was opened: compare with `probe` to see that the path means another file by now. */
  readonly main: FileStat;
  /** The `-wal` that was opened with `attach`. */
  readonly wal: FileStat | null;
  /**
   * Opens a read-only SQLite connection, reads once, so that the `-shm` is mapped and kept, and opens `-wal`
   * and
   * `-shm` for reading. Both must exist: creating them would be a change to the application's files.
   * Faults: `database-exclusive` (locking_mode=EXCLUSIVE), `database-busy`, `not-a-database`, `wal-missing`,
   * `database-foreign-owner` (this process is neither the file's owner nor root), `database-replaced`.
   */
  attach(): void;
  readonly attached: boolean;
  /** The main file's size in bytes, at present. */
  mainSize(): number;
  /** Each reads at `at` until `into` is full or the file ends, and returns the bytes read. */
  readMain(into: Uint8Array, at: number): number;
  readWal(into: Uint8Array, at: number): number;
  readShm(into: Uint8Array, at: number): number;
  /** BEGIN and one SELECT: a read transaction. Only one at a time. */
  pin(): void;
  /** Ends the read transaction. */
  unpin(): void;
  /**
   * I12's self-test: whether the system shows the locks of the attached connection as this process's. `null`:
   * this system does not show locks.
   */
  locksHeld(): boolean | null;
  /** Closes the connection first, then the descriptors (I12). */
  close(): void;
}

/** Jobs by name: pure functions of bytes that a worker thread can run. */
export type JobTable = Readonly<Record<string, (input: never) => unknown>>;

/** Worker threads. Buffers named in `transfer` move to the worker. */
export interface Pool<Jobs extends JobTable> {
  /** How many jobs run at once; further ones queue. */
  readonly width: number;
  /** Runs one job. A Fault that it throws arrives as a Fault; a worker that dies is Fault `worker-died`. */
  run<Name extends keyof Jobs & string>(
    name: Name,
    input: Parameters<Jobs[Name]>[0],
    transfer?: readonly ArrayBuffer[],
  ): Promise<ReturnType<Jobs[Name]>>;
  close(): Promise<void>;
}

/** A machine, as the engine needs it: everything but stores and workers. */
export interface Machine {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly files: Files;
  readonly databases: Databases;
  readonly log: Log;
}
