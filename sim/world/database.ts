/**
 * A simulated application: a process that has a SQLite database open in WAL mode, writes it, and may die
 * doing so.
 *
 * Contract: every byte it leaves on the disk is one that SQLite would leave. `history` holds each state that
 * was committed, by SQLite's own account; a commit that only a recovery brought to light is noted when it
 * does. Each method runs to its end at once; the `…Steps` twins let others run between the steps.
 *
 *     const app = SqliteApplication.create(world.disk, '/data/app.db', world.chance);
 *     app.commit({ pages: [2, 5] });             // random bytes for pages 2 and 5
 *     app.checkpoint('passive');                 // all is in the main file: the next commit restarts the log
 *     app.ghost({ pages: [3] });                 // complete frames behind the log's end, never committed
 */

import { Bug, assert, must } from '../../src/base/assert.ts';
import { concat } from '../../src/base/bytes.ts';
import { CommitHistory } from '../model.ts';
import type { CommittedState } from '../model.ts';
import { APPLICATION_DEFAULTS } from './application-options.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { SimChance } from './chance.ts';
import { DatabaseImage, firstPage } from './database-image.ts';
import type { Changes } from './database-image.ts';
import type { SimDisk } from './disk.ts';
import { checkpoint } from './sqlite-checkpoint.ts';
import type { CheckpointMode, CheckpointResult } from './sqlite-checkpoint.ts';
import { SqliteBusy, SqliteConnection } from './sqlite-connection.ts';
import type { Steps } from './sqlite-connection.ts';
import { SqliteIoError, SqliteWriter } from './sqlite-writer.ts';
import type { WriteOptions } from './sqlite-writer.ts';
import { visiblePages } from './visible-pages.ts';

export type { ApplicationOptions } from './application-options.ts';
export type { Changes } from './database-image.ts';

const LIMITS = { unpublishedMax: 16 } as const;

interface SharedHistory {
  readonly history?: CommitHistory;
}

const OWNER = { mode: 0o644, uid: 1000, gid: 1000 } as const;

/** What a transaction came to. */
export type CommitOutcome = 'committed' | 'nothing' | 'busy' | 'rolled back';

/** An application and its database. */
export class SqliteApplication {
  readonly path: string;
  readonly disk: SimDisk;
  readonly history: CommitHistory;
  readonly pageSize: number;
  readonly options: Required<ApplicationOptions>;
  readonly #chance: SimChance;
  #connection: SqliteConnection | undefined;
  #writer: SqliteWriter | undefined;
  /** Connections that were left open by `freshConnection`. */
  #idle: SqliteConnection[] = [];
  /** Whole transactions that stand in the log and were never published. */
  #unpublished: DatabaseImage[] = [];
  #count = 0;

  private constructor(
    disk: SimDisk,
    path: string,
    chance: SimChance,
    how: ApplicationOptions & SharedHistory,
  ) {
    const { history, ...options } = how;
    this.disk = disk;
    this.path = path;
    this.#chance = chance;
    this.history = history ?? new CommitHistory();
    this.options = { ...APPLICATION_DEFAULTS, ...options };
    this.pageSize = this.options.pageSize;
  }

  /** Makes a database of random pages, durable, and opens it. */
  static create(
    disk: SimDisk,
    path: string,
    chance: SimChance,
    options: ApplicationOptions = {},
  ): SqliteApplication {
    const app = new SqliteApplication(disk, path, chance, options);
    const { sizePages } = app.options;
    const pages = [firstPage(app.pageSize, sizePages, 0, chance)];
    while (pages.length < sizePages) pages.push(chance.bytes(app.pageSize));
    disk.mkdir(path.slice(0, path.lastIndexOf('/')));
    const inode = disk.create(path, OWNER);
    disk.write(path, inode, concat(pages), 0);
    inode.settle(inode.order);
    disk.settleNames(path.slice(0, path.lastIndexOf('/')));
    app.#record(new DatabaseImage(app.pageSize, pages));
    app.open();
    return app;
  }

  /** Another process with the same database open: a second application, which shares the history. */
  static join(first: SqliteApplication): SqliteApplication {
    const app = new SqliteApplication(first.disk, first.path, first.#chance, {
      ...first.options,
      history: first.history,
    });
    app.open();
    return app;
  }

  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** The connection that writes. */
  get connection(): SqliteConnection {
    return must(this.#connection, 'the application is running');
  }

  /** The state that everybody sees at present. */
  get state(): CommittedState {
    return this.history.head;
  }

  /** The process starts: opens the database, recovering the index where nobody else has it open. */
  open(): void {
    assert(this.#connection === undefined, 'the application is not running');
    this.#count += 1;
    const connection = new SqliteConnection(this.disk, this.path, `application ${this.#count}`);
    connection.open(OWNER);
    this.#connection = connection;
    this.#writer = new SqliteWriter(connection, this.#chance);
    connection.shm.onRecovered = () => this.reconcile();
    this.reconcile();
  }

  /** The process dies at once: locks are gone, nothing else happens. */
  crash(): void {
    for (const connection of [...this.#idle, this.#connection])
      if (connection?.isOpen === true) connection.abandon();
    this.#idle = [];
    this.#connection = undefined;
    this.#writer = undefined;
  }

  /** Closes cleanly. The last connection of all checkpoints, and deletes the log and its index. */
  close(): void {
    const { connection, disk, path } = this;
    const { main } = connection.files;
    for (const idle of this.#idle) idle.abandon();
    this.#idle = [];
    if (disk.locks(main).exclude(['main'], connection)) {
      this.checkpoint('passive');
      disk.bind(`${path}-wal`, null);
      disk.bind(`${path}-shm`, null);
    }
    this.crash();
  }

  /** As if so many commits had been made since the index was built: iChange is `count`. */
  age(count: number): void {
    const { shm } = this.connection;
    const header = { ...must(shm.header(), 'the header is whole'), iChange: count >>> 0 };
    shm.writeCopy(2, header);
    shm.writeCopy(1, header);
  }

  /** `PRAGMA locking_mode=EXCLUSIVE`: nobody else gets in from here on. `false`: somebody is. */
  goExclusive(): boolean {
    return this.disk.locks(this.connection.files.main).exclude(['main'], this.connection);
  }

  /** Another connection of the application writes from here on; the one before stays open, idle. */
  freshConnection(): void {
    this.#idle.push(this.connection);
    this.#connection = undefined;
    this.open();
  }

  /** A writer died between the two copies of the header; whoever opens next recovers, and iChange is 0. */
  recover(): void {
    const { shm } = this.connection;
    const header = must(shm.header(), 'the header is whole');
    shm.writeCopy(2, { ...header, iChange: (header.iChange + 1) >>> 0 });
    this.crash();
    this.open();
  }

  /** One transaction, to its end. Autocheckpoints as configured. */
  commit(changes: Changes): CommitOutcome {
    return drain(this.commitSteps(changes));
  }

  /** A commit whose last frame is repeated to fill a sector of 4096 bytes. */
  commitPadded(changes: Changes): CommitOutcome {
    return drain(this.commitSteps(changes, { sectorBytes: 4096 }));
  }

  /**
   * A commit whose fsync fails: its frames are whole and chained, behind the log's end; the application rolls
   * back.
   */
  ghost(changes: Changes): void {
    const outcome = drain(this.commitSteps(changes, { failsFsync: true }));
    assert(outcome !== 'committed', 'a failed fsync rolls back');
  }

  /** A transaction that wrote pages to the log already, and is rolled back. */
  rollback(changes: Changes): void {
    drain(this.rollbackSteps(changes));
  }

  /** One commit with frames beyond its size: pages are spilled, then the database shrinks. */
  spillThenShrink(sizePages: number = Math.max(2, this.state.pages.length - 2)): void {
    const size = this.state.pages.length;
    const beyond = Array.from({ length: size + 2 - sizePages }, (_, i) => sizePages + 1 + i);
    const outcome = this.commit({ pages: [2], size: sizePages, spill: [beyond] });
    assert(outcome === 'committed', 'spillThenShrink commits');
  }

  /**
   * The process dies in a commit, right after the step with this name; answers whether it came to that step.
   */
  crashIn(changes: Changes, step: string): boolean {
    for (const done of this.commitSteps(changes)) {
      if (done !== step) continue;
      this.crash();
      return true;
    }
    return false;
  }

  checkpoint(mode: CheckpointMode): CheckpointResult {
    return drain(this.checkpointSteps(mode));
  }

  checkpointSteps(mode: CheckpointMode): Steps<CheckpointResult> {
    const fsyncs = this.options.synchronous !== 'off';
    return checkpoint(this.connection, this.#chance, { mode, fsyncs });
  }

  *commitSteps(changes: Changes, overrides: Partial<WriteOptions> = {}): Steps<CommitOutcome> {
    const { synchronous, sectorBytes, autocheckpoint } = this.options;
    const options = { synchronous, sectorBytes, ...overrides };
    const writer = must(this.#writer, 'the application is running');
    const { connection } = this;
    try {
      writer.begin();
      yield 'begun';
      const image = new DatabaseImage(this.pageSize, this.state.pages, this.state.unwritten);
      const tx = image.change(changes, this.#chance);
      for (const batch of tx.spills) yield* writer.spill(batch, options);
      if (tx.commit.length === 0) {
        writer.rollback();
        return 'nothing';
      }
      this.#unpublished = [...this.#unpublished, image].slice(-LIMITS.unpublishedMax);
      const onPublished = (): void => this.#record(image);
      yield* writer.commit(tx.commit, image.pages.length, { ...options, onPublished });
    } catch (error) {
      if (error instanceof SqliteBusy) {
        if (connection.hasWriteLock) writer.rollback();
        return 'busy';
      }
      if (!(error instanceof SqliteIoError)) throw error;
      writer.rollback();
      return 'rolled back';
    }
    if (autocheckpoint > 0 && connection.header.mxFrame >= autocheckpoint) yield* this.#autocheckpoint();
    return 'committed';
  }

  *rollbackSteps(changes: Changes): Steps<void> {
    const { synchronous, sectorBytes } = this.options;
    const writer = must(this.#writer, 'the application is running');
    writer.begin();
    const image = new DatabaseImage(this.pageSize, this.state.pages, this.state.unwritten);
    const tx = image.change(changes, this.#chance);
    for (const batch of [...tx.spills, tx.commit]) {
      if (batch.length > 0) yield* writer.spill(batch, { synchronous, sectorBytes });
    }
    writer.rollback();
    yield 'rolled back';
  }

  /**
   * After a recovery: which state does the disk hold? It may be one whose publisher died, or, after a loss,
   * an old one.
   */
  reconcile(): void {
    const pages = visiblePages(this.disk, this.path, this.pageSize);
    const known = this.history.find(pages);
    if (known.includes(this.history.head.index)) return;
    const image = this.#unpublished.findLast((candidate) => candidate.isEqual(pages));
    if (image !== undefined) return this.#record(image);
    const newest = known.at(-1);
    if (newest === undefined) throw new Bug(`model: ${this.path} is in a state that nobody ever wrote`);
    this.history.rewind(newest, this.options.nowMs());
  }

  *#autocheckpoint(): Steps<void> {
    try {
      yield* this.checkpointSteps('passive');
    } catch (error) {
      if (!(error instanceof SqliteBusy)) throw error;
    }
  }

  #record(image: DatabaseImage): void {
    const { pages, pageSize } = image;
    this.#unpublished = this.#unpublished.filter((other) => other !== image);
    this.history.commit({ pageSize, pages, unwritten: image.unwritten, atMs: this.options.nowMs() });
  }
}

/** Takes all steps at once. */
export function drain<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
