/**
 * One database that other processes have open, read from beside (I12).
 *
 * ```
 * open    main descriptor
 * attach  connection, one read (SHARED on the main file, the -shm mapped) ─▶ descriptors of -wal and -shm
 * close   connection ─▶ descriptors
 * ```
 *
 * The connection comes before the descriptors of `-wal` and `-shm`: from its first read on nobody who obeys
 * SQLite's locks can delete or replace those two. Descriptors are closed only when no connection is open. The
 * connection is not passive: while it is open, no other process can leave WAL mode, turn to exclusive
 * locking, or delete the `-wal`.
 */

import { closeSync, fstatSync, openSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { assert, must } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import type { DatabaseHandle, FileStat } from '../base/ports.ts';
import {
  closeConnection,
  holdConnection,
  identityOf,
  isRegistered,
  register,
  unregister,
} from './descriptors.ts';
import { fileStat, fromStats } from './file-stat.ts';
import { readFully } from './files.ts';
import { locksOf } from './process-locks.ts';
import { connectionFault } from './sqlite-fault.ts';
import { processUid, system, systemCode, systemFault } from './system-fault.ts';

/** How long a call may wait for another process's lock: it blocks the thread. */
export const LIMITS = { busyMs: 50 } as const;

/** Starts a read transaction and reads one number of page 1: no schema is parsed, however large it is. */
const READ = 'PRAGMA schema_version';

interface OpenFile {
  readonly fd: number;
  readonly stat: FileStat;
}

interface Attachment {
  readonly connection: DatabaseSync;
  readonly read: StatementSync;
  readonly wal: OpenFile;
  readonly shm: OpenFile;
  /** Whether the system shows this process's locks at all. */
  readonly canSeeLocks: boolean;
}

/** A DatabaseHandle of this machine. */
export class HostDatabaseHandle implements DatabaseHandle {
  readonly path: string;
  readonly main: FileStat;
  readonly #mainFd: number;
  #attachment: Attachment | null = null;
  #pinned = false;
  #closed = false;

  /** Opens the main file `path`, which `seen` describes. */
  constructor(path: string, seen: FileStat) {
    if (isRegistered(identityOf(seen))) {
      throw new Fault('invalid', 'database-open-already', `${path} is open in this process already`, {
        hint: 'one process follows a database once, whatever its names',
        details: { path },
      });
    }
    register(identityOf(seen), path);
    const file = openFile(path, seen);
    this.path = path;
    this.main = file.stat;
    this.#mainFd = file.fd;
  }

  get wal(): FileStat | null {
    return this.#attachment?.wal.stat ?? null;
  }

  get attached(): boolean {
    return this.#attachment !== null;
  }

  attach(): void {
    assert(!this.#closed, 'attach: the handle is closed');
    assert(this.#attachment === null, 'attach: attached already');
    this.#assertAttachable();
    const connection = connect(this.path);
    const opened: OpenFile[] = [];
    try {
      const read = connection.prepare(READ);
      read.get();
      this.#assertSameFile();
      const [wal, shm] = ['-wal', '-shm'].map((suffix) => {
        const file = openSidecar(this.path + suffix);
        opened.push(file);
        return file;
      });
      this.#attachment = {
        connection,
        read,
        wal: must(wal, 'attach: -wal'),
        shm: must(shm, 'attach: -shm'),
        canSeeLocks: this.#locksStand(must(shm, 'attach: -shm').stat) === true,
      };
    } catch (error) {
      closeConnection(connection);
      for (const file of opened) closeFile(file);
      throw connectionFault(this.path, error);
    }
  }

  mainSize(): number {
    assert(!this.#closed, 'mainSize: the handle is closed');
    return system('look at', this.path, () => fstatSync(this.#mainFd).size);
  }

  readMain(into: Uint8Array, at: number): number {
    assert(!this.#closed, 'readMain: the handle is closed');
    return readDatabase(this.#mainFd, into, at, this.path);
  }

  readWal(into: Uint8Array, at: number): number {
    return readDatabase(this.#attached().wal.fd, into, at, this.path);
  }

  readShm(into: Uint8Array, at: number): number {
    return readDatabase(this.#attached().shm.fd, into, at, this.path);
  }

  pin(): void {
    const { connection, read } = this.#attached();
    assert(!this.#pinned, 'pin: pinned already');
    try {
      connection.exec('BEGIN');
      this.#pinned = true;
      read.get();
    } catch (error) {
      this.#pinned = false;
      if (connection.isTransaction) connection.exec('COMMIT');
      throw connectionFault(this.path, error, true);
    }
  }

  unpin(): void {
    const { connection } = this.#attached();
    assert(this.#pinned, 'unpin: not pinned');
    this.#pinned = false;
    connection.exec('COMMIT');
  }

  locksHeld(): boolean | null {
    const attachment = this.#attached();
    return attachment.canSeeLocks ? this.#locksStand(attachment.shm.stat) : null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const attachment = this.#attachment;
    this.#attachment = null;
    if (attachment !== null) {
      closeConnection(attachment.connection);
      closeFile(attachment.wal);
      closeFile(attachment.shm);
    }
    closeFile({ fd: this.#mainFd, stat: this.main });
  }

  #attached(): Attachment {
    return must(this.#attachment, 'the handle is not attached');
  }

  /**
   * Connecting would make what is missing, as this process's user: the application could not write it (C1).
   */
  #assertAttachable(): void {
    const uid = processUid();
    if (uid !== null && uid !== 0 && uid !== this.main.uid) {
      throw new Fault(
        'invalid',
        'database-foreign-owner',
        `${this.path} belongs to uid ${this.main.uid}, and this process is uid ${uid}`,
        {
          hint: `run as uid ${this.main.uid}: what SQLite makes for another user locks the application out`,
          details: { path: this.path, uid, ownerUid: this.main.uid },
        },
      );
    }
    for (const suffix of ['-wal', '-shm']) {
      if (fileStat(this.path + suffix) === null) throw walMissing(this.path + suffix);
    }
    this.#assertSameFile();
  }

  #assertSameFile(): void {
    const present = fileStat(this.path);
    if (present !== null && identityOf(present) === identityOf(this.main)) return;
    throw new Fault(
      'unavailable',
      'database-replaced',
      `${this.path} is another file than the one that was opened`,
      {
        hint: 'close the handle, and open the path again',
        details: { path: this.path },
      },
    );
  }

  #locksStand(shm: FileStat): boolean | null {
    const locks = locksOf([this.main.ino, shm.ino]);
    if (locks === null) return null;
    return locks.has(`${this.main.ino} shared`) && locks.has(`${shm.ino} dms`);
  }
}

function connect(path: string): DatabaseSync {
  try {
    const connection = new DatabaseSync(path, { readOnly: true, timeout: LIMITS.busyMs });
    holdConnection(connection);
    return connection;
  } catch (error) {
    throw connectionFault(path, error);
  }
}

function walMissing(path: string): Fault {
  return new Fault('invalid', 'wal-missing', `there is no ${path}: the database is not in use in WAL mode`, {
    hint: 'start the application, and let it use `PRAGMA journal_mode=WAL`',
    details: { path },
  });
}

/** Opens a registered main file, and forgets it again if that fails. */
function openFile(path: string, seen: FileStat): OpenFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    unregister(identityOf(seen));
    throw forbidden(path, error);
  }
  const stat = fromStats(fstatSync(fd, { bigint: true }));
  if (identityOf(stat) === identityOf(seen)) return { fd, stat };
  // Replaced since `seen`; no connection of this process can be on either file, so closing it drops nothing.
  closeSync(fd);
  unregister(identityOf(seen));
  throw new Fault('unavailable', 'database-replaced', `${path} was replaced while it was opened`, {
    hint: 'try again',
    details: { path },
  });
}

/** Opens `-wal` or `-shm`, with the connection open: a descriptor that was opened is not closed before it. */
function openSidecar(path: string): OpenFile {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? walMissing(path) : forbidden(path, error);
  }
  const stat = fromStats(fstatSync(fd, { bigint: true }));
  register(identityOf(stat), path);
  return { fd, stat };
}

function closeFile(file: OpenFile): void {
  closeSync(file.fd);
  unregister(identityOf(file.stat));
}

function forbidden(path: string, error: unknown): unknown {
  const fault = systemFault('open', path, error);
  if (!(fault instanceof Fault)) return fault;
  if (fault.code === 'file-missing') {
    return new Fault('invalid', 'database-missing', fault.message, { cause: error, details: { path } });
  }
  if (fault.code !== 'file-forbidden') return fault;
  return new Fault('invalid', 'database-forbidden', fault.message, {
    cause: error,
    details: { path },
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  });
}

function readDatabase(fd: number, into: Uint8Array, at: number, path: string): number {
  try {
    return readFully(fd, into, at);
  } catch (error) {
    throw systemFault('read', path, error);
  }
}
