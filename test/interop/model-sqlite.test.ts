/**
 * The simulator's model of SQLite against SQLite itself: what the model writes, SQLite reads, and sees the
 * same.
 */

import assert from 'node:assert/strict';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';

import { SimChance } from '../../sim/world/chance.ts';
import { SqliteApplication } from '../../sim/world/database.ts';
import { SimDisk } from '../../sim/world/disk.ts';
import { SqliteBusy, SqliteConnection } from '../../sim/world/sqlite-connection.ts';
import { walIndexDecode } from '../../src/format/wal-index.ts';
import { walHeaderDecode } from '../../src/format/wal.ts';
import { randomChanges } from '../../sim/workload.ts';

const SEEDS = 60;
const PATH = '/data/app.db';

/** What SQLite makes of the files that stand on a simulated disk, after its own recovery and checkpoint. */
function checkpointed(disk: SimDisk): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-model-'));
  try {
    for (const suffix of ['', '-wal']) {
      const inode = disk.lookup(PATH + suffix);
      if (inode !== undefined) writeFileSync(join(dir, `app.db${suffix}`), inode.content());
    }
    const database = new DatabaseSync(join(dir, 'app.db'));
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    return readFileSync(join(dir, 'app.db'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('SQLite recovers from the bytes of the model exactly the state that the model calls committed', () => {
  const seen = { commits: 0, checkpoints: 0, recoveries: 0, ghosts: 0 };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const chance = new SimChance(seed, 'model');
    const disk = new SimDisk(chance.fork('disk'), () => 0);
    const pageSize = chance.pick([512, 1024, 4096]);
    const app = SqliteApplication.create(disk, PATH, chance.fork('app'), { pageSize });
    for (let i = 0; i < 30; i++) {
      const dice = chance.below(20);
      if (dice < 12) seen.commits += app.commit(randomChanges(app, chance)) === 'committed' ? 1 : 0;
      else if (dice < 14) app.rollback(randomChanges(app, chance));
      else if (dice === 14) app.commitPadded(randomChanges(app, chance));
      else if (dice === 15) app.freshConnection();
      else if (dice === 16) {
        app.recover();
        seen.recoveries += 1;
      } else {
        app.checkpoint(chance.pick(['passive', 'full', 'restart', 'truncate']));
        seen.checkpoints += 1;
      }
    }
    if (chance.flip(0.5)) {
      app.ghost(randomChanges(app, chance));
      app.recover();
      seen.ghosts += 1;
    }
    const image = checkpointed(disk);
    const { pages, unwritten } = app.state;
    assert.equal(image.length, pages.length * pageSize, `seed ${seed}: size`);
    for (const [i, page] of pages.entries()) {
      if (unwritten.has((i + 1) as never)) continue;
      const real = image.subarray(i * pageSize, (i + 1) * pageSize);
      assert.deepEqual(new Uint8Array(real), page, `seed ${seed}: page ${i + 1}`);
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 0, `no ${what} at all`);
});

/** What two WALs must agree on after the same operations; salts are random, their steps are not. */
interface Observed {
  readonly iChange: number;
  readonly salt1: number;
  readonly salt2: number;
  readonly mxFrame: number;
  readonly nBackfill: number;
  readonly marks: readonly number[];
  readonly walFrames: number;
  readonly sequence: number | null;
}

/** Two writers, a reader that can hold a snapshot, and a way to look at `-shm` and `-wal`. */
interface Subject {
  commit(writer: 0 | 1): void;
  checkpoint(writer: 0 | 1, mode: Mode): boolean;
  reopen(writer: 0 | 1): void;
  pin(): void;
  unpin(): void;
  look(): Observed;
}

type Mode = 'passive' | 'full' | 'restart' | 'truncate';
const MODES: readonly Mode[] = ['passive', 'full', 'restart', 'truncate'];
const PAGE_SIZE = 512;
const FRAME = 24 + PAGE_SIZE;

function observed(shm: Uint8Array, walHead: Uint8Array, walSize: number): Observed {
  const index = walIndexDecode(shm);
  assert.ok(index.torn === null);
  const { iChange, salt1, salt2, mxFrame, nBackfill, readMarks } = index;
  const sequence = walHeaderDecode(walHead)?.sequence ?? null;
  const walFrames = Math.max(0, Math.floor((walSize - 32) / FRAME));
  return { iChange, salt1, salt2, mxFrame, nBackfill, marks: readMarks, walFrames, sequence };
}

class Real implements Subject {
  readonly #path: string;
  readonly #writers: [DatabaseSync, DatabaseSync];
  readonly #reader: DatabaseSync;
  readonly #shm: number;

  constructor(dir: string) {
    this.#path = join(dir, 'real.db');
    const first = this.#open();
    first.exec('PRAGMA page_size=512; PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, v)');
    first.exec('INSERT INTO t VALUES(1, randomblob(60))');
    this.#writers = [first, this.#open()];
    this.#reader = this.#open();
    for (const database of [this.#writers[1], this.#reader]) database.prepare('SELECT count(*) FROM t').get();
    this.#shm = openSync(`${this.#path}-shm`, 'r');
  }

  commit(writer: 0 | 1): void {
    this.#writers[writer].exec('UPDATE t SET v=randomblob(60)');
  }

  checkpoint(writer: 0 | 1, mode: Mode): boolean {
    const row = this.#writers[writer].prepare(`PRAGMA wal_checkpoint(${mode})`).get() as { busy: number };
    return row.busy === 1;
  }

  reopen(writer: 0 | 1): void {
    const next = this.#open();
    next.prepare('SELECT count(*) FROM t').get();
    this.#writers[writer].close();
    this.#writers[writer] = next;
  }

  pin(): void {
    this.#reader.exec('BEGIN');
    this.#reader.prepare('SELECT count(*) FROM t').get();
  }

  unpin(): void {
    this.#reader.exec('COMMIT');
  }

  look(): Observed {
    const shm = new Uint8Array(136);
    readSync(this.#shm, shm, 0, 136, 0);
    const wal = readFileSync(`${this.#path}-wal`);
    return observed(shm, wal.subarray(0, 32), statSync(`${this.#path}-wal`).size);
  }

  close(): void {
    for (const database of [...this.#writers, this.#reader]) database.close();
    closeSync(this.#shm);
  }

  #open(): DatabaseSync {
    const database = new DatabaseSync(this.#path, { timeout: 0 });
    database.exec('PRAGMA wal_autocheckpoint=0');
    return database;
  }
}

class Model implements Subject {
  readonly #writers: readonly [SqliteApplication, SqliteApplication];
  readonly #reader: SqliteConnection;

  constructor(seed: number) {
    const chance = new SimChance(seed, 'index');
    const disk = new SimDisk(chance.fork('disk'), () => 0);
    const first = SqliteApplication.create(disk, PATH, chance, { pageSize: PAGE_SIZE, sizePages: 2 });
    for (let i = 0; i < 2; i++) first.commit({ pages: [2] });
    this.#writers = [first, SqliteApplication.join(first)];
    this.#reader = new SqliteConnection(disk, PATH, 'reader');
    this.#reader.open({ mode: 0o644, uid: 0, gid: 0 });
  }

  commit(writer: 0 | 1): void {
    assert.equal(this.#writers[writer].commit({ pages: [2] }), 'committed');
  }

  checkpoint(writer: 0 | 1, mode: Mode): boolean {
    try {
      return this.#writers[writer].checkpoint(mode).isBusy;
    } catch (error) {
      if (error instanceof SqliteBusy) return true;
      throw error;
    }
  }

  reopen(writer: 0 | 1): void {
    this.#writers[writer].crash();
    this.#writers[writer].open();
  }

  pin(): void {
    this.#reader.beginRead();
  }

  unpin(): void {
    this.#reader.endRead();
  }

  look(): Observed {
    const { shm, files } = this.#writers[0].connection;
    const wal = files.wal.content();
    return observed(shm.inode.content().subarray(0, 136), wal.subarray(0, 32), wal.length);
  }
}

/** How salts moved: by one, not at all, or anywhere. */
function steps(before: Observed, after: Observed): Record<string, unknown> {
  const salt1 = (after.salt1 - before.salt1) >>> 0;
  return {
    iChange: (after.iChange - before.iChange) >>> 0,
    salt1: salt1 <= 1 ? salt1 : 'drawn',
    isSalt2Drawn: after.salt2 !== before.salt2,
    mxFrame: after.mxFrame,
    nBackfill: after.nBackfill,
    marks: after.marks,
    walFrames: after.walFrames,
    sequence: after.sequence,
  };
}

test('index and log of the model move as those of SQLite do, operation by operation', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-index-'));
  t.after(() => rmSync(dir, { recursive: true }));
  for (let seed = 1; seed <= 20; seed++) {
    const chance = new SimChance(seed, 'operations');
    const real = new Real(mkdtempSync(join(dir, 'seed-')));
    const model = new Model(seed);
    const subjects: readonly Subject[] = [real, model];
    for (const subject of subjects) subject.checkpoint(0, 'truncate');
    let isPinned = false;
    const done: string[] = [];
    for (let i = 0; i < 40; i++) {
      const writer = chance.pick([0, 1] as const);
      const mode = chance.pick(MODES);
      const dice = chance.below(10);
      const before = subjects.map((subject) => subject.look());
      const answers = subjects.map((subject) => {
        if (dice < 5) return subject.commit(writer);
        if (dice < 7) return subject.checkpoint(writer, mode);
        if (dice === 7) return subject.reopen(writer);
        return isPinned ? subject.unpin() : subject.pin();
      });
      if (dice > 7) isPinned = !isPinned;
      done.push(
        dice < 5
          ? `commit ${writer}`
          : dice < 7
            ? `${mode} ${writer}`
            : dice === 7
              ? `reopen ${writer}`
              : 'pin/unpin',
      );
      const [realSteps, modelSteps] = subjects.map((subject, s) =>
        steps(before[s] as Observed, subject.look()),
      );
      assert.deepEqual(modelSteps, realSteps, `seed ${seed}: ${done.join(', ')}`);
      assert.equal(answers[1], answers[0], `seed ${seed}: ${done.join(', ')}: the answer`);
    }
    real.close();
  }
});
