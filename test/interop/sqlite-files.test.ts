/**
 * Files that SQLite wrote, read by the codecs of src/format, and the other way round, for every page size.
 *
 * Trap: `-wal` and `-shm` are read here while a connection of this process has them open, which drops its
 * locks (I12). That is safe only because nobody else uses these databases.
 */

import { deepStrictEqual, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { concat } from '../../src/base/bytes.ts';
import { must } from '../../src/base/assert.ts';
import { walVerify } from '../../src/format/kernel.ts';
import { databaseHeaderDecode, databaseHeaderEncode } from '../../src/format/sqlite-header.ts';
import { walIndexDecode, walIndexEncode } from '../../src/format/wal-index.ts';
import type { WalIndex } from '../../src/format/wal-index.ts';
import * as wal from '../../src/format/wal.ts';
import { TemporaryDirectory } from '../support/temp.ts';

const PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] as const;

interface Scene {
  readonly path: string;
  readonly database: DatabaseSync;
}

function scene(pageSize: number, act: (scene: Scene) => void): void {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'app.db');
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA page_size=${pageSize}; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;`);
    database.exec('CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)');
    act({ path, database });
  } finally {
    if (database.isOpen) database.close();
  }
}

function index(path: string): WalIndex {
  const decoded = walIndexDecode(readFileSync(`${path}-shm`).subarray(0, 136));
  if (decoded.torn !== null) throw new Error(`torn: ${decoded.torn}`);
  return decoded;
}

function header(path: string): wal.WalHeader {
  return must(wal.walHeaderDecode(readFileSync(`${path}-wal`)), 'a WAL header');
}

function insert(database: DatabaseSync, bytes: number): void {
  database.prepare('INSERT INTO t(v) VALUES (randomblob(?))').run(bytes);
}

for (const pageSize of PAGE_SIZES) {
  test(`SQLite's WAL and WAL-index are understood, page size ${pageSize}`, () => {
    scene(pageSize, ({ path, database }) => {
      for (let commit = 0; commit < 12; commit++) {
        const before = index(path);
        insert(database, 100 + commit * pageSize);
        const now = index(path);
        strictEqual(now.iChange, (before.iChange + 1) >>> 0, 'iChange grows by one with every commit');
        ok(now.mxFrame > before.mxFrame);
      }
      const head = header(path);
      const shm = index(path);
      const bytes = readFileSync(`${path}-wal`);
      strictEqual(head.pageSize, pageSize);
      strictEqual(shm.pageSize, pageSize);
      strictEqual(shm.bigEndian, head.bigEndian);
      deepStrictEqual([shm.salt1, shm.salt2], [head.salt1, head.salt2], 'salts are bytes as in the WAL');
      strictEqual(wal.frameCount(bytes.length, pageSize), shm.mxFrame);
      strictEqual(wal.frameOffset(shm.mxFrame, pageSize), bytes.length);
      const verified = walVerify(bytes.subarray(wal.WAL_HEADER_BYTES), head);
      deepStrictEqual(verified, { frames: shm.mxFrame, checksum: shm.frameChecksum });
      const last = wal.walFrameDecode(bytes, wal.frameOffset(shm.mxFrame - 1, pageSize));
      strictEqual(last.commit, shm.nPage);
      deepStrictEqual(last.checksum, shm.frameChecksum);
      deepStrictEqual(shm.readMarks.length, 5);
      strictEqual(shm.readMarks[0], 0);
      const again = walIndexDecode(walIndexEncode(shm));
      deepStrictEqual(again, shm, 'our encoder and SQLite agree on all 48 bytes');
      database.exec('PRAGMA wal_checkpoint(PASSIVE)');
      const pages = databaseHeaderDecode(readFileSync(path));
      strictEqual(pages.pageSize, pageSize);
      strictEqual(pages.journal, 'wal');
      const first100 = new Uint8Array(readFileSync(path).subarray(0, 100));
      deepStrictEqual(databaseHeaderEncode(pages), first100, 'our header is SQLite’s, byte for byte');
    });
  });

  test(`a WAL that Millrace encoded is recovered by SQLite as committed, page size ${pageSize}`, () => {
    for (const bigEndian of [false, true])
      scene(pageSize, (world) => recoversOurWal(world, pageSize, bigEndian));
  });
}

/** Encodes SQLite's own log once more, with other salts and word order, and lets SQLite recover from that. */
function recoversOurWal({ path, database }: Scene, pageSize: number, bigEndian: boolean): void {
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  const rollbackPoint = readFileSync(path);
  for (let commit = 0; commit < 5; commit++) insert(database, 300 * commit);
  const expected = database.prepare('SELECT id, hex(v) AS v FROM t ORDER BY id').all();
  const theirs = readFileSync(`${path}-wal`);
  const frames = index(path).mxFrame;
  const ours = [
    wal.walHeaderEncode({ bigEndian, pageSize, sequence: 7, salt1: 0xfffffffe, salt2: 0x80000001 }),
  ];
  let chain = must(wal.walHeaderDecode(must(ours[0], 'a header')), 'a valid header');
  for (let i = 0; i < frames; i++) {
    const at = wal.frameOffset(i, pageSize);
    const { pgno, commit } = wal.walFrameDecode(theirs, at);
    const page = theirs.subarray(at + wal.WAL_FRAME_HEADER_BYTES, at + wal.frameBytes(pageSize));
    const encoded = wal.walFrameEncode(chain, { pgno, commit, page });
    ours.push(encoded.bytes);
    chain = { ...chain, seed: encoded.seed };
  }
  database.close();

  writeFileSync(path, rollbackPoint);
  writeFileSync(`${path}-wal`, concat(ours));
  const recovered = new DatabaseSync(path);
  try {
    deepStrictEqual(recovered.prepare('SELECT id, hex(v) AS v FROM t ORDER BY id').all(), expected);
    const shm = index(path);
    deepStrictEqual([shm.mxFrame, shm.salt1, shm.salt2], [frames, chain.salt1, chain.salt2]);
    deepStrictEqual(shm.frameChecksum, chain.seed);
    strictEqual(shm.bigEndian, bigEndian);
  } finally {
    recovered.close();
  }
}

test('a restart adds one to salt-1 and the sequence, and leaves old frames behind', () => {
  scene(4096, ({ path, database }) => {
    for (let commit = 0; commit < 10; commit++) insert(database, 5_000);
    const before = header(path);
    const walBytes = statSync(`${path}-wal`).size;
    database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    strictEqual(index(path).nBackfill, index(path).mxFrame);
    insert(database, 1);
    const after = header(path);
    const { seed: _, ...fields } = after;
    deepStrictEqual(wal.walRestarted(before, after.salt2), fields, 'as the codec says');
    notStrictEqual(after.salt2, before.salt2);
    strictEqual(statSync(`${path}-wal`).size, walBytes);
    const bytes = readFileSync(`${path}-wal`);
    strictEqual(walVerify(bytes.subarray(wal.WAL_HEADER_BYTES), after).frames, index(path).mxFrame);
  });
});

test('the index of a recovered empty WAL says so: iChange, mxFrame and nPage begin anew', () => {
  scene(4096, ({ path, database }) => {
    insert(database, 10);
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    strictEqual(statSync(`${path}-wal`).size, 0);
    strictEqual(wal.walHeaderDecode(readFileSync(`${path}-wal`)), null);
    database.close();
    writeFileSync(`${path}-wal`, '');
    const reopened = new DatabaseSync(path);
    try {
      reopened.prepare('SELECT count(*) FROM t').get();
      const shm = index(path);
      deepStrictEqual([shm.mxFrame, shm.nPage, shm.pageSize], [0, 0, 0]);
    } finally {
      reopened.close();
    }
  });
});
