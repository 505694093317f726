/**
 * Capture of one database: attached to its log while there is one, at rest otherwise.
 *
 * Owns the handle, the observer and the open TXID. It connects only when `-wal` and `-shm` exist (C1),
 * follows the commits, and after a gap reads the whole state.
 */

import { must } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import type { DatabaseHandle, FileStat, Machine } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import { DATABASE_HEADER_BYTES, databaseHeaderDecode } from '../format/sqlite-header.ts';
import type { DatabaseHeader } from '../format/sqlite-header.ts';
import { readAtRest, readAttached, readMainFile } from './image.ts';
import type { Reading, Subject, Visitor } from './image.ts';
import { Observer } from './observer.ts';
import type { Pass, Verdicts } from './observer.ts';
import { OpenTxid } from './open-txid.ts';
import type { DirtyPages } from './open-txid.ts';
import type { WalPosition } from './position.ts';
import { Seal } from './seal.ts';

/** A seal works in short slices: a log that fills in a few ms waits for no long one. */
export const LIMITS = { sealBatchBytes: 131_072, sealSliceMs: 1 } as const;

export interface CaptureOptions {
  /** Images held at most; beyond, a difference seals. */
  readonly imageBytesMax: number;
  readonly verdicts?: Verdicts | undefined;
  /** Ends a reading. */
  readonly signal?: AbortSignal | undefined;
}

/** Where capture goes on from. */
export interface CaptureStart {
  readonly size: number;
  /** `null`: not known; the first pass is a gap. */
  readonly position: WalPosition | null;
}

export class Capture {
  readonly pageSize: number;
  readonly #machine: Machine;
  readonly #handle: DatabaseHandle;
  /** The path as it was given: a link in it may come to lead elsewhere. */
  readonly #database: string;
  readonly #options: CaptureOptions;
  #open: OpenTxid;
  #observer: Observer | null = null;
  #position: WalPosition | null = null;
  /** The index that was attached to. */
  #shm: FileStat | null = null;
  /** What the main file was when its state at rest was read. */
  #restStamp: string | null = null;

  private constructor(machine: Machine, database: string, handle: DatabaseHandle, options: CaptureOptions) {
    this.#machine = machine;
    this.#database = database;
    this.#handle = handle;
    this.pageSize = walPageSize(handle);
    this.#options = options;
    this.#open = new OpenTxid(this.pageSize, 0, options.imageBytesMax);
  }

  /**
   * Opens `database`. Faults: `database-missing`, `database-empty`, `not-a-database`, `not-wal`, and those of
   * attach.
   */
  static open(machine: Machine, database: string, options: CaptureOptions): Capture {
    const handle = machine.databases.open(database);
    try {
      const capture = new Capture(machine, database, handle, options);
      capture.attach();
      return capture;
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  get handle(): DatabaseHandle {
    return this.#handle;
  }

  get isAttached(): boolean {
    return this.#observer !== null;
  }

  /** Frames that the last pass took, and the length of the log when it restarted last (0: not known). */
  get traffic(): { readonly frames: number; readonly logFrames: number } {
    return this.#observer?.traffic ?? { frames: 0, logFrames: 0 };
  }

  get open(): OpenTxid {
    return this.#open;
  }

  /** Behind the newest captured commit; `null` in a gap, and at rest. */
  get position(): WalPosition | null {
    return this.#observer === null ? this.#position : this.#observer.position;
  }

  /** Goes on from a known place. */
  start({ size, position }: CaptureStart): void {
    this.#open.restart(size);
    this.#position = position;
    if (position === null) this.#observer?.lose();
    else this.#observer?.moveTo(position);
  }

  /** Forgets the position: the next pass is a gap. */
  lose(): void {
    this.#observer?.lose();
  }

  /** Whether the path means other files than those that were opened (B7), or our locks are gone (I12). */
  isReplaced(): boolean {
    const { main, wal, shm } = this.#machine.databases.probe(this.#database);
    if (!isSameFile(this.#handle.main, main)) return true;
    if (this.#observer === null) return false;
    const isOurs = isSameFile(this.#handle.wal, wal) && isSameFile(this.#shm, shm);
    return !isOurs || this.#handle.locksHeld() === false;
  }

  /** Connects, if `-wal` and `-shm` exist and it did not yet. */
  attach(): void {
    if (this.#observer !== null) return;
    const { wal, shm } = this.#machine.databases.probe(this.#handle.path);
    if (wal === null || shm === null) return;
    try {
      this.#handle.attach();
    } catch (error) {
      // The application closed the database between the look and the connecting: it is at rest.
      if (isFault(error, 'invalid') && error.code === 'wal-missing') return;
      throw error;
    }
    this.#assertSame();
    this.#shm = shm;
    this.#observer = new Observer(this.#machine.clock, this.#handle, this.#open, {
      pageSize: this.pageSize,
      position: this.#position,
      verdicts: this.#options.verdicts,
    });
  }

  /**
   * Whether the open TXID holds all commits up to `position`, and nothing else: only then may it be taken.
   * It does not in a gap, nor where images were let go.
   */
  get isWhole(): boolean {
    return !this.#open.overflowed && (this.#observer === null || this.#observer.position !== null);
  }

  /**
   * Lets SQLite recover an index that a writer left half written when it died: a read transaction does so,
   * unless another writer is at it. Faults as `pin`.
   */
  recoverIndex(): void {
    this.#handle.pin();
    this.#handle.unpin();
  }

  /**
   * Looks for commits. At rest there are none until the main file changes or a log appears: then it is a gap.
   */
  async pass(): Promise<Pass> {
    if (this.#observer !== null) return await this.#observer.pass();
    const asOfMs = this.#machine.clock.wallMs();
    if (this.#restStamp !== null && this.#restStamp === this.#stamp()) return { found: 'nothing', asOfMs };
    return { found: 'gap', reason: 'the database is at rest and its state is not known' };
  }

  /**
   * Reads the whole state, and goes on behind it. The open TXID is forgotten: the state contains it. Faults:
   * `image-unsteady`, `database-unsettled`, `reading-interrupted` (unavailable), `database-replaced`, those
   * of pin.
   */
  async read<T>(begin: () => Visitor<T>): Promise<Reading<T>> {
    const observer = this.#observer;
    if (observer === null) return await this.#readAtRest(begin);
    return await readAttached(this.#machine.clock, this.#subject, begin, async ({ size, position }) => {
      this.#open.restart(size);
      observer.moveTo(must(position, 'an attached database has a log'));
      // What was committed meanwhile is taken under the pin, before the log can restart.
      await observer.pass();
    });
  }

  /** Reads the main file alone: what the last checkpoint left, if nobody checkpoints meanwhile. */
  async readMainFile<T>(begin: () => Visitor<T>): Promise<T> {
    return await readMainFile(this.#machine.clock, this.#subject, begin);
  }

  /**
   * Encodes what was taken from the open TXID; pages by which the file grew and that no frame holds are read.
   */
  async seal(taken: DirtyPages): Promise<Seal> {
    const seal = new Seal(this.pageSize);
    const slices = new Slices(this.#machine.clock, LIMITS.sealSliceMs);
    const batch = Math.max(1, Math.floor(LIMITS.sealBatchBytes / this.pageSize));
    const buffer = new Uint8Array(batch * this.pageSize);
    for (let at = 0; at < taken.pgnos.length; at += batch) {
      const pgnos = taken.pgnos.slice(at, at + batch);
      const pages = buffer.subarray(0, pgnos.length * this.pageSize);
      for (const [i, pgno] of pgnos.entries()) {
        const image = taken.pages.get(pgno);
        const page = pages.subarray(i * this.pageSize, (i + 1) * this.pageSize);
        if (image === undefined) page.fill(0, this.#handle.readMain(page, (pgno - 1) * this.pageSize));
        else page.set(image);
      }
      seal.add(pgnos, pages);
      await slices.breathe();
    }
    return seal;
  }

  close(): void {
    this.#handle.close();
  }

  get #subject(): Subject {
    return { handle: this.#handle, pageSize: this.pageSize, signal: this.#options.signal };
  }

  async #readAtRest<T>(begin: () => Visitor<T>): Promise<Reading<T>> {
    const { clock, databases } = this.#machine;
    this.#assertSame();
    const stamp = this.#stamp();
    const reading = await readAtRest(clock, databases, this.#subject, begin);
    if (reading === null) throw this.#unsettled();
    this.#open.restart(reading.size);
    this.#restStamp = stamp;
    return reading;
  }

  /** While nobody had it open, the database may have left WAL mode, and come back with other pages. */
  #assertSame(): void {
    const { journal, pageSize } = databaseHeader(this.#handle);
    if (journal === 'wal' && pageSize === this.pageSize) return;
    const found = `${journal} mode, pages of ${pageSize} bytes`;
    const message = `${this.#handle.path} is another database than it was: ${found}`;
    throw new Fault('conflict', 'database-replaced', message);
  }

  /** Nobody is attached to, and yet the main file is not the whole state. */
  #unsettled(): Fault {
    const { path } = this.#handle;
    const { wal, shm } = this.#machine.databases.probe(path);
    if (wal === null || wal.size === 0 || shm !== null) {
      return new Fault('unavailable', 'database-unsettled', `${path} changed while it was read`);
    }
    return new Fault(
      'unavailable',
      'database-unsettled',
      `${path} has a log without an index (-wal, and no -shm)`,
      {
        hint: '`locking_mode=EXCLUSIVE` cannot be followed; if no application runs, open it in sqlite3',
      },
    );
  }

  #stamp(): string {
    const { main } = this.#machine.databases.probe(this.#handle.path);
    return main === null ? '' : `${main.size} ${main.mtimeMs}`;
  }
}

function isSameFile(a: FileStat | null, b: FileStat | null): boolean {
  return a !== null && b !== null && a.dev === b.dev && a.ino === b.ino;
}

function databaseHeader(handle: DatabaseHandle): DatabaseHeader {
  const bytes = new Uint8Array(DATABASE_HEADER_BYTES);
  const size = handle.readMain(bytes, 0);
  if (size > 0) return databaseHeaderDecode(bytes.subarray(0, size));
  throw new Fault('invalid', 'database-empty', `${handle.path} is empty`, {
    hint: 'let the application make its tables first; a lost database: `millrace restore`',
  });
}

/** The page size of a database in WAL mode. */
function walPageSize(handle: DatabaseHandle): number {
  const header = databaseHeader(handle);
  if (header.journal === 'wal') return header.pageSize;
  throw new Fault(
    'invalid',
    'not-wal',
    `${handle.path} is in rollback-journal mode; commits can be followed in WAL mode`,
    {
      hint: `switch it once, it stays so: sqlite3 ${handle.path} 'PRAGMA journal_mode=WAL'`,
    },
  );
}
