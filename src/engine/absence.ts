/**
 * The absence of a database: whether it may still be in the making, or was lost.
 *
 * An application that starts after Millrace makes its file, then switches it to WAL mode: that is worth
 * waiting for. An archive that holds a database says that it was lost (I10): nothing that appears at the path
 * may continue it unseen.
 */

import { Fault } from '../base/fault.ts';
import type { Machine } from '../base/ports.ts';
import type { Archive } from '../storage/archive.ts';

/** How long a database may be without WAL mode before that is an error. */
export const LIMITS = { walGraceMs: 10_000 } as const;

export class Absence {
  readonly #machine: Machine;
  readonly #database: string;
  readonly #archive: Archive;
  #reason: Fault | null = null;
  #notWalSinceMs = 0;

  constructor(machine: Machine, database: string, archive: Archive) {
    this.#machine = machine;
    this.#database = database;
    this.#archive = archive;
  }

  /** Why there is no database to replicate yet; `null`: there is one, or it was not looked for. */
  get reason(): Fault | null {
    return this.#reason;
  }

  /** The database is there. */
  end(): void {
    this.#reason = null;
  }

  /**
   * Takes note of why it could not be opened; throws that, or a better reason, where waiting would not help.
   */
  async wait(fault: Fault): Promise<{ readonly isNews: boolean }> {
    const isNews = this.#reason?.message !== fault.message;
    const isFirst = this.#reason?.code !== fault.code;
    if (!(await this.#isInTheMaking(fault, isFirst))) throw fault;
    this.#reason = fault;
    return { isNews };
  }

  async #isInTheMaking(fault: Fault, isFirst: boolean): Promise<boolean> {
    if (fault.code === 'database-missing' || fault.code === 'database-empty') {
      // Asked once, not at every look (I11): `continuity` meets what another writer brings later.
      if (isFirst && (await this.#archive.head()) !== null) throw this.#lost();
      return true;
    }
    if (fault.code !== 'not-wal') return false;
    const { clock, databases } = this.#machine;
    if (isFirst) this.#notWalSinceMs = clock.monoMs();
    const { main } = databases.probe(this.#database);
    const ageMs = main === null ? 0 : clock.wallMs() - main.mtimeMs;
    return Math.max(ageMs, clock.monoMs() - this.#notWalSinceMs) < LIMITS.walGraceMs;
  }

  #lost(): Fault {
    const message = `there is no database at ${this.#database}, and ${this.#archive.url} holds one`;
    const hint = `millrace restore -o ${this.#database} ${this.#archive.url}`;
    return new Fault('invalid', 'database-missing', message, { hint });
  }
}
