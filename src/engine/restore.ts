/**
 * Restore: from an archive to a database file, whole or not at all.
 *
 *     list ─▶ plan ─▶ open the plan's files ─▶ fetch and verify pages ─▶ land beside, then at the target
 *       ▲                     │ vanished: compacted away meanwhile
 *       └─────────────────────┴ damaged: another chain to the same TXID, if there is one
 *
 * Nothing is at the target unless all of it was verified; on any failure, and on abort, nothing is left. A
 * damaged object is always named: in the Fault, or, where other files made up for it, in the log and the
 * report.
 */

import { assert, must } from '../base/assert.ts';
import { Fault, isFault } from '../base/fault.ts';
import type { Txid, WallMs } from '../base/ids.ts';
import type { Machine, Pool } from '../base/ports.ts';
import { retry } from '../base/retry.ts';
import type { Archive, LtxFile } from '../storage/archive.ts';
import { abortCheck } from '../storage/object-store.ts';
import type { RestoreJobs } from './jobs.ts';
import { Landing, targetCheck } from './landing.ts';
import type { Ownership } from './landing.ts';
import { planFilesOpen } from './plan-files.ts';
import { namingAsync } from './plan-file.ts';
import type { PlanFile, ReadPart } from './plan-file.ts';
import { damageOf } from './restore-damage.ts';
import { fetchPages } from './restore-fetch.ts';
import type { FetchProof } from './restore-fetch.ts';
import { restorePlan } from './restore-plan.ts';
import type { PlanTarget, RestorePlan, RestoreTarget } from './restore-plan.ts';
import { restoreTime } from './restore-time.ts';

export const LIMITS = { plansMax: 5 } as const;

export interface RestoreOptions {
  /** The path of the database file to write. */
  readonly to: string;
  /** By default the newest state. */
  readonly target?: RestoreTarget;
  /** Replaces a database that is there. Never one that is in use. */
  readonly force?: boolean;
  /** Only plans: reads no pages, writes nothing. */
  readonly dryRun?: boolean;
  readonly own?: Ownership;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly signal?: AbortSignal;
}

/** How far a restore is: bytes of the database, written and in all (0 until the size is known). */
export interface RestoreProgress {
  readonly phase: 'plan' | 'index' | 'pages' | 'land';
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly pages: number;
}

/** What a restore did, or with `dryRun` would read. */
export type RestoreReport =
  | { readonly outcome: 'planned'; readonly plan: RestorePlan }
  | {
      readonly outcome: 'restored';
      readonly plan: RestorePlan;
      readonly to: string;
      readonly txid: Txid;
      /** When the newest file of the plan was sealed. */
      readonly timestampMs: WallMs;
      readonly pageSize: number;
      readonly pages: number;
      /** The size of the restored file. */
      readonly bytes: number;
      readonly bytesRead: number;
      readonly requests: number;
      readonly durationMs: number;
      readonly proof: FetchProof;
      /** Objects that turned out to be damaged, and that other files made up for. */
      readonly damaged: readonly string[];
    };

/**
 * Restores a database to `options.to`. Faults: `target-exists`, `target-in-use`, `target-space`; those of
 * `restorePlan` and `restoreTime`; corrupt, naming the object; `aborted`.
 *
 * @example
 * const report = await restore(machine, pool, archive, { to: '/srv/app.db', target: { kind: 'head' } });
 */
export async function restore(
  machine: Machine,
  pool: Pool<RestoreJobs>,
  archive: Archive,
  options: RestoreOptions,
): Promise<RestoreReport> {
  return await new Restore(machine, pool, archive, options).run();
}

class Restore {
  readonly #machine: Machine;
  readonly #pool: Pool<RestoreJobs>;
  readonly #archive: Archive;
  readonly #options: RestoreOptions;
  readonly #startedMs: number;
  #bytesRead = 0;
  #requests = 0;
  #target: RestoreTarget;
  /** Sizes of damaged objects by key: one of another size was replaced since. */
  readonly #damaged = new Map<string, number>();

  constructor(machine: Machine, pool: Pool<RestoreJobs>, archive: Archive, options: RestoreOptions) {
    this.#machine = machine;
    this.#pool = pool;
    this.#archive = archive;
    this.#options = options;
    this.#target = options.target ?? { kind: 'head' };
    this.#startedMs = machine.clock.monoMs();
  }

  async run(): Promise<RestoreReport> {
    const { dryRun = false, force = false, to } = this.#options;
    if (!dryRun) targetCheck(this.#machine, to, force);
    let damage: Fault | null = null;
    for (let plans = 1; ; plans++) {
      try {
        const plan = await this.#plan();
        return dryRun ? { outcome: 'planned', plan } : await this.#follow(plan);
      } catch (error) {
        if (damage !== null && isFault(error, 'invalid', 'gap')) throw withAlternative(damage, error);
        const isDamage = isFault(error, 'corrupt') && typeof error.details['key'] === 'string';
        if (plans === LIMITS.plansMax || !(isDamage || isVanished(error))) throw error;
        this.#machine.log.warn('planning the restore again', { fault: error.message });
        if (isDamage) damage = error;
      }
    }
  }

  async #plan(): Promise<RestorePlan> {
    this.#progress('plan', 0, 0);
    const listed = await this.#retry(() => this.#archive.listAll());
    const files = listed.filter((file) => this.#damaged.get(file.key) !== file.size);
    return restorePlan(files, await this.#planTarget(files));
  }

  async #planTarget(files: readonly LtxFile[]): Promise<PlanTarget> {
    const target = this.#target;
    if (target.kind !== 'time') return target;
    try {
      const txid = await restoreTime(files, target.wallMs, (file) => this.#timestampOf(file));
      return { kind: 'txid', txid };
    } catch (error) {
      this.#noteDamage(error, files);
      throw error;
    }
  }

  async #timestampOf(file: LtxFile): Promise<WallMs> {
    const { signal } = this.#options;
    const header = await namingAsync(file, () => this.#retry(() => this.#archive.readHeader(file, signal)));
    return header.timestampMs;
  }

  async #follow(plan: RestorePlan): Promise<RestoreReport> {
    const { to, force = false, own, signal } = this.#options;
    try {
      this.#progress('index', 0, 0);
      const files = await planFilesOpen(plan.files, this.#read, signal);
      const { header } = must(files.at(-1), 'a plan has files');
      const bytes = header.commit * header.pageSize;
      await using landing = await Landing.open(this.#machine, to, bytes, { force, own });
      const proof = await this.#fetch(files, landing);
      this.#progress('land', bytes, bytes, header.commit);
      abortCheck(signal, `restoring ${to}`);
      await landing.land();
      return this.#report(plan, must(files.at(-1), 'a plan has files'), proof);
    } catch (error) {
      const found = await damageOf(error, plan.files, this.#read);
      this.#noteDamage(found, plan.files);
      // The damaged object may be part of the newest state: another chain has to lead to the same one.
      if (isFault(found, 'corrupt')) this.#target = { kind: 'txid', txid: plan.txid };
      throw found;
    }
  }

  async #fetch(files: readonly PlanFile[], landing: Landing): Promise<FetchProof> {
    const { pageSize, commit } = must(files.at(-1), 'a plan has files').header;
    let pages = 0;
    return await fetchPages(files, {
      clock: this.#machine.clock,
      pool: this.#pool,
      signal: this.#options.signal,
      write: (first, bytes) => landing.write(bytes, (first - 1) * pageSize),
      onPages: (count) => {
        pages += count;
        assert(pages <= commit, 'no page is written twice');
        this.#progress('pages', pages * pageSize, commit * pageSize, pages);
      },
    });
  }

  #report(plan: RestorePlan, { header }: PlanFile, proof: FetchProof): RestoreReport {
    return {
      outcome: 'restored',
      plan,
      to: this.#options.to,
      txid: plan.txid,
      timestampMs: header.timestampMs,
      pageSize: header.pageSize,
      pages: header.commit,
      bytes: header.commit * header.pageSize,
      bytesRead: this.#bytesRead,
      requests: this.#requests,
      durationMs: this.#machine.clock.monoMs() - this.#startedMs,
      proof,
      damaged: [...this.#damaged.keys()],
    };
  }

  #noteDamage(error: unknown, files: readonly LtxFile[]): void {
    if (!isFault(error, 'corrupt')) return;
    const damaged = files.find((file) => file.key === error.details['key']);
    if (damaged === undefined) return;
    const { key, size } = damaged;
    this.#damaged.set(key, size);
    this.#machine.log.error('an object of the archive is damaged', { key, fault: error.message });
  }

  #progress(phase: RestoreProgress['phase'], bytesDone: number, bytesTotal: number, pages = 0): void {
    this.#options.onProgress?.({ phase, bytesDone, bytesTotal, pages });
  }

  readonly #read: ReadPart = async (file, range) => {
    const bytes = await this.#retry(() => this.#archive.read(file, range, this.#options.signal));
    this.#bytesRead += bytes.length;
    return bytes;
  };

  /** Retries what is unavailable; that an object vanished is an answer. */
  async #retry<T>(operation: () => Promise<T>): Promise<T> {
    const { clock, chance, log } = this.#machine;
    const { signal } = this.#options;
    const answer = await retry(
      clock,
      chance,
      async () => {
        try {
          this.#requests++;
          return { value: await operation() };
        } catch (error) {
          if (isVanished(error)) return { vanished: error };
          throw error;
        }
      },
      {
        ...(signal === undefined ? {} : { signal }),
        onRetry: (error, attempt, waitMs) =>
          log.debug('reading again', { fault: error.message, attempt, waitMs }),
      },
    );
    if ('vanished' in answer) throw answer.vanished;
    return answer.value;
  }
}

function isVanished(error: unknown): error is Fault {
  return isFault(error, 'unavailable') && error.code === 'object-vanished';
}

/** The damage that no other files make up for, with what can be restored instead. */
function withAlternative(damage: Fault, planning: Fault): Fault {
  const { before, after } = planning.details;
  const txid = before ?? after ?? planning.details['last'];
  const instead = typeof txid === 'string' ? `; without it TXID ${txid} can be restored` : '';
  return new Fault('corrupt', damage.code, damage.message, {
    hint: `${damage.hint ?? 'keep the object as evidence'}${instead}`,
    cause: damage,
    details: { ...damage.details, ...(txid === undefined ? {} : { alternative: txid }) },
  });
}
