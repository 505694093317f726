/**
 * Landing: the file that a restore writes, beside the target until it is whole.
 *
 *     check ─▶ partial file beside ─▶ written ─▶ fsync
 *           ─▶ old database folded into one file ─▶ its sidecars removed ─▶ directory fsynced
 *           ─▶ partial file takes the name ─▶ directory fsynced
 *
 * The old main file and its `-wal` are one database: SQLite itself folds the one into the other
 * (`Databases.settle`), so that a crash at any point leaves the old database or the restored one, whole. Only
 * a file that SQLite does not take for a database may still have sidecars then. They go before the new file
 * comes, durably: an old `-wal` or `-journal` beside a new main file would be applied to it.
 *
 * Trap: a rollback-journal database that is open but idle holds no lock, and cannot be seen to be in use.
 */

import { assert } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import { hex } from '../base/bytes.ts';
import type { Fd, FileStat, Machine } from '../base/ports.ts';

export const LIMITS = {
  /** A partial file that nobody wrote to for so long is left from a process that was killed. */
  staleMs: 3_600_000,
  nameBytes: 8,
} as const;

const PARTIAL = '.restoring';
const SIDECARS = ['-journal', '-wal', '-shm'] as const;

/** Owner and permissions of the restored file. */
export type Ownership = Pick<FileStat, 'mode' | 'uid' | 'gid'>;

export interface LandingOptions {
  /** Replaces a database that is there. */
  readonly force: boolean;
  /** By default those of the file that is replaced; without one, the process's own, and 0600. */
  readonly own?: Ownership | undefined;
}

/**
 * Throws Fault `target-exists`, `target-in-use` or `target-not-a-file` unless a restore to `target` may
 * begin.
 */
export function targetCheck(machine: Machine, target: string, force: boolean): void {
  const { main, wal, shm, journal } = machine.databases.probe(target);
  if (main !== null && main.kind !== 'file') {
    throw new Fault('invalid', 'target-not-a-file', `${target} is a ${main.kind}, not a file`, {
      hint: 'name the file to restore to',
    });
  }
  const sidecars = [journal, wal, shm].some((stat) => stat !== null);
  const isEmpty = main === null || main.size === 0;
  if (!force && (!isEmpty || sidecars)) {
    const what = isEmpty ? `sidecars of ${target} exist (-wal, -shm or -journal)` : `${target} exists`;
    throw new Fault('invalid', 'target-exists', what, {
      hint: 'restore to another path, or give --force to replace the database',
    });
  }
  if (main !== null) settle(machine, target);
}

/** A restored file in the making. Dispose of it without `land`, and nothing is left. */
export class Landing implements AsyncDisposable {
  readonly #machine: Machine;
  readonly #target: string;
  readonly #options: LandingOptions;
  readonly #partial: string;
  readonly #fd: Fd;
  #isOpen = true;
  #isLanded = false;

  private constructor(machine: Machine, target: string, options: LandingOptions, partial: string) {
    this.#machine = machine;
    this.#target = target;
    this.#options = options;
    this.#partial = partial;
    this.#fd = machine.files.open(partial, 'create');
  }

  /**
   * Begins a file of `size` bytes, all zero. Throws Fault `target-space` where the disk has no room for it.
   */
  static async open(
    machine: Machine,
    target: string,
    size: number,
    options: LandingOptions,
  ): Promise<Landing> {
    const { files, chance } = machine;
    const dir = dirOf(target);
    if (files.stat(dir) === null) await files.mkdir(dir);
    sweep(machine, target);
    const free = files.freeBytes(dir);
    if (free < size) {
      throw new Fault(
        'unavailable',
        'target-space',
        `${dir} has ${free} bytes free, the database needs ${size}`,
        {
          hint: 'free some space, or restore to another disk',
        },
      );
    }
    const partial = `${partialPrefix(target)}${hex(chance.bytes(LIMITS.nameBytes))}${PARTIAL}`;
    const landing = new Landing(machine, target, options, partial);
    try {
      files.truncate(landing.#fd, size);
    } catch (error) {
      await landing[Symbol.asyncDispose]();
      throw error;
    }
    return landing;
  }

  write(bytes: Uint8Array, at: number): void {
    this.#machine.files.write(this.#fd, bytes, at);
  }

  /** Makes the file durable and gives it the target's name. Throws Fault `target-exists`, `target-in-use`. */
  async land(): Promise<void> {
    const { files, databases } = this.#machine;
    assert(this.#isOpen, 'a file lands once');
    const own = this.#options.own ?? databases.probe(this.#target).main;
    if (own !== null) files.own(this.#partial, own);
    await files.fsync(this.#fd);
    this.#close();
    targetCheck(this.#machine, this.#target, this.#options.force);
    const old = databases.probe(this.#target).main;
    if (old === null && !this.#options.force) this.#link();
    else await this.#replace();
    this.#isLanded = true;
    await files.fsyncDir(dirOf(this.#target));
  }

  /** Removes what did not land. A disk that refuses that must not hide why it did not land: it is logged. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { files, log } = this.#machine;
    try {
      this.#close();
      if (!this.#isLanded) files.remove(this.#partial);
    } catch (error) {
      if (!isFault(error)) throw error;
      log.warn('a partial file is left', { path: this.#partial, fault: error.message });
    }
  }

  /** Nobody's file is replaced, not even one that was made a moment ago. */
  #link(): void {
    const { files } = this.#machine;
    if (!files.link(this.#partial, this.#target)) {
      throw new Fault('invalid', 'target-exists', `${this.#target} was created meanwhile`, {
        hint: 'restore to another path, or give --force to replace the database',
      });
    }
    files.remove(this.#partial);
  }

  async #replace(): Promise<void> {
    const { files } = this.#machine;
    const removed = SIDECARS.filter((suffix) => files.remove(this.#target + suffix));
    if (removed.length > 0) await files.fsyncDir(dirOf(this.#target));
    files.rename(this.#partial, this.#target);
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#machine.files.close(this.#fd);
  }
}

/** Folds the old database into one file. What is too damaged for that is replaced as it is. */
function settle({ databases, log }: Machine, target: string): void {
  try {
    if (databases.settle(target)) return;
  } catch (error) {
    if (!isFault(error, 'corrupt')) throw error;
    log.warn('the database to be replaced is damaged', { path: target, fault: error.message });
    return;
  }
  throw new Fault('conflict', 'target-in-use', `${target} is open in another process`, {
    hint: 'stop whatever has it open (`fuser` names it), or restore to another path',
  });
}

/** Removes what restores to this target left that were killed. */
function sweep({ files, clock, log }: Machine, target: string): void {
  const dir = dirOf(target);
  const prefix = partialPrefix(target);
  for (const name of files.list(dir) ?? []) {
    const path = `${dir}/${name}`;
    if (!path.startsWith(prefix) || !name.endsWith(PARTIAL)) continue;
    const stat = files.stat(path);
    if (stat === null || clock.wallMs() - stat.mtimeMs < LIMITS.staleMs) continue;
    if (files.remove(path)) log.info('removed a partial file that a killed restore left', { path });
  }
}

function partialPrefix(target: string): string {
  return `${dirOf(target)}/.${target.slice(target.lastIndexOf('/') + 1)}.`;
}

function dirOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash);
}
