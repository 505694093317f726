/**
 * The open TXID: the commits captured since the last seal, as a set of dirty pages with their newest images.
 *
 * Frames come in runs that need not end at a commit; what follows the last commit frame is kept apart as the
 * pending transaction and joins the set when its commit frame comes. At each commit the pages beyond its size
 * leave the set (B6). Beyond `imageBytesMax` the images are let go and the set says so: the seal then takes a
 * difference.
 */

import { must } from '../base/assert.ts';
import { lockPage } from '../format/sqlite-header.ts';
import type { FrameRun } from './frame-run.ts';
import type { CommitCount } from './proof.ts';

/** Pages are cut from slabs: one buffer a page would keep the garbage collector busy, and passes late. */
export const LIMITS = { sparePagesMax: 2_048, slabBytes: 262_144 } as const;

/** What one open TXID captured. */
export interface DirtyPages {
  /**
   * The newest images. A page number without one is of a page by which the file grew: its content is in the
   * file.
   */
  readonly pages: Map<number, Uint8Array>;
  /** What a seal must hold, ascending. */
  readonly pgnos: Uint32Array;
  /** The database's size in pages after the newest commit, and the smallest since the last seal. */
  readonly size: number;
  readonly sizeMin: number;
  readonly commits: number;
}

export class OpenTxid {
  readonly #pageSize: number;
  readonly #lockPage: number;
  readonly #imageBytesMax: number;
  #pages = new Map<number, Uint8Array>();
  #pending = new Map<number, Uint8Array>();
  #spare: Uint8Array[] = [];
  /** The last frame seen, if it was a commit frame: what padding would repeat (B1). */
  #lastCommit: Uint8Array | null = null;
  #commits = 0;
  #size: number;
  #sizeMin: number;
  #overflowed = false;

  /** An open TXID on a database of `size` pages. */
  constructor(pageSize: number, size: number, imageBytesMax: number) {
    this.#pageSize = pageSize;
    this.#lockPage = lockPage(pageSize);
    this.#size = size;
    this.#sizeMin = size;
    this.#imageBytesMax = imageBytesMax;
  }

  /** Commits captured since the last seal. */
  get commits(): number {
    return this.#commits;
  }

  get imageBytes(): number {
    return this.#pages.size * this.#pageSize;
  }

  /** Images were let go: only a difference can seal this TXID. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Takes a run of verified frames, which continues the one before; returns what it counted. */
  absorb(run: FrameRun): CommitCount {
    const counted = run.countCommits(this.#lastCommit);
    const end = run.committedEnd();
    if (end > 0) this.#take(run, end);
    this.#commits += counted.commits;
    for (let i = end; i < run.count; i++) this.#put(this.#pending, run.pgno(i), run.image(i));
    if (run.count > 0) this.#lastCommit = end === run.count ? run.copy(end - 1) : null;
    this.#guardMemory();
    return counted;
  }

  /** Corrects the number of commits: some marks turned out to be padding. */
  recount(by: number): void {
    this.#commits += by;
  }

  /** Forgets frames behind the last commit frame: the log that held them is gone. */
  dropPending(): void {
    this.#recycle(this.#pending);
    this.#lastCommit = null;
  }

  /** Hands over what was captured, and starts the next TXID behind it. The pending transaction stays. */
  take(): DirtyPages {
    const taken = {
      pages: this.#pages,
      pgnos: this.#pgnos(),
      size: this.#size,
      sizeMin: this.#sizeMin,
      commits: this.#commits,
    };
    this.#pages = new Map();
    this.restart(this.#size);
    return taken;
  }

  /**
   * Starts the next TXID on a database of `size` pages, and forgets what was captured: a difference has it
   * all.
   */
  restart(size: number): void {
    this.#recycle(this.#pages);
    this.#commits = 0;
    this.#size = size;
    this.#sizeMin = size;
    this.#overflowed = false;
  }

  /** Gets back the images of pages that were taken. */
  recycle(taken: DirtyPages): void {
    this.#recycle(taken.pages);
  }

  /** The dirty pages and all pages by which the file grew, ascending (I6). */
  #pgnos(): Uint32Array {
    const all = [...this.#pages.keys()];
    for (let pgno = this.#sizeMin + 1; pgno <= this.#size; pgno++) {
      if (pgno !== this.#lockPage && !this.#pages.has(pgno)) all.push(pgno);
    }
    return Uint32Array.from(all).sort();
  }

  /**
   * Merges frames 0 … end−1, newest first: a frame counts if no later one has its page, and if every commit
   * from its own on keeps the page.
   */
  #take(run: FrameRun, end: number): void {
    const newest = new Map<number, number>();
    let sizeMin = Infinity;
    for (let i = end - 1; i >= 0; i--) {
      const commit = run.commit(i);
      if (commit !== 0) sizeMin = Math.min(sizeMin, commit);
      const pgno = run.pgno(i);
      if (pgno <= sizeMin && pgno !== this.#lockPage && !newest.has(pgno)) newest.set(pgno, i);
    }
    this.#merge(newest, sizeMin);
    for (const [pgno, index] of newest) this.#put(this.#pages, pgno, run.image(index));
    this.#size = run.commit(end - 1);
    this.#sizeMin = Math.min(this.#sizeMin, sizeMin);
  }

  /**
   * Moves the pending transaction into the set, under what `newer` frames say, and cuts the set to `sizeMin`.
   */
  #merge(newer: ReadonlyMap<number, number>, sizeMin: number): void {
    for (const [pgno, image] of this.#pending) {
      if (!newer.has(pgno) && pgno <= sizeMin && pgno !== this.#lockPage) this.#put(this.#pages, pgno, image);
    }
    this.#recycle(this.#pending);
    if (sizeMin >= this.#size) return;
    for (const [pgno, image] of this.#pages) {
      if (pgno > sizeMin) {
        this.#pages.delete(pgno);
        this.#spare.push(image);
      }
    }
  }

  #put(pages: Map<number, Uint8Array>, pgno: number, image: Uint8Array): void {
    let page = pages.get(pgno);
    if (page === undefined) {
      page = this.#free();
      pages.set(pgno, page);
    }
    page.set(image);
  }

  #free(): Uint8Array {
    if (this.#spare.length === 0) {
      const slab = new Uint8Array(Math.max(this.#pageSize, LIMITS.slabBytes));
      for (let at = 0; at < slab.length; at += this.#pageSize) {
        this.#spare.push(slab.subarray(at, at + this.#pageSize));
      }
    }
    return must(this.#spare.pop(), 'a slab holds a page');
  }

  #recycle(pages: Map<number, Uint8Array>): void {
    for (const image of pages.values()) {
      if (this.#spare.length >= LIMITS.sparePagesMax) break;
      this.#spare.push(image);
    }
    pages.clear();
  }

  #guardMemory(): void {
    if ((this.#pages.size + this.#pending.size) * this.#pageSize <= this.#imageBytesMax) return;
    this.#overflowed = true;
    this.#pages = new Map();
    this.#pending = new Map();
    this.#spare = [];
  }
}
