/**
 * The model: every state that the application ever committed, in order, and which of them a database image
 * is.
 *
 * Contract: an image equals a state if it has its size and its bytes, but for pages that SQLite allocated and
 * never wrote (free-list leaves), which may hold anything. Equal states happen: an image may be several of
 * them.
 * Trap: after a power failure the newest states may be gone from the disk; they were committed all the same,
 * and an archive may hold them.
 */

import { assert } from '../src/base/assert.ts';
import type { Pgno } from '../src/base/ids.ts';
import { fold } from './world/trace.ts';

/** One committed state of a database. */
export interface CommittedState {
  /** Its number, from 0. */
  readonly index: number;
  readonly pageSize: number;
  /** Its pages: page `pgno` is at `pgno - 1`. Never changed in place. */
  readonly pages: readonly Uint8Array[];
  /** Pages that were allocated but never written. */
  readonly unwritten: ReadonlySet<Pgno>;
  /** The number of the state it was made from; -1 for the first. */
  readonly parent: number;
  /** When it became visible to others, in virtual time. */
  readonly atMs: number;
}

/** From `atMs` on the database was in state `index`. */
export interface Moment {
  readonly index: number;
  readonly atMs: number;
}

/** What became of a database so far. */
export class CommitHistory {
  readonly #states: CommittedState[] = [];
  readonly #hashes: (readonly number[])[] = [];
  /** The state that the database has at present. */
  #head = -1;
  readonly #timeline: Moment[] = [];

  get states(): readonly CommittedState[] {
    return this.#states;
  }

  /** The present state. */
  get head(): CommittedState {
    const state = this.#states[this.#head];
    assert(state !== undefined, 'a database has a state');
    return state;
  }

  /** A commit became visible. */
  commit(state: Omit<CommittedState, 'index' | 'parent'>): CommittedState {
    const whole = { ...state, index: this.#states.length, parent: this.#head };
    this.#states.push(whole);
    this.#hashes.push(
      hashesOf(whole.pages, this.#head === -1 ? [] : this.#hashes[this.#head]!, this.#parentPages()),
    );
    this.#head = whole.index;
    this.#timeline.push({ index: whole.index, atMs: whole.atMs });
    return whole;
  }

  /** Which state the database had, one moment after the other: commits, and returns to an older state. */
  get timeline(): readonly Moment[] {
    return this.#timeline;
  }

  /** A power failure took the newest states off the disk: the database is at `index` again. */
  rewind(index: number, atMs: number): void {
    assert(index >= 0 && index < this.#states.length, () => `no state ${index}`);
    this.#head = index;
    this.#timeline.push({ index, atMs });
  }

  /** The numbers of all states that `pages` is, ascending. */
  find(pages: readonly Uint8Array[]): readonly number[] {
    const hashes = pages.map((page) => fold(page));
    return this.#states.filter((state) => this.#isEqual(state, hashes)).map((state) => state.index);
  }

  #parentPages(): readonly Uint8Array[] {
    return this.#states[this.#head]?.pages ?? [];
  }

  #isEqual(state: CommittedState, hashes: readonly number[]): boolean {
    if (state.pages.length !== hashes.length) return false;
    const own = this.#hashes[state.index]!;
    for (let i = 0; i < hashes.length; i++) {
      if (own[i] !== hashes[i] && !state.unwritten.has((i + 1) as Pgno)) return false;
    }
    return true;
  }
}

/** Pages are shared between states, so that only those that changed are hashed again. */
function hashesOf(
  pages: readonly Uint8Array[],
  before: readonly number[],
  beforePages: readonly Uint8Array[],
): readonly number[] {
  return pages.map((page, i) => (page === beforePages[i] ? before[i]! : fold(page)));
}
