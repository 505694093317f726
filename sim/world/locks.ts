/**
 * The advisory locks on one file, by slot: a byte that SQLite locks, or a name.
 *
 * Contract: any number of owners share a slot, or one has it exclusively. An owner is a connection or a
 * process; its death releases everything.
 */

/**
 * SQLite's lock bytes in the `-shm` (120 … 128) and the main file; `file` is the lock of the `Files` port.
 */
export type Slot = 'write' | 'checkpoint' | 'recover' | 'dms' | 'main' | 'file' | `read${0 | 1 | 2 | 3 | 4}`;

/** Who holds a lock. */
export interface LockOwner {
  readonly label: string;
}

/** The slot of read mark `i`. */
export function readSlot(i: number): Slot {
  return `read${i as 0 | 1 | 2 | 3 | 4}`;
}

/** The locks on one file. */
export class LockTable {
  readonly #shared = new Map<Slot, Set<LockOwner>>();
  readonly #exclusive = new Map<Slot, LockOwner>();

  /** Whether `owner` shares `slot` from this moment on. */
  share(slot: Slot, owner: LockOwner): boolean {
    const holder = this.#exclusive.get(slot);
    if (holder !== undefined && holder !== owner) return false;
    const sharers = this.#shared.get(slot) ?? new Set();
    this.#shared.set(slot, sharers.add(owner));
    return true;
  }

  /** Whether `owner` has all of `slots` to itself from this moment on; all or none. */
  exclude(slots: readonly Slot[], owner: LockOwner): boolean {
    if (slots.some((slot) => this.#isHeldByOther(slot, owner))) return false;
    for (const slot of slots) this.#exclusive.set(slot, owner);
    return true;
  }

  release(slots: readonly Slot[], owner: LockOwner): void {
    for (const slot of slots) {
      this.#shared.get(slot)?.delete(owner);
      if (this.#exclusive.get(slot) === owner) this.#exclusive.delete(slot);
    }
  }

  /** Ends every lock of `owner`. */
  releaseAll(owner: LockOwner): void {
    for (const sharers of this.#shared.values()) sharers.delete(owner);
    for (const [slot, holder] of this.#exclusive) if (holder === owner) this.#exclusive.delete(slot);
  }

  /** Whether anybody at all holds `slot`. */
  isHeld(slot: Slot): boolean {
    return this.#exclusive.has(slot) || (this.#shared.get(slot)?.size ?? 0) > 0;
  }

  #isHeldByOther(slot: Slot, owner: LockOwner): boolean {
    const holder = this.#exclusive.get(slot);
    if (holder !== undefined && holder !== owner) return true;
    const sharers = this.#shared.get(slot);
    if (sharers === undefined || sharers.size === 0) return false;
    return sharers.size > 1 || !sharers.has(owner);
  }
}
