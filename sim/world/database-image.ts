/**
 * The pages of a database in the model, and how one transaction changes them.
 *
 * Contract: arrays of pages and pages themselves are never changed in place; states share them.
 */

import { assert } from '../../src/base/assert.ts';
import { bytesEqual } from '../../src/base/bytes.ts';
import type { Pgno } from '../../src/base/ids.ts';
import { DATABASE_HEADER_BYTES, databaseHeaderEncode } from '../../src/format/sqlite-header.ts';
import type { SimChance } from './chance.ts';
import type { DirtyPage } from './sqlite-writer.ts';

/** A table's b-tree page without cells: what follows it on the page is free space. */
const EMPTY_LEAF = 0x0d;

/** What one transaction does. Pages given as numbers get random bytes. */
export interface Changes {
  /** Pages to write at commit. Page 1's header is SQLite's; it is written whenever the size changes. */
  readonly pages: readonly number[] | ReadonlyMap<number, Uint8Array>;
  /** The size in pages afterwards; as it was, or as large as the pages need, where it is not given. */
  readonly size?: number;
  /** Batches of pages that are written to the log before the commit. They may lie beyond the size. */
  readonly spill?: readonly (readonly number[])[];
  /** Pages that the database grows by without ever writing them (free-list leaves). */
  readonly unwritten?: readonly number[];
}

/** The frames of one transaction, in order. */
export interface TransactionFrames {
  readonly spills: readonly (readonly DirtyPage[])[];
  /** Never empty, unless the transaction changes nothing at all. */
  readonly commit: readonly DirtyPage[];
}

/** A database's pages. */
export class DatabaseImage {
  readonly pageSize: number;
  #pages: readonly Uint8Array[];
  #unwritten: ReadonlySet<Pgno>;

  constructor(pageSize: number, pages: readonly Uint8Array[], unwritten: ReadonlySet<Pgno> = new Set()) {
    this.pageSize = pageSize;
    this.#pages = pages;
    this.#unwritten = unwritten;
  }

  get pages(): readonly Uint8Array[] {
    return this.#pages;
  }

  get unwritten(): ReadonlySet<Pgno> {
    return this.#unwritten;
  }

  /** Whether these pages are this image, whatever the unwritten ones hold. */
  isEqual(pages: readonly Uint8Array[]): boolean {
    if (pages.length !== this.#pages.length) return false;
    return pages.every(
      (page, i) => this.#unwritten.has((i + 1) as Pgno) || bytesEqual(page, this.#pages[i]!),
    );
  }

  /** Changes the image, and says which frames do so. */
  change(changes: Changes, chance: SimChance): TransactionFrames {
    const before = this.#pages.length;
    const writes = writesOf(changes, this.pageSize, chance);
    const spills = (changes.spill ?? []).map((batch) => this.#batch(batch, chance));
    const unwritten = changes.unwritten ?? [];
    const size = changes.size ?? Math.max(before, ...writes.keys(), ...unwritten);
    assert(size >= 1, 'a database has at least one page');
    const spilled = spills.flat().filter((page) => page.pgno <= size);
    const isChanged = writes.size > 0 || spills.length > 0 || size !== before || unwritten.length > 0;
    for (const pgno of writes.keys()) if (pgno > size) writes.delete(pgno);
    if (isChanged && (size !== before || writes.size === 0 || unwritten.length > 0))
      writes.set(1, chance.bytes(0));
    if (writes.has(1)) writes.set(1, firstPage(this.pageSize, size, chance.u32(), chance));
    const commit = [...writes].sort(([a], [b]) => a - b).map(([pgno, bytes]) => ({ pgno, bytes }));
    this.#apply([...spilled, ...commit], size, unwritten);
    return { spills, commit };
  }

  #batch(batch: readonly number[], chance: SimChance): readonly DirtyPage[] {
    const sorted = [...new Set(batch)].sort((a, b) => a - b);
    return sorted.map((pgno) => ({ pgno, bytes: randomPage(pgno, this.pageSize, chance) }));
  }

  #apply(frames: readonly DirtyPage[], size: number, unwritten: readonly number[]): void {
    const before = this.#pages.length;
    const pages = this.#pages.slice(0, size);
    const gone = new Set([...this.#unwritten].filter((pgno) => pgno <= size));
    for (const pgno of unwritten) {
      assert(pgno > before && pgno <= size, () => `page ${pgno} is not one that the database grows by`);
    }
    // A page that is allocated and freed in one transaction has no frame, so its content is whatever is
    // there.
    while (pages.length < size) {
      pages.push(new Uint8Array(this.pageSize));
      gone.add(pages.length as Pgno);
    }
    for (const { pgno, bytes } of frames) {
      pages[pgno - 1] = bytes;
      gone.delete(pgno as Pgno);
    }
    this.#pages = pages;
    this.#unwritten = gone;
  }
}

/** Page 1: a SQLite header and an empty schema, then anything. */
export function firstPage(
  pageSize: number,
  sizePages: number,
  changeCounter: number,
  chance: SimChance,
): Uint8Array {
  const page = chance.bytes(pageSize);
  const header = databaseHeaderEncode({
    pageSize,
    journal: 'wal',
    reservedBytes: 0,
    changeCounter,
    sizePages,
    schemaCookie: 1,
    largestRoot: 0,
    userVersion: 0,
    applicationId: 0,
    versionValidFor: changeCounter,
    sqliteVersion: 3_053_004,
  });
  page.set(header.subarray(0, DATABASE_HEADER_BYTES));
  page.set([EMPTY_LEAF, 0, 0, 0, 0, (pageSize >> 8) & 0xff, pageSize & 0xff, 0], DATABASE_HEADER_BYTES);
  return page;
}

function randomPage(pgno: number, pageSize: number, chance: SimChance): Uint8Array {
  return pgno === 1 ? firstPage(pageSize, 1, chance.u32(), chance) : chance.bytes(pageSize);
}

function writesOf(changes: Changes, pageSize: number, chance: SimChance): Map<number, Uint8Array> {
  const given = changes.pages;
  if (!Array.isArray(given)) return new Map(given as ReadonlyMap<number, Uint8Array>);
  return new Map((given as readonly number[]).map((pgno) => [pgno, randomPage(pgno, pageSize, chance)]));
}
