/**
 * The replicator: keeps the archive of one database up with it, for as long as it runs.
 *
 * Watches when quiet, polls when busy; waits for a database that is not there yet; begins a new session when
 * the file is replaced or the store was out of reach. What a session does is its own matter.
 */

import { assert, must } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import type { Machine } from '../base/ports.ts';
import { backoffMs } from '../base/retry.ts';
import { Bell } from '../base/task.ts';
import type { Archive } from '../storage/archive.ts';
import { Absence } from './absence.ts';
import type { Durable } from './chain.ts';
import { DurabilityGoal } from './durability-goal.ts';
import { Lookout } from './lookout.ts';
import type { Verdicts } from './observer.ts';
import type { ReplicateEvent, ReplicateOptions, ReplicateStatus } from './replicate-options.ts';
import { Session } from './session.ts';
import type { SessionOptions } from './session.ts';

export const LIMITS = {
  /** Images of the open TXID at which it is sealed, and at which they are let go for a difference. */
  sealBytesMax: 16_777_216,
  imageBytesMax: 67_108_864,
  uploadIntervalMs: 1_000,
  idleFlushMs: 50,
  /** How often a database that is not there is looked for. */
  missingMs: 1_000,
  drainMs: 30_000,
} as const;

/** A replicator's options, and what only tests exchange. */
export interface ReplicatorOptions extends ReplicateOptions {
  /** The verdicts that capture rests on. */
  readonly verdicts?: Verdicts | undefined;
}

export class Replicator {
  readonly #machine: Machine;
  readonly #database: string;
  readonly #archive: Archive;
  readonly #options: ReplicatorOptions;
  readonly #lookout: Lookout;
  readonly #absence: Absence;
  readonly #bell = new Bell();
  readonly #waiting = new Set<() => void>();
  #session: Session | null = null;
  #durable: Durable | null = null;
  #attempt = 0;
  /** Pending while `run` or `once` is at work. */
  #driving: Promise<void> | null = null;
  /** `--continue` was carried out: it holds for one start. */
  #isContinued = false;
  /** Aborts when it is over, whatever is still to be done. */
  readonly #over = new AbortController();

  private constructor(machine: Machine, database: string, archive: Archive, options: ReplicatorOptions) {
    this.#machine = machine;
    this.#database = database;
    this.#archive = archive;
    this.#options = options;
    this.#lookout = new Lookout(machine.clock, machine.databases, database, () => this.#bell.ring());
    this.#absence = new Absence(machine, database, archive);
  }

  /**
   * Settles continuity, unless the database is not there yet or the store is out of reach. Faults:
   * `already-replicated`,
   * `database-missing` (the archive has one to restore), `not-a-database`, `database-exclusive`,
   * `database-differs`, `other-writer` …
   */
  static async open(
    machine: Machine,
    database: string,
    archive: Archive,
    options: ReplicatorOptions = {},
  ): Promise<Replicator> {
    const replicator = new Replicator(machine, database, archive, options);
    try {
      await replicator.#begin();
    } catch (error) {
      // A store that is out of reach is no reason not to start: what is committed meanwhile is found later.
      if (!isFault(error, 'unavailable')) throw error;
      await replicator.#recover(error);
    }
    return replicator;
  }

  /**
   * Replicates until `signal` aborts, then makes durable what is committed and closes. Fault `not-durable`.
   */
  async run(signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    try {
      const work = this.#replicate(signal).finally(() => done.abort());
      await Promise.all([work, this.#limit(signal, done.signal)]);
    } finally {
      await this.close();
    }
  }

  /**
   * Makes everything durable that is committed, once, and returns the newest TXID; `null` if there was
   * nothing new. Fault `not-durable` if `signal` aborts before.
   */
  async once(signal: AbortSignal = new AbortController().signal): Promise<Durable | null> {
    if (this.#absence.reason !== null) throw this.#absence.reason;
    if (!(await this.#flush(signal))) throw this.#notDurable();
    return this.#durable;
  }

  /**
   * Resolves when everything that was committed before the call is durable; joins the next upload. Needs
   * `run`. Fault `not-durable` if the replicator is closed before.
   */
  async durable(): Promise<Durable | null> {
    const goal = new DurabilityGoal(() => this.#session);
    this.#bell.ring();
    try {
      while (!goal.isReached()) {
        if (this.#over.signal.aborted) throw this.#notDurable();
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      goal.end();
    }
    return this.#durable;
  }

  status(): ReplicateStatus {
    const session = this.#session;
    const state = session === null ? 'waiting' : session.gap === null ? 'following' : 'difference';
    return {
      database: this.#database,
      url: this.#archive.url,
      state,
      lineage: session?.start.lineage ?? null,
      durable: this.#durable,
      openCommits: session?.openCommits ?? 0,
    };
  }

  /** Ends what is at work, and closes the database and its state; what is in flight is given up. */
  async close(): Promise<void> {
    this.#over.abort();
    this.#bell.ring();
    await this.#driving;
    this.#lookout.disarm();
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #replicate(signal: AbortSignal): Promise<void> {
    await this.#drive(() => false, signal);
    // Without a session there is still a database, unless it is one that was waited for.
    if (this.#absence.reason === null && !(await this.#flush(this.#over.signal))) throw this.#notDurable();
  }

  /** Steps until `isDone`, until `signal` aborts, or until `close`. */
  async #drive(isDone: () => boolean, signal: AbortSignal): Promise<void> {
    assert(this.#driving === null, 'a replicator does one thing at a time');
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#driving = promise;
    try {
      while (!signal.aborted && !this.#over.signal.aborted && !isDone()) {
        const pauseMs = await this.#step();
        this.#wake();
        if (pauseMs > 0 && !isDone()) await this.#bell.wait(this.#machine.clock, pauseMs, signal);
      }
    } finally {
      this.#driving = null;
      resolve();
    }
  }

  /** One step; returns how long to wait for the next. */
  async #step(): Promise<number> {
    try {
      if (this.#session === null) {
        await this.#begin();
        if (this.#session === null) return LIMITS.missingMs;
      }
      const session = this.#session;
      const result = await session.step();
      this.#attempt = 0;
      const pauseMs = session.pauseMs(result);
      if (result !== 'quiet') {
        this.#lookout.disarm();
        return pauseMs;
      }
      if (this.#lookout.isArmed) return Math.min(pauseMs, this.#lookout.pauseMs());
      this.#lookout.arm();
      return 0;
    } catch (error) {
      return await this.#recover(error);
    }
  }

  /** After a Fault that time or a new session can mend: how long to wait. Rethrows all others. */
  async #recover(error: unknown): Promise<number> {
    const isReplaced = isFault(error, 'conflict') && error.code === 'database-replaced';
    // An application that is closing its database holds all of it, too.
    const isExclusive = isFault(error, 'invalid') && error.code === 'database-exclusive';
    if (!isReplaced && !isExclusive && !isFault(error, 'unavailable')) throw error;
    this.#machine.log.warn(error.message, { code: error.code, database: this.#database });
    this.#tell({ event: 'trouble', code: error.code, message: error.message });
    if (isReplaced || this.#session?.isBroken === true) await this.#end();
    return isReplaced ? 1 : backoffMs(this.#machine.chance, this.#attempt++);
  }

  /** Opens a session, unless there is no database to open yet. */
  async #begin(): Promise<void> {
    try {
      this.#session = await Session.open(
        this.#machine,
        this.#database,
        this.#archive,
        this.#sessionOptions(),
      );
    } catch (error) {
      if (!isFault(error, 'invalid')) throw error;
      const { isNews } = await this.#absence.wait(error);
      if (isNews) this.#tell({ event: 'waiting', reason: error.message });
      return;
    }
    this.#absence.end();
    this.#isContinued = true;
    const { lineage, chain, decision } = this.#session.start;
    this.#tell({
      event: 'started',
      lineage,
      epoch: must(chain.epochs[0], 'a writer has an epoch'),
      decision,
    });
  }

  #sessionOptions(): SessionOptions {
    const options = this.#options;
    return {
      isContinue: options.adopt === 'continue' && !this.#isContinued,
      uploadIntervalMs: options.uploadIntervalMs ?? LIMITS.uploadIntervalMs,
      idleFlushMs: LIMITS.idleFlushMs,
      sealBytesMax: options.sealBytesMax ?? LIMITS.sealBytesMax,
      imageBytesMax: options.imageBytesMax ?? LIMITS.imageBytesMax,
      verdicts: options.verdicts,
      signal: this.#over.signal,
      onDurable: (durable) => {
        this.#durable = durable;
        this.#tell({ event: 'durable', ...durable });
      },
      onGap: (reason) => this.#tell({ event: 'gap', reason }),
      onProgress: () => this.#bell.ring(),
    };
  }

  /** Steps until all that is committed by now is durable; `false`: it did not come to that. */
  async #flush(signal: AbortSignal): Promise<boolean> {
    const goal = new DurabilityGoal(() => this.#session);
    try {
      await this.#drive(() => goal.isReached(), signal);
      return goal.isReached();
    } finally {
      goal.end();
    }
  }

  /** It is over `drainMs` after `signal` aborts, even in the midst of a step, unless it is `done` before. */
  async #limit(signal: AbortSignal, done: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, done]);
    if (!either.aborted) await new Promise((resolve) => either.addEventListener('abort', resolve));
    await this.#machine.clock.sleep(this.#options.drainMs ?? LIMITS.drainMs, done);
    this.#over.abort();
  }

  #notDurable(): Fault {
    const upTo = this.#durable === null ? 'nothing' : `TXID ${this.#durable.txid.toString(16)}`;
    const message = `the end came before all was durable: ${upTo} is, what followed is not`;
    const hint = 'the database still has it: start again when the archive can be reached';
    return new Fault('unavailable', 'not-durable', message, { hint });
  }

  async #end(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #tell(event: ReplicateEvent): void {
    this.#options.onEvent?.(event);
  }
}
