/**
 * Capture of one database: attached to its log while there is one, at rest otherwise.
 *
 * Owns the handle, the observer and the open TXID. It connects only when `-wal` and `-shm` exist (C1), follows the
 * commits, and after a gap reads the whole state.
 */

import { must } from '../base/assert.ts';
import { Fault } from '../base/fault.ts';
import type { DatabaseHandle, Machine } from '../base/ports.ts';
import { Slices } from '../base/task.ts';
import { DATABASE_HEADER_BYTES, databaseHeaderDecode } from '../format/sqlite-header.ts';
import { readAtRest, readAttached, readMainFile } from './image.ts';
import type { Reading, Visitor } from './image.ts';
import { Observer } from './observer.ts';
import type { Pass, Verdicts } from './observer.ts';
import { OpenTxid } from './open-txid.ts';
import type { DirtyPages } from './open-txid.ts';
import type { WalPosition } from './position.ts';
import { Seal } from './seal.ts';

export const LIMITS = { sealBatchBytes: 131_072 } as const;

export interface CaptureOptions {
  /** Images held at most; beyond, a difference seals. */
  readonly imageBytesMax: number;
  readonly verdicts?: Verdicts | undefined;
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
  readonly #options: CaptureOptions;
  #open: OpenTxid;
  #observer: Observer | null = null;
  #position: WalPosition | null = null;
  /** What the main file was when its state at rest was read. */
  #restStamp: string | null = null;

  private constructor(machine: Machine, handle: DatabaseHandle, pageSize: number, options: CaptureOptions) {
    this.#machine = machine;
    this.#handle = handle;
    this.pageSize = pageSize;
    this.#options = options;
    this.#open = new OpenTxid(pageSize, 0, options.imageBytesMax);
  }

  /** Opens `database`. Faults: `database-missing`, `database-empty`, `not-a-database`, `not-wal`, and those of attach. */
  static open(machine: Machine, database: string, options: CaptureOptions): Capture {
    const handle = machine.databases.open(database);
    try {
      const capture = new Capture(machine, handle, walPageSize(handle), options);
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

  /** Whether the path means another file than the one that was opened (B7). */
  isReplaced(): boolean {
    const { main, wal } = this.#machine.databases.probe(this.#handle.path);
    const was = this.#handle;
    if (main === null || main.dev !== was.main.dev || main.ino !== was.main.ino) return true;
    return was.wal !== null && (wal === null || wal.ino !== was.wal.ino || wal.dev !== was.wal.dev);
  }

  /** Connects, if `-wal` and `-shm` exist and it did not yet. */
  attach(): void {
    if (this.#observer !== null) return;
    const { wal, shm } = this.#machine.databases.probe(this.#handle.path);
    if (wal === null || shm === null) return;
    this.#handle.attach();
    this.#observer = new Observer(this.#machine.clock, this.#handle, this.#open, {
      pageSize: this.pageSize,
      position: this.#position,
      verdicts: this.#options.verdicts,
    });
  }

  /** Looks for commits. At rest there are none until the main file changes or a log appears: then it is a gap. */
  async pass(): Promise<Pass> {
    if (this.#observer !== null) return await this.#observer.pass();
    const asOfMs = this.#machine.clock.wallMs();
    if (this.#restStamp !== null && this.#restStamp === this.#stamp()) return { found: 'nothing', asOfMs };
    return { found: 'gap', reason: 'the database is at rest and its state is not known' };
  }

  /**
   * Reads the whole state, and goes on behind it. The open TXID is forgotten: the state contains it. `null`: the state
   * did not hold still, look again.
   */
  async read<T>(begin: () => Visitor<T>): Promise<Reading<T> | null> {
    const subject = { handle: this.#handle, pageSize: this.pageSize };
    const observer = this.#observer;
    if (observer === null) return await this.#readAtRest(begin);
    return await readAttached(this.#machine.clock, subject, begin, async ({ size, position }) => {
      this.#open.restart(size);
      observer.moveTo(must(position, 'an attached database has a log'));
      // What was committed meanwhile is taken under the pin, before the log can restart.
      await observer.pass();
    });
  }

  /** Reads the main file alone: what the last checkpoint left, if nobody checkpoints meanwhile. */
  async readMainFile<T>(begin: () => Visitor<T>): Promise<T> {
    return await readMainFile(this.#machine.clock, { handle: this.#handle, pageSize: this.pageSize }, begin);
  }

  /** Encodes what was taken from the open TXID; pages by which the file grew and that no frame holds are read. */
  async seal(taken: DirtyPages): Promise<Seal> {
    const seal = new Seal(this.pageSize);
    const slices = new Slices(this.#machine.clock);
    const batch = Math.max(1, Math.floor(LIMITS.sealBatchBytes / this.pageSize));
    for (let at = 0; at < taken.pgnos.length; at += batch) {
      const pgnos = taken.pgnos.slice(at, at + batch);
      const pages = new Uint8Array(pgnos.length * this.pageSize);
      for (const [i, pgno] of pgnos.entries()) {
        const image = taken.pages.get(pgno);
        const page = pages.subarray(i * this.pageSize, (i + 1) * this.pageSize);
        if (image === undefined) this.#handle.readMain(page, (pgno - 1) * this.pageSize);
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

  async #readAtRest<T>(begin: () => Visitor<T>): Promise<Reading<T> | null> {
    const { clock, databases } = this.#machine;
    const stamp = this.#stamp();
    const reading = await readAtRest(clock, databases, { handle: this.#handle, pageSize: this.pageSize }, begin);
    if (reading === null) return null;
    this.#open.restart(reading.size);
    this.#restStamp = stamp;
    return reading;
  }

  #stamp(): string {
    const { main } = this.#machine.databases.probe(this.#handle.path);
    return main === null ? '' : `${main.size} ${main.mtimeMs}`;
  }
}

/** The page size of a database in WAL mode. */
function walPageSize(handle: DatabaseHandle): number {
  const bytes = new Uint8Array(DATABASE_HEADER_BYTES);
  const size = handle.readMain(bytes, 0);
  if (size === 0) {
    throw new Fault('invalid', 'database-empty', `${handle.path} is empty`, {
      hint: 'an application has to create its tables first; to bring back a lost database, use `millrace restore`',
    });
  }
  const header = databaseHeaderDecode(bytes.subarray(0, size));
  if (header.journal === 'wal') return header.pageSize;
  throw new Fault('invalid', 'not-wal', `${handle.path} is in rollback-journal mode; commits can be followed in WAL mode`, {
    hint: `switch it once, it stays so: sqlite3 ${handle.path} 'PRAGMA journal_mode=WAL'`,
  });
}
