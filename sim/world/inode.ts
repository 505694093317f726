/**
 * One file's content on a simulated disk: what the page cache holds, and what would survive a power failure.
 *
 * Contract: a write is in the page cache at once; it is on the disk after an fsync that began later. A power
 * failure keeps of everything else what chance says, in sectors: all, none, or any part, in any order.
 */

import { assert } from '../../src/base/assert.ts';
import type { SimChance } from './chance.ts';
import type { LockTable } from './locks.ts';

export const SECTOR_BYTES = 512;

/** A change that is in the page cache only. `bytes` null: the file was cut or stretched to `at`. */
interface Change {
  readonly order: number;
  readonly at: number;
  readonly bytes: Uint8Array | null;
}

/** Bytes that grow. */
class Content {
  #bytes = new Uint8Array(0);
  size = 0;

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - at));
    into.set(this.#bytes.subarray(at, at + count));
    return count;
  }

  write(bytes: Uint8Array, at: number): void {
    this.resize(Math.max(this.size, at + bytes.length));
    this.#bytes.set(bytes, at);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#bytes.length, 4096));
      larger.set(this.#bytes.subarray(0, this.size));
      this.#bytes = larger;
    }
    if (size < this.size) this.#bytes.fill(0, size, this.size);
    this.size = size;
  }

  copy(): Uint8Array {
    return this.#bytes.slice(0, this.size);
  }
}

/** One file, whatever its names. */
export class Inode {
  readonly ino: bigint;
  mode: number;
  uid: number;
  gid: number;
  mtimeMs: number;
  /** Locks that processes hold on it. */
  locks: LockTable | undefined;
  /** Never made durable by anybody, so nothing is kept of it: a `-shm`. */
  isVolatile = false;
  readonly #now = new Content();
  readonly #durable = new Content();
  #pending: Change[] = [];
  #order = 0;

  constructor(ino: bigint, owner: { mode: number; uid: number; gid: number }, mtimeMs: number) {
    this.ino = ino;
    this.mode = owner.mode;
    this.uid = owner.uid;
    this.gid = owner.gid;
    this.mtimeMs = mtimeMs;
  }

  get size(): number {
    return this.#now.size;
  }

  read(into: Uint8Array, at: number): number {
    return this.#now.read(into, at);
  }

  /** All bytes, as the page cache has them. */
  content(): Uint8Array {
    return this.#now.copy();
  }

  write(bytes: Uint8Array, at: number): void {
    this.#now.write(bytes, at);
    if (!this.isVolatile) this.#pending.push({ order: ++this.#order, at, bytes: bytes.slice() });
  }

  resize(size: number): void {
    this.#now.resize(size);
    if (!this.isVolatile) this.#pending.push({ order: ++this.#order, at: size, bytes: null });
  }

  /** The newest change: an fsync that begins at this moment covers it and all before it. */
  get order(): number {
    return this.#order;
  }

  /** Everything up to change `order` is on the disk. */
  settle(order: number): void {
    const later = this.#pending.findIndex((change) => change.order > order);
    const settled = later === -1 ? this.#pending : this.#pending.slice(0, later);
    for (const change of settled) this.#apply(change);
    this.#pending = later === -1 ? [] : this.#pending.slice(later);
  }

  /** The power fails: the page cache is gone, and chance says what had reached the disk. */
  losePower(chance: SimChance): void {
    const keep = chance.pick([0, 0.5, 0.9, 1]);
    for (const change of this.#pending) {
      if (change.bytes === null) {
        if (chance.flip(keep)) this.#apply(change);
        continue;
      }
      for (let from = 0; from < change.bytes.length;) {
        const at = change.at + from;
        const length = Math.min(change.bytes.length - from, SECTOR_BYTES - (at % SECTOR_BYTES));
        const bytes = change.bytes.subarray(from, from + length);
        if (chance.flip(keep)) this.#apply({ order: 0, at, bytes });
        from += length;
      }
    }
    this.#pending = [];
    this.#now.resize(0);
    this.#now.write(this.#durable.copy(), 0);
    assert(
      this.#now.size === this.#durable.size,
      'after a power failure the page cache is what the disk has',
    );
  }

  #apply(change: Change): void {
    if (change.bytes === null) this.#durable.resize(change.at);
    else this.#durable.write(change.bytes, change.at);
  }
}
