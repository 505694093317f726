/**
 * LTX files that our encoder wrote, restored by Litestream: the other program reads headers with epoch and
 * rolling checksums, blocks, page indexes and file checksums, and arrives at the same database.
 */

import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { bytesEqual, concat } from '../../src/base/bytes.ts';
import { epoch, txid, txidFormat } from '../../src/base/ids.ts';
import type { Checksum, WallMs } from '../../src/base/ids.ts';
import { pageChecksums } from '../../src/format/kernel.ts';
import { LtxEncoder } from '../../src/format/ltx-encoder.ts';
import { CHECKSUM_FLAG } from '../../src/format/ltx-header.ts';
import { ltxName } from '../../src/format/ltx-name.ts';
import { goldenRead } from '../support/golden.ts';
import { litestreamHydrate, litestreamSkip } from '../support/litestream.ts';
import { ltxDecoded } from '../support/ltx-cases.ts';
import { temporaryDirectory } from '../support/temp.ts';

const skip = litestreamSkip;

/** States of one database, each as SQLite left it: it grows, changes, and shrinks. */
function history(directory: string, pageSize: number): readonly Uint8Array[] {
  const path = join(directory, 'source.db');
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA page_size=${pageSize}; CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB)`);
    return [
      'INSERT INTO t(v) VALUES (randomblob(9000)), (zeroblob(9000))',
      'INSERT INTO t(v) VALUES (randomblob(200000))',
      'UPDATE t SET v = randomblob(100) WHERE id = 1',
      'DELETE FROM t WHERE id = 3; VACUUM',
      "INSERT INTO t(v) VALUES ('last')",
    ].map((sql) => {
      database.exec(sql);
      return new Uint8Array(readFileSync(path));
    });
  } finally {
    database.close();
  }
}

/** The level 0 files that lead from each state to the next. */
function filesOf(states: readonly Uint8Array[], pageSize: number): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let before: Uint8Array = new Uint8Array(0);
  let pre = 0n as Checksum;
  for (const [i, state] of states.entries()) {
    const commit = state.length / pageSize;
    const all = Uint32Array.from({ length: commit }, (_, page) => page + 1);
    const checksums = pageChecksums(all, state, pageSize);
    const post = (checksums.reduce((sum, next) => sum ^ next, 0n) | CHECKSUM_FLAG) as Checksum;
    const encoder = new LtxEncoder(pageSize);
    for (const pgno of all) {
      const at = (pgno - 1) * pageSize;
      const page = state.subarray(at, at + pageSize);
      if (!bytesEqual(page, before.subarray(at, at + pageSize))) encoder.add(Uint32Array.of(pgno), page);
    }
    const id = txid(i + 1);
    const image = encoder.finish({
      pageSize,
      commit,
      minTxid: id,
      maxTxid: id,
      timestampMs: (1_795_388_019_357 + i * 1000) as WallMs,
      walOffset: 32,
      walSize: 0,
      walSalt1: 1,
      walSalt2: 1,
      epoch: epoch(3),
      counter: i,
      rolling: { post, pre },
    });
    files.set(`ltx/0/${ltxName(id, id)}`, concat(image.chunks));
    before = state;
    pre = post;
  }
  return files;
}

for (const pageSize of [512, 4096, 65_536]) {
  test(`Litestream restores what our encoder wrote, page size ${pageSize}`, { skip }, async (t) => {
    const directory = temporaryDirectory(t);
    const states = history(directory, pageSize);
    const { failure, txid: newest, database } = await litestreamHydrate(directory, filesOf(states, pageSize));
    strictEqual(failure, null);
    strictEqual(newest, txidFormat(txid(states.length)));
    deepStrictEqual(database, states.at(-1));
  });
}

test(
  'Litestream and our decoder both refuse a file whose checksum is off by one bit',
  { skip },
  async (t) => {
    const directory = temporaryDirectory(t);
    const files = filesOf(history(directory, 1024), 1024);
    const key = `ltx/0/${ltxName(txid(2), txid(2))}`;
    const file = Uint8Array.from(files.get(key) ?? []);
    const last = file.length - 1;
    file[last] = (file[last] ?? 0) ^ 1;
    files.set(key, file);
    const { failure } = await litestreamHydrate(directory, files);
    match(String(failure), /checksum mismatch/);
    let code: unknown = null;
    try {
      ltxDecoded(file);
    } catch (error) {
      ({ code } = error as { code?: unknown });
    }
    strictEqual(code, 'ltx-checksum');
  },
);

test('Litestream reads the golden file of the older page encoding as we do', { skip }, async (t) => {
  const { bytes } = goldenRead('ltx-lz4-1.9.4-legacy.txt');
  const files = new Map([[`ltx/0/${ltxName(txid(1), txid(1))}`, bytes]]);
  const { failure, database } = await litestreamHydrate(temporaryDirectory(t), files);
  strictEqual(failure, null);
  deepStrictEqual(database, ltxDecoded(bytes).pages);
});
