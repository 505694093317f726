/** The Databases port of a simulated process, over the model of SQLite. */

import { assert, must } from '../../src/base/assert.ts';
import { Fault } from '../../src/base/fault.ts';
import { databaseHeaderDecode } from '../../src/format/sqlite-header.ts';
import type { Closer, DatabaseHandle, DatabaseProbe, Databases, FileStat } from '../../src/base/ports.ts';
import type { SimClock } from './clock.ts';
import { drain } from './database.ts';
import { parentOf, statOf } from './disk.ts';
import type { SimDisk } from './disk.ts';
import { normal } from './files.ts';
import type { Inode } from './inode.ts';
import type { SimProcess } from './process.ts';
import { checkpoint } from './sqlite-checkpoint.ts';
import { SqliteBusy, SqliteConnection, SqliteExclusive } from './sqlite-connection.ts';

const LIMITS = { watchMs: 0.3 } as const;

/** Databases of simulated applications, as one process sees them. */
export class SimDatabases implements Databases {
  /** How likely an event of a watch is lost. */
  watchLoss = 0;
  readonly #process: SimProcess;
  readonly #disk: SimDisk;
  readonly #clock: SimClock;
  readonly #open = new Set<Inode>();

  constructor(process: SimProcess, disk: SimDisk, clock: SimClock) {
    this.#process = process;
    this.#disk = disk;
    this.#clock = clock;
  }

  probe(name: string): DatabaseProbe {
    const path = normal(name);
    this.#process.enter('databases.probe', path);
    const [main, wal, shm, journal] = ['', '-wal', '-shm', '-journal'].map((suffix) =>
      this.#disk.stat(path + suffix),
    );
    return { main: main ?? null, wal: wal ?? null, shm: shm ?? null, journal: journal ?? null };
  }

  open(name: string): DatabaseHandle {
    const path = normal(name);
    this.#process.enter('databases.open', path);
    if (this.#disk.isDirectory(path)) throw notADatabase(path, 'it is a directory');
    const main = this.#disk.lookup(path);
    if (main === undefined) throw new Fault('invalid', 'database-missing', `there is no database ${path}`);
    if (this.#open.has(main)) throw new Fault('invalid', 'database-open-already', `${path} is open already`);
    this.#open.add(main);
    const onClose = (): void => void this.#open.delete(main);
    return new SimDatabaseHandle({ process: this.#process, disk: this.#disk, path, main, onClose });
  }

  settle(name: string): boolean {
    const path = normal(name);
    this.#process.enter('databases.settle', path);
    this.#process.note('settle', path);
    const main = this.#disk.lookup(path);
    if (main === undefined || !isDatabase(main)) return true;
    if (this.#open.has(main) || this.#disk.locks(main).isHeld('main')) return false;
    const connection = new SqliteConnection(this.#disk, path, `${this.#process.label} settle`);
    connection.open(this.#owner());
    drain(checkpoint(connection, this.#process.chance, { mode: 'truncate', fsyncs: true }));
    connection.abandon();
    for (const suffix of ['-wal', '-shm']) this.#disk.bind(path + suffix, null);
    return true;
  }

  watch(name: string, onChange: () => void): Closer {
    const path = normal(name);
    this.#process.enter('databases.watch', path);
    const dir = parentOf(path);
    if (!this.#disk.isDirectory(dir))
      throw new Fault('invalid', 'directory-missing', `there is no directory ${dir}`);
    const wal = `${path}-wal`;
    let isOpen = true;
    let isDue = false;
    let watched = this.#disk.lookup(wal);
    const tell = (): void => {
      isDue = false;
      if (isOpen && this.#process.isAlive) onChange();
    };
    const stop = this.#disk.watch(dir, (changed) => {
      const isWal = changed === wal;
      if (watched !== undefined && !isWal) return;
      watched = this.#disk.lookup(wal);
      if (isDue || this.#process.chance.flip(this.watchLoss)) return;
      isDue = true;
      this.#clock.after(this.#process.chance.latencyMs(LIMITS.watchMs), tell);
    });
    this.#process.whenDead(stop);
    return {
      close: () => {
        isOpen = false;
        stop();
      },
    };
  }

  #owner(): { mode: number; uid: number; gid: number } {
    return { mode: 0o644, uid: this.#process.uid, gid: this.#process.gid };
  }
}

interface HandleParts {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly path: string;
  readonly main: Inode;
  readonly onClose: () => void;
}

class SimDatabaseHandle implements DatabaseHandle {
  readonly path: string;
  readonly main: FileStat;
  readonly #parts: HandleParts;
  #connection: SqliteConnection | undefined;
  #isOpen = true;

  constructor(parts: HandleParts) {
    this.#parts = parts;
    this.path = parts.path;
    this.main = statOf(parts.main);
    parts.process.whenDead(() => this.#dropConnection());
  }

  get wal(): FileStat | null {
    return this.#connection === undefined ? null : statOf(this.#connection.files.wal);
  }

  get attached(): boolean {
    return this.#connection !== undefined;
  }

  attach(): void {
    const { process, disk, path, main } = this.#parts;
    process.enter('database.attach', path);
    process.note('attach', path);
    assert(this.#isOpen && this.#connection === undefined, 'attach: open, and not attached');
    if (process.uid !== main.uid && process.uid !== 0) {
      throw new Fault('invalid', 'database-foreign-owner', `${path} belongs to uid ${main.uid}`);
    }
    for (const suffix of ['-wal', '-shm']) {
      if (disk.lookup(path + suffix) === undefined) {
        throw new Fault('invalid', 'wal-missing', `there is no ${path}${suffix}`);
      }
    }
    if (disk.lookup(path) !== main) {
      throw new Fault(
        'unavailable',
        'database-replaced',
        `${path} is another file than the one that was opened`,
      );
    }
    if (!isDatabase(main)) throw notADatabase(path, 'its header is none');
    const connection = new SqliteConnection(disk, path, `${process.label} observer`);
    this.#through(() => connection.open({ mode: 0o644, uid: main.uid, gid: main.gid }));
    this.#connection = connection;
  }

  mainSize(): number {
    this.#parts.process.enter('database.mainSize');
    return this.#parts.main.size;
  }

  readMain(into: Uint8Array, at: number): number {
    this.#parts.process.enter('database.readMain');
    return this.#parts.main.read(into, at);
  }

  readWal(into: Uint8Array, at: number): number {
    this.#parts.process.enter('database.readWal');
    return this.#attached().files.wal.read(into, at);
  }

  readShm(into: Uint8Array, at: number): number {
    this.#parts.process.enter('database.readShm');
    return this.#attached().shm.inode.read(into, at);
  }

  pin(): void {
    this.#parts.process.enter('database.pin');
    const connection = this.#attached();
    this.#parts.process.note('pin', this.path);
    this.#through(() => connection.beginRead());
  }

  unpin(): void {
    this.#parts.process.enter('database.unpin');
    this.#attached().endRead();
  }

  locksHeld(): boolean | null {
    this.#parts.process.enter('database.locksHeld');
    return this.#attached().locks.isHeld('dms');
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#parts.process.enter('database.close');
    this.#isOpen = false;
    this.#dropConnection();
    this.#parts.onClose();
  }

  #dropConnection(): void {
    if (this.#connection?.isOpen === true) this.#connection.abandon();
    this.#connection = undefined;
  }

  #attached(): SqliteConnection {
    return must(this.#connection, 'the handle is attached');
  }

  #through(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof SqliteBusy)) throw error;
      const isExclusive = error instanceof SqliteExclusive;
      throw isExclusive
        ? new Fault('invalid', 'database-exclusive', `${this.path} is in exclusive use`, { cause: error })
        : new Fault('unavailable', 'database-busy', `${this.path} is busy`, { cause: error });
    }
  }
}

function isDatabase(main: Inode): boolean {
  const head = new Uint8Array(100);
  if (main.read(head, 0) < head.length) return false;
  try {
    databaseHeaderDecode(head);
    return true;
  } catch {
    return false;
  }
}

function notADatabase(path: string, why: string): Fault {
  return new Fault('invalid', 'not-a-database', `${path} is not a SQLite database: ${why}`);
}
