/**
 * A stage: applications that use one database, and the Millrace that replicates it, each a process of its
 * own.
 *
 * `act` does one step and returns when the applications are quiet again; Millrace never is waited for, but
 * by `durable`.
 */

import { readFileSync } from 'node:fs';

import type { SimChance } from '../../sim/world/chance.ts';
import { must } from '../../src/base/assert.ts';
import { Application } from './application.ts';
import type { ApplicationOptions, CheckpointMode } from './application.ts';
import { MillraceProcess } from './millrace-process.ts';
import type { MillraceOptions } from './millrace-process.ts';
import { SourceWatch } from './source-state.ts';
import { until } from './until.ts';
import { randomSql, SQL_KINDS } from './workload.ts';
import type { SqlKind } from './workload.ts';

/** Long enough for a lock that somebody holds for a moment; a read transaction is not waited for. */
const BUSY_MS = 100;
const WRITERS = 2;
const BURST_ROWS = 40;

export interface StageOptions extends ApplicationOptions {
  readonly pageSize: number;
  readonly millrace: MillraceOptions;
}

/** What happens on a stage beside SQL. */
const EVENTS = {
  checkpoint: 6,
  'read transaction begins': 2,
  'read transaction ends': 2,
  burst: 1,
  'application restarts': 1,
  'application is killed': 1,
  'Millrace restarts': 1,
  'Millrace is killed': 1,
  'everything restarts': 1,
} as const;

/** All kinds of steps, and how many of each are in a deck. */
export const STEP_KINDS: Readonly<Record<StepKind, number>> = { ...SQL_KINDS, ...EVENTS };

export type StepKind = SqlKind | keyof typeof EVENTS;

export class Stage implements AsyncDisposable {
  readonly watch: SourceWatch;
  /** What Millrace said, of all its lives. */
  readonly events: Map<string, number> = new Map();
  readonly #directory: string;
  readonly #options: StageOptions;
  readonly #chance: SimChance;
  readonly #writers: Application[] = [];
  #reader: Application | null = null;
  #millrace: MillraceProcess | null = null;

  private constructor(directory: string, options: StageOptions, chance: SimChance) {
    this.#directory = directory;
    this.#options = options;
    this.#chance = chance;
    this.watch = new SourceWatch(this.#database, options.pageSize);
  }

  /** Starts everything, on a fresh database in `directory`; the archive is `archive` beside it. */
  static async open(directory: string, options: StageOptions, chance: SimChance): Promise<Stage> {
    const stage = new Stage(directory, options, chance);
    await stage.#startWriters();
    await must(stage.#writers[0], 'there is a writer').exec(randomSql('insert', chance, options.pageSize));
    stage.watch.look();
    await stage.#startMillrace();
    return stage;
  }

  /** One step. */
  async act(kind: StepKind): Promise<void> {
    const index = this.#chance.below(WRITERS);
    const writer = must(this.#writers[index], 'every writer is there between steps');
    switch (kind) {
      case 'checkpoint':
        await writer.checkpoint(
          this.#chance.pick<CheckpointMode>(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE']),
        );
        break;
      case 'read transaction begins':
        await this.#endReading();
        this.#reader = await Application.start(this.#database, this.#application);
        await this.#reader.exec('BEGIN');
        await this.#reader.all('SELECT count(*) FROM sqlite_schema');
        break;
      case 'read transaction ends':
        await this.#endReading();
        break;
      case 'burst':
        await this.#burst(writer);
        break;
      case 'application restarts':
      case 'application is killed':
        if (kind === 'application restarts') await writer.close();
        else await writer.kill();
        this.#writers[index] = await Application.start(this.#database, this.#application);
        break;
      case 'Millrace restarts':
      case 'Millrace is killed':
        await this.#endMillrace(kind === 'Millrace is killed' ? 'kill' : 'stop');
        // What it does not see happen.
        await writer.exec(this.#sql(this.#chance.pick(['insert', 'update', 'vacuum', 'spill'])));
        await this.#startMillrace();
        break;
      case 'everything restarts':
        await this.#endReading();
        if (this.#chance.flip(0.5)) await this.#endMillrace('stop');
        for (const each of this.#writers) await each.close();
        await this.#startWriters();
        if (this.#millrace === null) await this.#startMillrace();
        break;
      default:
        await writer.exec(this.#sql(kind));
    }
    this.watch.look();
  }

  /** Waits until everything that was committed is in the archive. */
  async durable(): Promise<void> {
    await must(this.#millrace, 'Millrace runs between steps').durable();
  }

  /** Ends Millrace, then the applications, and returns the file that SQLite leaves. */
  async end(): Promise<Uint8Array> {
    await this.#endReading();
    await this.#endMillrace('stop');
    for (const writer of this.#writers) await writer.close();
    return new Uint8Array(readFileSync(this.#database));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#millrace?.[Symbol.asyncDispose]();
    for (const each of [...this.#writers, this.#reader]) await each?.[Symbol.asyncDispose]();
  }

  get #database(): string {
    return `${this.#directory}/app.db`;
  }

  get #application(): ApplicationOptions {
    const { millrace: _, ...application } = this.#options;
    return { ...application, busyTimeoutMs: BUSY_MS };
  }

  #sql(kind: SqlKind): string {
    return randomSql(kind, this.#chance, this.#options.pageSize);
  }

  async #burst(writer: Application): Promise<void> {
    const before = writer.acknowledged.length;
    await writer.startFullSpeed({
      padBytes: this.#chance.between(10, 600),
      rowsPerCommit: this.#chance.between(1, 3),
    });
    await until(() => writer.acknowledged.length >= before + BURST_ROWS, {
      what: 'the burst has gone on for a while',
    });
    await writer.stop();
  }

  async #startWriters(): Promise<void> {
    for (let i = 0; i < WRITERS; i++)
      this.#writers[i] = await Application.start(this.#database, this.#application);
  }

  async #startMillrace(): Promise<void> {
    this.#millrace = await MillraceProcess.start(
      this.#database,
      `${this.#directory}/archive`,
      this.#options.millrace,
    );
  }

  async #endMillrace(how: 'stop' | 'kill'): Promise<void> {
    const millrace = must(this.#millrace, 'Millrace runs between steps');
    this.#millrace = null;
    await millrace[how]();
    for (const [event, count] of millrace.events)
      this.events.set(event, (this.events.get(event) ?? 0) + count);
  }

  async #endReading(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.close();
  }
}
