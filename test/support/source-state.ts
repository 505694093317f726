/**
 * The committed state of a database, page by page, read from its files while nobody writes them: the truth
 * that a restore is compared with. It uses the codecs of src/format, and nothing of the engine.
 *
 * As SQLite reads: a page is its newest frame up to the last commit of the log, else what the main file
 * holds. That counts frames from before a shrink as well: SQLite's index keeps them, and a checkpoint copies
 * them if the file has grown again.
 *
 * Trap: closing these descriptors would drop SQLite's locks, if this process had the database open (I12).
 */

import { existsSync, readFileSync } from 'node:fs';

import { must } from '../../src/base/assert.ts';
import { walVerify } from '../../src/format/kernel.ts';
import * as wal from '../../src/format/wal.ts';

/** One frame of the log: which page, and the database's size if it commits, else 0. */
interface Frame {
  readonly pgno: number;
  readonly commit: number;
}

/** A log, up to its last commit. */
interface Log {
  readonly frames: readonly Frame[];
  /** Salts: they name a generation of the log. */
  readonly generation: string;
  readonly page: (index: number) => Uint8Array;
}

/** A state, whole. */
export interface SourceState {
  readonly pageSize: number;
  /** In pages. */
  readonly size: number;
  readonly bytes: Uint8Array;
  /**
   * Pages that no frame held since the file grew to have them, as far as the watch saw: SQLite leaves none.
   */
  readonly unwritten: readonly number[];
}

/** Page `pgno` of a database's bytes. */
export function pageIn(bytes: Uint8Array, pgno: number, pageSize: number): Uint8Array {
  return bytes.subarray((pgno - 1) * pageSize, pgno * pageSize);
}

/** Looks at a database's log after each of its transactions, and reads whole states. */
export class SourceWatch {
  readonly #path: string;
  readonly #pageSize: number;
  #generation = '';
  #seen = 0;
  #written = new Set<number>();

  /** A watch from the beginning of the database on. */
  constructor(path: string, pageSize: number) {
    this.#path = path;
    this.#pageSize = pageSize;
  }

  /** Takes note of the frames since the last look. Frames that were overwritten in between are missed. */
  look(): void {
    this.#note(this.#log());
  }

  /** The committed state. Nobody may write meanwhile. */
  state(): SourceState {
    const log = this.#log();
    this.#note(log);
    const pageSize = this.#pageSize;
    const main = new Uint8Array(readFileSync(this.#path));
    const size = log.frames.at(-1)?.commit ?? main.length / pageSize;
    const bytes = new Uint8Array(size * pageSize);
    bytes.set(main.subarray(0, bytes.length));
    for (const [i, { pgno }] of log.frames.entries()) {
      if (pgno <= size) bytes.set(log.page(i), (pgno - 1) * pageSize);
    }
    const all = Array.from({ length: size }, (_, i) => i + 1);
    return { pageSize, size, bytes, unwritten: all.filter((pgno) => !this.#written.has(pgno)) };
  }

  #note({ frames, generation }: Log): void {
    const from = generation === this.#generation ? this.#seen : 0;
    let transaction: number[] = [];
    for (const { pgno, commit } of frames.slice(from)) {
      transaction.push(pgno);
      if (commit === 0) continue;
      for (const written of transaction) this.#written.add(written);
      for (const written of this.#written) if (written > commit) this.#written.delete(written);
      transaction = [];
    }
    this.#generation = generation;
    this.#seen = frames.length;
  }

  #log(): Log {
    const path = `${this.#path}-wal`;
    const bytes = existsSync(path) ? new Uint8Array(readFileSync(path)) : new Uint8Array(0);
    const header = wal.walHeaderDecode(bytes);
    if (header === null) return { frames: [], generation: '', page: () => new Uint8Array(0) };
    const step = wal.frameBytes(this.#pageSize);
    const whole = wal.frameCount(bytes.length, this.#pageSize) * step;
    const body = bytes.subarray(wal.WAL_HEADER_BYTES, wal.WAL_HEADER_BYTES + whole);
    const sound = walVerify(body, header).frames;
    const frames: Frame[] = [];
    for (let i = 0; i < sound; i++) frames.push(wal.walFrameDecode(body, i * step));
    while (frames.at(-1)?.commit === 0) frames.pop();
    return {
      frames,
      generation: `${header.salt1} ${header.salt2}`,
      page: (index) => {
        must(frames[index], 'a frame of the log');
        return body.subarray(index * step + wal.WAL_FRAME_HEADER_BYTES, (index + 1) * step);
      },
    };
  }
}
