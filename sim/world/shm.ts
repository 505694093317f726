/**
 * The `-shm` of a simulated database: real bytes for header, marks and checkpoint record; the page numbers of
 * frames beside them (nothing in Millrace reads SQLite's hash tables).
 *
 * Contract: header copies are written one at a time, second copy first, as SQLite does, so that a reader may
 * see them differ. Source: wal.c, walIndexWriteHdr, walIndexTryHdr.
 */

import { view } from '../../src/base/bytes.ts';
import {
  READ_MARK_UNUSED,
  WAL_INDEX_HEADER_BYTES,
  walIndexDecode,
  walIndexEncode,
} from '../../src/format/wal-index.ts';
import type { WalIndexFields } from '../../src/format/wal-index.ts';
import type { SimDisk } from './disk.ts';
import type { Inode } from './inode.ts';

export const SHM_BYTES = 32_768;
const COPY_BYTES = 48;
const BACKFILL = 96;
const MARKS = 100;
const ATTEMPTED = 128;

/** The header proper, as each connection keeps a private copy. */
export type IndexHeader = Omit<WalIndexFields, 'nBackfill' | 'nBackfillAttempted' | 'readMarks'>;

/** What a header of zeros says. */
export const EMPTY_HEADER: IndexHeader = {
  iChange: 0,
  bigEndian: false,
  pageSize: 0,
  mxFrame: 0,
  nPage: 0,
  frameChecksum: { s0: 0, s1: 0 },
  salt1: 0,
  salt2: 0,
};

/** A `-shm`, shared by all connections to its database. */
export class ShmFile {
  static readonly #open = new WeakMap<Inode, ShmFile>();

  readonly inode: Inode;
  readonly path: string;
  /** The page number of each frame (frame 1 first), of uncommitted ones as well. */
  readonly framePgnos: number[] = [];
  /** Told after a recovery, by whichever connection. */
  onRecovered: (() => void) | undefined;
  /** Makes the connection that is writing take its next step, if there is one: others wait for its locks. */
  writerStep: (() => boolean) | undefined;
  readonly #disk: SimDisk;

  private constructor(disk: SimDisk, path: string, inode: Inode) {
    this.#disk = disk;
    this.path = path;
    this.inode = inode;
  }

  /** The one object for the file at `path`. */
  static at(disk: SimDisk, path: string, inode: Inode): ShmFile {
    const shm = ShmFile.#open.get(inode) ?? new ShmFile(disk, path, inode);
    ShmFile.#open.set(inode, shm);
    return shm;
  }

  resize(size: number): void {
    this.#disk.resize(this.path, this.inode, size);
  }

  /** The header, as SQLite reads it; null: torn, or never written. */
  header(): IndexHeader | null {
    if (this.inode.size < SHM_BYTES) return null;
    const bytes = new Uint8Array(WAL_INDEX_HEADER_BYTES);
    this.inode.read(bytes, 0);
    const index = walIndexDecode(bytes);
    if (index.torn !== null) return null;
    const { iChange, bigEndian, pageSize, mxFrame, nPage, frameChecksum, salt1, salt2 } = index;
    return { iChange, bigEndian, pageSize, mxFrame, nPage, frameChecksum, salt1, salt2 };
  }

  /** Whether copy 1 in the file is exactly this header. */
  holds(header: IndexHeader): boolean {
    const bytes = new Uint8Array(COPY_BYTES);
    this.inode.read(bytes, 0);
    const own = encode(header);
    return bytes.every((byte, i) => byte === own[i]);
  }

  /** Writes one copy of the header. A publisher writes copy 2, then copy 1. */
  writeCopy(copy: 1 | 2, header: IndexHeader): void {
    this.#disk.write(this.path, this.inode, encode(header), copy === 1 ? 0 : COPY_BYTES);
  }

  get nBackfill(): number {
    return this.#u32(BACKFILL);
  }

  set nBackfill(value: number) {
    this.#setU32(BACKFILL, value);
  }

  set nBackfillAttempted(value: number) {
    this.#setU32(ATTEMPTED, value);
  }

  mark(i: number): number {
    return this.#u32(MARKS + 4 * i);
  }

  setMark(i: number, value: number = READ_MARK_UNUSED): void {
    this.#setU32(MARKS + 4 * i, value);
  }

  #u32(at: number): number {
    const bytes = new Uint8Array(4);
    this.inode.read(bytes, at);
    return view(bytes).getUint32(0, true);
  }

  #setU32(at: number, value: number): void {
    const bytes = new Uint8Array(4);
    view(bytes).setUint32(0, value, true);
    this.#disk.write(this.path, this.inode, bytes, at);
  }
}

function encode(header: IndexHeader): Uint8Array {
  const fields = { ...header, nBackfill: 0, nBackfillAttempted: 0, readMarks: [0, 0, 0, 0, 0] };
  return walIndexEncode(fields).subarray(0, COPY_BYTES);
}
