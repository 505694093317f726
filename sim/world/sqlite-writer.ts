/**
 * Writing: frames, commits, restarts, rollbacks. SQLite's walFrames and walRestartLog, step by step.
 *
 * Contract: a page written twice by one transaction is overwritten where it stands, and checksums from there
 * on are made anew at commit; until then those frames carry zeros. The commit frame is always appended.
 */

import { assert } from '../../src/base/assert.ts';
import { view } from '../../src/base/bytes.ts';
import {
  WAL_FRAME_HEADER_BYTES,
  WAL_HEADER_BYTES,
  frameBytes,
  frameOffset,
  walFrameDecode,
  walFrameEncode,
  walHeaderDecode,
  walHeaderEncode,
} from '../../src/format/wal.ts';
import type { WalSeed } from '../../src/format/kernel.ts';
import type { SimChance } from './chance.ts';
import { readSlot } from './locks.ts';
import { SqliteBusy } from './sqlite-connection.ts';
import type { SqliteConnection, Steps } from './sqlite-connection.ts';

const READ_SLOTS = [readSlot(1), readSlot(2), readSlot(3), readSlot(4)];
const CHECKSUM_AT = 16;

/** `SQLITE_IOERR` or `SQLITE_FULL`: the transaction must be rolled back. */
export class SqliteIoError extends Error {
  override readonly name = 'SqliteIoError';
}

/** How a connection writes. */
export interface WriteOptions {
  /** `PRAGMA synchronous`. */
  readonly synchronous: 'off' | 'normal' | 'full';
  /**
   * Not 0: no powersafe overwrite, so that a commit is padded to this many bytes by repeating its last frame.
   */
  readonly sectorBytes: number;
  /** The transaction's last fsync fails, after everything has been written. */
  readonly failsFsync?: boolean;
}

/** A page to write. */
export interface DirtyPage {
  readonly pgno: number;
  readonly bytes: Uint8Array;
}

/** The write half of a connection. */
export class SqliteWriter {
  readonly #connection: SqliteConnection;
  readonly #chance: SimChance;
  /** The first frame whose checksum must be made anew at commit; 0: none. */
  #rechecksumFrom = 0;

  constructor(connection: SqliteConnection, chance: SimChance) {
    this.#connection = connection;
    this.#chance = chance;
  }

  /** BEGIN IMMEDIATE: the newest snapshot, and the write lock. Throws SqliteBusy. */
  begin(): void {
    const connection = this.#connection;
    connection.beginRead();
    if (!connection.locks.exclude(['write'], connection)) {
      connection.endRead();
      throw new SqliteBusy(`${connection.label}: another connection is writing`);
    }
    assert(connection.shm.holds(connection.header), 'the write lock keeps the snapshot the newest');
    connection.hasWriteLock = true;
  }

  /** ROLLBACK: the live header counts, whatever was written behind it. */
  rollback(): void {
    const connection = this.#connection;
    const live = connection.shm.header();
    assert(live !== null, 'the holder of the write lock leaves the header whole');
    connection.header = live;
    connection.shm.framePgnos.length = Math.min(connection.shm.framePgnos.length, live.mxFrame);
    this.#end();
  }

  /** Back to a savepoint: frames after `frame` will be overwritten. */
  rollbackTo(mark: { readonly mxFrame: number; readonly frameChecksum: WalSeed }): void {
    const connection = this.#connection;
    connection.header = { ...connection.header, ...mark };
    connection.shm.framePgnos.length = Math.min(connection.shm.framePgnos.length, mark.mxFrame);
    if (this.#rechecksumFrom > mark.mxFrame) this.#rechecksumFrom = 0;
  }

  /** Writes pages to the WAL before the transaction's end: not one of them is committed by that. */
  *spill(pages: readonly DirtyPage[], options: WriteOptions): Steps<void> {
    yield* this.#frames(pages, 0, options);
  }

  /** COMMIT: the last page's frame carries the size. */
  *commit(pages: readonly DirtyPage[], sizePages: number, options: CommitOptions): Steps<void> {
    assert(pages.length > 0 && sizePages > 0, 'a commit has at least one frame, and a size');
    const connection = this.#connection;
    yield* this.#frames(pages, sizePages, options);
    const last = pages[pages.length - 1]!;
    const padding = this.#pad(last, sizePages, options.sectorBytes);
    if (padding > 0) yield 'commit padded';
    if (options.failsFsync === true) throw new SqliteIoError('fsync: input/output error');
    if (options.synchronous === 'full') {
      this.#connection.fsyncWal();
      yield 'commit fsynced';
    }
    for (let i = 0; i < padding; i++) connection.shm.framePgnos.push(last.pgno);
    const { header } = connection;
    const mxFrame = header.mxFrame + padding;
    connection.header = { ...header, mxFrame, nPage: sizePages, iChange: (header.iChange + 1) >>> 0 };
    connection.shm.writeCopy(2, connection.header);
    yield 'header half written';
    connection.shm.writeCopy(1, connection.header);
    this.#end();
    options.onPublished();
    yield 'published';
  }

  *#frames(pages: readonly DirtyPage[], commitSize: number, options: WriteOptions): Steps<void> {
    yield* this.#restartLog();
    const connection = this.#connection;
    const { shm } = connection;
    const { wal } = connection.files;
    const walPath = `${connection.path}-wal`;
    if (connection.header.mxFrame === 0) yield* this.#writeWalHeader(options);
    const live = shm.header();
    const firstOwn = live !== null && !shm.holds(connection.header) ? live.mxFrame + 1 : 0;
    const size = connection.pageSize;
    const appended: number[] = [];
    let { mxFrame } = connection.header;
    for (const [i, page] of pages.entries()) {
      const isLast = i === pages.length - 1;
      const known = firstOwn > 0 && (!isLast || commitSize === 0) ? connection.frameOf(page.pgno) : 0;
      if (known >= firstOwn && known > 0) {
        if (this.#rechecksumFrom === 0 || known < this.#rechecksumFrom) this.#rechecksumFrom = known;
        connection.disk.write(
          walPath,
          wal,
          page.bytes,
          frameOffset(known - 1, size) + WAL_FRAME_HEADER_BYTES,
        );
        yield 'frame overwritten';
        continue;
      }
      mxFrame += 1;
      this.#writeFrame(mxFrame, page, isLast ? commitSize : 0);
      appended.push(page.pgno);
      yield 'frame written';
    }
    if (commitSize > 0 && this.#rechecksumFrom > 0) this.#rechecksum(mxFrame);
    shm.framePgnos.length = connection.header.mxFrame;
    shm.framePgnos.push(...appended);
    connection.header = { ...connection.header, mxFrame };
  }

  #writeFrame(frame: number, page: DirtyPage, commit: number): void {
    const connection = this.#connection;
    const { pageSize, header } = connection;
    const { bigEndian, salt1, salt2, frameChecksum } = header;
    const chain = { bigEndian, pageSize, salt1, salt2, seed: frameChecksum };
    const { bytes, seed } = walFrameEncode(chain, { pgno: page.pgno, commit, page: page.bytes });
    if (this.#rechecksumFrom > 0) bytes.fill(0, 8, WAL_FRAME_HEADER_BYTES);
    else connection.header = { ...header, frameChecksum: seed };
    connection.disk.write(
      `${connection.path}-wal`,
      connection.files.wal,
      bytes,
      frameOffset(frame - 1, pageSize),
    );
  }

  /** walRewriteChecksums: from the first overwritten frame to the last. */
  #rechecksum(lastFrame: number): void {
    const connection = this.#connection;
    const { pageSize } = connection;
    const { wal } = connection.files;
    const from = this.#rechecksumFrom;
    const seedAt = from === 1 ? WAL_HEADER_BYTES - 8 : frameOffset(from - 2, pageSize) + CHECKSUM_AT;
    const seedBytes = new Uint8Array(8);
    wal.read(seedBytes, seedAt);
    const seed = { s0: view(seedBytes).getUint32(0), s1: view(seedBytes).getUint32(4) };
    connection.header = { ...connection.header, frameChecksum: seed };
    this.#rechecksumFrom = 0;
    for (let frame = from; frame <= lastFrame; frame++) {
      const bytes = new Uint8Array(frameBytes(pageSize));
      wal.read(bytes, frameOffset(frame - 1, pageSize));
      const { pgno, commit } = walFrameDecode(bytes, 0);
      this.#writeFrame(frame, { pgno, bytes: bytes.slice(WAL_FRAME_HEADER_BYTES) }, commit);
    }
  }

  /** Repeats the commit frame up to the next sector; returns how many frames that were. */
  #pad(last: DirtyPage, commit: number, sectorBytes: number): number {
    if (sectorBytes === 0) return 0;
    const connection = this.#connection;
    const bytesOf = frameBytes(connection.pageSize);
    const end = WAL_HEADER_BYTES + connection.header.mxFrame * bytesOf;
    const target = Math.ceil(end / sectorBytes) * sectorBytes;
    let count = 0;
    while (end + count * bytesOf < target) {
      count += 1;
      this.#writeFrame(connection.header.mxFrame + count, last, commit);
    }
    return count;
  }

  *#writeWalHeader(options: WriteOptions): Steps<void> {
    const connection = this.#connection;
    if (connection.sequence === 0) {
      const salts = { salt1: this.#chance.u32(), salt2: this.#chance.u32() };
      connection.header = { ...connection.header, ...salts };
    }
    const { pageSize, sequence } = connection;
    const { salt1, salt2 } = connection.header;
    const bytes = walHeaderEncode({ bigEndian: false, pageSize, sequence, salt1, salt2 });
    const seed = walHeaderDecode(bytes)!.seed;
    connection.header = { ...connection.header, pageSize, bigEndian: false, frameChecksum: seed };
    connection.disk.write(`${connection.path}-wal`, connection.files.wal, bytes, 0);
    yield 'wal header written';
    if (options.synchronous === 'off') return;
    this.#connection.fsyncWal();
    yield 'wal header fsynced';
  }

  /** walRestartLog: everything is in the main file and nobody reads the log, so it begins anew. */
  *#restartLog(): Steps<void> {
    const connection = this.#connection;
    if (connection.readMark !== 0) return;
    if (connection.shm.nBackfill > 0) {
      const salt = this.#chance.u32();
      if (connection.locks.exclude(READ_SLOTS, connection)) {
        yield* restartHeader(connection, salt);
        connection.locks.release(READ_SLOTS, connection);
      }
    }
    connection.locks.release([readSlot(0)], connection);
    connection.readMark = -1;
    connection.beginReadOfWal();
  }

  #end(): void {
    const connection = this.#connection;
    this.#rechecksumFrom = 0;
    connection.locks.release(['write'], connection);
    connection.hasWriteLock = false;
    connection.endRead();
  }
}

/** How a connection commits. */
export interface CommitOptions extends WriteOptions {
  /** Called in the moment in which other connections see the commit. */
  readonly onPublished: () => void;
}

/** walRestartHdr: a log of no frames, with the next salts. The log's file still says the old ones. */
export function* restartHeader(connection: SqliteConnection, salt2: number): Steps<void> {
  const { shm, header } = connection;
  connection.sequence = (connection.sequence + 1) >>> 0;
  connection.header = { ...header, mxFrame: 0, salt1: (header.salt1 + 1) >>> 0, salt2 };
  shm.framePgnos.length = 0;
  shm.writeCopy(2, connection.header);
  yield 'restart half written';
  shm.writeCopy(1, connection.header);
  // One step: a writer that dies between these stores while others keep the index open makes SQLite itself
  // lose commits, since the next checkpoint takes the old nBackfill for the log's.
  shm.nBackfill = 0;
  shm.nBackfillAttempted = 0;
  shm.setMark(1, 0);
  for (const i of [2, 3, 4]) shm.setMark(i);
  yield 'log restarted';
}
