/**
 * One SQLite connection to a database in WAL mode: opening, index recovery, read transactions.
 *
 * Contract: the same bytes, locks and orders as SQLite's wal.c, by name: walIndexReadHdr, walIndexRecover,
 * walTryBeginRead. What takes several steps there is a generator here, so that others run in between.
 * Trap: the first opener of all empties the `-shm`; so does everybody who finds nobody else there.
 */

import { assert, must } from '../../src/base/assert.ts';
import { databaseHeaderDecode } from '../../src/format/sqlite-header.ts';
import {
  WAL_FRAME_HEADER_BYTES,
  WAL_HEADER_BYTES,
  frameBytes,
  frameCount,
  frameOffset,
  walFrameDecode,
  walHeaderDecode,
} from '../../src/format/wal.ts';
import { walVerify } from '../../src/format/kernel.ts';
import type { WalSeed } from '../../src/format/kernel.ts';
import { parentOf } from './disk.ts';
import type { Owner, SimDisk } from './disk.ts';
import type { Inode } from './inode.ts';
import { readSlot } from './locks.ts';
import type { LockOwner, LockTable, Slot } from './locks.ts';
import { EMPTY_HEADER, SHM_BYTES, ShmFile } from './shm.ts';
import type { IndexHeader } from './shm.ts';

/** Something in several steps; each `yield` names what has just been done. */
export type Steps<T> = Generator<string, T, void>;

const READERS = [1, 2, 3, 4] as const;
const LIMITS = { triesMax: 200 } as const;

/** `SQLITE_BUSY`: somebody else holds the lock. */
export class SqliteBusy extends Error {
  override readonly name = 'SqliteBusy';
}

/** `SQLITE_BUSY` because of `locking_mode=EXCLUSIVE`. */
export class SqliteExclusive extends SqliteBusy {}

/** The files of a database that a connection has open. */
interface OpenFiles {
  readonly main: Inode;
  readonly wal: Inode;
  readonly shm: ShmFile;
}

/**
 * A connection. Private: `header`, its own copy of the index's header, which may be older than the shared
 * one.
 */
export class SqliteConnection implements LockOwner {
  readonly label: string;
  readonly path: string;
  readonly disk: SimDisk;
  header: IndexHeader = EMPTY_HEADER;
  /** The WAL's checkpoint sequence as this connection counts it; 0: it has never made or recovered a WAL. */
  sequence = 0;
  /** The read mark it holds; -1: none. */
  readMark = -1;
  hasWriteLock = false;
  #files: OpenFiles | undefined;
  /** It made the `-wal`: the first fsync makes the name durable as well. */
  #isWalNew = false;

  constructor(disk: SimDisk, path: string, label: string) {
    this.disk = disk;
    this.path = path;
    this.label = label;
  }

  /** Opens the files, making `-wal` and `-shm` where they are missing, and reads once. */
  open(owner: Owner): void {
    const { disk, path } = this;
    const main = must(disk.lookup(path), `no database at ${path}`);
    if (!disk.locks(main).share('main', this)) throw new SqliteExclusive(`${path} is locked as a whole`);
    const found = disk.lookup(`${path}-wal`);
    const wal = found ?? disk.create(`${path}-wal`, owner);
    this.#isWalNew = found === undefined;
    const shmInode = disk.lookup(`${path}-shm`) ?? disk.create(`${path}-shm`, owner);
    shmInode.isVolatile = true;
    const shm = ShmFile.at(disk, `${path}-shm`, shmInode);
    this.#files = { main, wal, shm };
    if (!this.locks.isHeld('dms')) shm.resize(3);
    this.locks.share('dms', this);
    try {
      this.beginRead();
      this.endRead();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  get isOpen(): boolean {
    return this.#files !== undefined;
  }

  /** Ends every lock, as the death of its process would. */
  abandon(): void {
    const { main } = this.files;
    this.locks.releaseAll(this);
    this.disk.locks(main).releaseAll(this);
    this.#files = undefined;
    this.readMark = -1;
    this.hasWriteLock = false;
  }

  get files(): OpenFiles {
    return must(this.#files, `${this.label}: the connection is closed`);
  }

  get shm(): ShmFile {
    return this.files.shm;
  }

  get locks(): LockTable {
    return this.disk.locks(this.files.shm.inode);
  }

  /** The database's page size, which stands in the main file even while the index says nothing. */
  get pageSize(): number {
    if (this.header.pageSize !== 0) return this.header.pageSize;
    const head = new Uint8Array(100);
    this.files.main.read(head, 0);
    return databaseHeaderDecode(head).pageSize;
  }

  /** The database's size in pages, in the snapshot that this connection reads. */
  get sizePages(): number {
    return this.header.nPage !== 0 ? this.header.nPage : Math.floor(this.files.main.size / this.pageSize);
  }

  /**
   * BEGIN and a read. Waits (by letting the writer go on) while the index is being written. Throws
   * SqliteBusy.
   */
  beginRead(): void {
    assert(this.readMark === -1, 'one read transaction at a time');
    for (let tries = 0; tries < LIMITS.triesMax; tries++) {
      const outcome = this.#tryBeginRead(false);
      if (outcome === 'done') return;
      if (outcome === 'busy' && this.shm.writerStep?.() !== true) break;
    }
    throw new SqliteBusy(`${this.label}: no read transaction on ${this.path}`);
  }

  /**
   * After a restart of the log by this connection: a read transaction again, this time with a mark above 0.
   */
  beginReadOfWal(): void {
    for (let tries = 0; tries < LIMITS.triesMax; tries++) if (this.#tryBeginRead(true) === 'done') return;
    throw new SqliteBusy(`${this.label}: no read mark on ${this.path}`);
  }

  endRead(): void {
    assert(this.readMark >= 0 && !this.hasWriteLock, 'a read transaction is open');
    this.locks.release([readSlot(this.readMark)], this);
    this.readMark = -1;
  }

  fsyncWal(): void {
    const { wal } = this.files;
    wal.settle(wal.order);
    if (this.#isWalNew) this.disk.settleNames(parentOf(this.path));
    this.#isWalNew = false;
  }

  /** The newest frame of a page in this connection's snapshot, counted from 1; 0: it is in the main file. */
  frameOf(pgno: number): number {
    if (this.readMark === 0) return 0;
    const { framePgnos } = this.shm;
    for (let frame = this.header.mxFrame; frame >= 1; frame--)
      if (framePgnos[frame - 1] === pgno) return frame;
    return 0;
  }

  /** A page in this connection's snapshot. */
  readPage(pgno: number): Uint8Array {
    const page = new Uint8Array(this.pageSize);
    const frame = this.frameOf(pgno);
    if (frame === 0) this.files.main.read(page, (pgno - 1) * page.length);
    else this.files.wal.read(page, frameOffset(frame - 1, page.length) + WAL_FRAME_HEADER_BYTES);
    return page;
  }

  /** walIndexReadHdr: takes the shared header, recovering it where it is torn and nobody is writing. */
  readHeader(): 'done' | 'busy' {
    let header = this.shm.header();
    if (header === null) {
      const hadLock = this.hasWriteLock;
      if (!hadLock && !this.locks.exclude(['write'], this)) return 'busy';
      try {
        header = this.shm.header();
        if (header === null) {
          if (!this.#recover()) return 'busy';
          header = this.header;
        }
      } finally {
        if (!hadLock) this.locks.release(['write'], this);
      }
    }
    this.header = header;
    return 'done';
  }

  #tryBeginRead(useWal: boolean): 'done' | 'retry' | 'busy' {
    if (!useWal && this.readHeader() === 'busy') return 'busy';
    const { shm, locks, header } = this;
    if (!useWal && shm.nBackfill === header.mxFrame && locks.share(readSlot(0), this)) {
      if (!shm.holds(header)) {
        locks.release([readSlot(0)], this);
        return 'retry';
      }
      this.readMark = 0;
      return 'done';
    }
    const best = this.#chooseMark();
    if (best === null) return 'retry';
    if (!locks.share(readSlot(best.i), this)) return 'retry';
    if (shm.mark(best.i) !== best.mark || !shm.holds(header)) {
      locks.release([readSlot(best.i)], this);
      return 'retry';
    }
    this.readMark = best.i;
    return 'done';
  }

  /** The slot with the highest mark that is not above the snapshot; raised to it where nobody uses a slot. */
  #chooseMark(): { i: number; mark: number } | null {
    const { shm, locks } = this;
    const { mxFrame } = this.header;
    let best: { i: number; mark: number } | null = null;
    for (const i of READERS) {
      const mark = shm.mark(i);
      if (mark <= mxFrame && mark >= (best?.mark ?? 0)) best = { i, mark };
    }
    if (best !== null && best.mark === mxFrame) return best;
    for (const i of READERS) {
      if (!locks.exclude([readSlot(i)], this)) continue;
      shm.setMark(i, mxFrame);
      locks.release([readSlot(i)], this);
      return { i, mark: mxFrame };
    }
    return best;
  }

  /** walIndexRecover: builds the index from the WAL. iChange begins at 0, salts are those of the WAL. */
  #recover(): boolean {
    const slots: readonly Slot[] = ['checkpoint', 'recover'];
    if (!this.locks.exclude(slots, this)) return false;
    const { shm } = this;
    if (shm.inode.size < SHM_BYTES) shm.resize(SHM_BYTES);
    shm.framePgnos.length = 0;
    this.header = this.#scan();
    shm.writeCopy(2, this.header);
    shm.writeCopy(1, this.header);
    shm.nBackfill = 0;
    shm.nBackfillAttempted = this.header.mxFrame;
    shm.setMark(0, 0);
    for (const i of READERS) {
      if (!this.locks.exclude([readSlot(i)], this)) continue;
      if (i === 1 && this.header.mxFrame > 0) shm.setMark(1, this.header.mxFrame);
      else shm.setMark(i);
      this.locks.release([readSlot(i)], this);
    }
    this.locks.release(slots, this);
    shm.onRecovered?.();
    return true;
  }

  /** What the WAL holds: everything up to the last commit frame that continues the chain. */
  #scan(): IndexHeader {
    const { wal } = this.files;
    const log = wal.content();
    const found = walHeaderDecode(log);
    if (found === null || log.length <= WAL_HEADER_BYTES) return EMPTY_HEADER;
    const { bigEndian, pageSize, salt1, salt2 } = found;
    this.sequence = found.sequence;
    const room = frameCount(log.length, pageSize);
    let frameChecksum: WalSeed = { s0: 0, s1: 0 };
    let seed = found.seed;
    let mxFrame = 0;
    let nPage = 0;
    const { framePgnos } = this.shm;
    for (let frame = 1; frame <= room; frame++) {
      const at = frameOffset(frame - 1, pageSize);
      const bytes = log.subarray(at, at + frameBytes(pageSize));
      const { pgno, commit } = walFrameDecode(bytes, 0);
      const verified = walVerify(bytes, { pageSize, bigEndian, salt1, salt2, seed });
      if (verified.frames !== 1 || pgno === 0) break;
      seed = verified.checksum;
      framePgnos.push(pgno);
      if (commit === 0) continue;
      mxFrame = frame;
      nPage = commit;
      frameChecksum = seed;
    }
    return { iChange: 0, bigEndian, pageSize, mxFrame, nPage, frameChecksum, salt1, salt2 };
  }
}
