/**
 * Watches one database's `-wal`; where there is none, its directory.
 *
 * Never the main file or the `-shm`: on some systems a watch opens and closes what it watches (I12). Any
 * number of events in one turn of the event loop are one call, made at the end of the turn, so that what the
 * callback reads is not older than the last of them. `close` ends the system's watch at once: a watch on a
 * busy `-wal` costs the writer.
 */

import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

import { Fault } from '../base/fault.ts';
import type { Closer } from '../base/ports.ts';
import { identityOf } from './descriptors.ts';
import { fileStat } from './file-stat.ts';
import { isAbsence, systemCode, systemFault } from './system-fault.ts';

/** Watches the database whose main file is `real`; its directory must exist. */
export function watchDatabase(real: string, onChange: () => void): Closer {
  return new DatabaseWatch(real, onChange);
}

class DatabaseWatch implements Closer {
  readonly #wal: string;
  readonly #onChange: () => void;
  #watcher: FSWatcher | null = null;
  /** The identity of the `-wal` that is watched; `null`: the directory is. */
  #target: string | null = null;
  #isDue = false;
  #closed = false;

  constructor(real: string, onChange: () => void) {
    this.#wal = `${real}-wal`;
    this.#onChange = onChange;
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#disarm();
  }

  /**
   * Watches the `-wal` there is, or the directory; looks again afterwards, since either may change meanwhile.
   */
  #arm(): void {
    do {
      this.#disarm();
      this.#target = this.#present();
      if (this.#target !== null && !this.#start(this.#wal)) this.#target = null;
      if (this.#target === null && !this.#start(dirname(this.#wal))) {
        throw new Fault('invalid', 'directory-missing', `there is no directory ${dirname(this.#wal)}`, {
          hint: 'give the path of the file that the application opens',
        });
      }
    } while (this.#present() !== this.#target);
  }

  #present(): string | null {
    const stat = fileStat(this.#wal);
    return stat === null ? null : identityOf(stat);
  }

  #start(path: string): boolean {
    try {
      this.#watcher = watch(path, () => this.#due());
      // Such as a directory that was deleted: the watch is dead, and the caller's own looks have to do.
      this.#watcher.on('error', () => this.#due());
      return true;
    } catch (error) {
      if (isAbsence(error)) return false;
      if (systemCode(error) !== 'ENOSPC') throw systemFault('watch', path, error);
      throw new Fault('unavailable', 'watches-exhausted', `cannot watch ${path}: no file watches left`, {
        cause: error,
        hint: 'raise the limit (`sysctl fs.inotify.max_user_watches`)',
      });
    }
  }

  #disarm(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #due(): void {
    if (this.#isDue || this.#closed) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (this.#closed) return;
      this.#follow();
      this.#onChange();
    });
  }

  /** Turns to another `-wal`, or to the directory, when the one that is watched is gone. */
  #follow(): void {
    try {
      if (this.#present() !== this.#target) this.#arm();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#disarm();
    }
  }
}
