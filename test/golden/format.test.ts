/**
 * The golden files of src/format: what other programs wrote, and what Millrace wrote and must read for ever.
 */

import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { must } from '../../src/base/assert.ts';
import { walVerify } from '../../src/format/kernel.ts';
import { ltxTailDecode } from '../../src/format/ltx-file.ts';
import { ltxFrameDecode } from '../../src/format/ltx-frame.ts';
import { CHECKSUM_FLAG, ltxHeaderDecode, ltxHeaderEncode } from '../../src/format/ltx-header.ts';
import { lz4FrameDecode, lz4FrameMeasure } from '../../src/format/lz4-frame.ts';
import { databaseHeaderDecode } from '../../src/format/sqlite-header.ts';
import { WAL_HEADER_BYTES, frameOffset, walFrameDecode, walHeaderDecode } from '../../src/format/wal.ts';
import { goldenRead } from '../support/golden.ts';
import { ltxDecoded } from '../support/ltx-cases.ts';
import { TemporaryDirectory } from '../support/temp.ts';

const LTX_FILES = readdirSync(import.meta.dirname).filter((name) => /^ltx-.*\.txt$/.test(name));

/** What `sql` answers on the database that these bytes are. */
function rows(database: Uint8Array, sql: string): unknown[] {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'golden.db');
  writeFileSync(path, database);
  const connection = new DatabaseSync(path);
  try {
    strictEqual(connection.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok');
    return connection
      .prepare(sql)
      .all()
      .map((row) => Object.values(row).join(' '));
  } finally {
    connection.close();
  }
}

test('Litestream’s snapshot is read, each part of it from where it is annotated', () => {
  const { bytes, offsets } = goldenRead('ltx-litestream-0.5.17-snapshot.txt');
  const hash = createHash('sha256').update(bytes).digest('hex');
  strictEqual(hash, 'e96b4e0622e17949bb5a000d16e8b5c18322c3423cc08f86a31319a129d53d14');
  const { summary, pages } = ltxDecoded(bytes);
  deepStrictEqual(summary, {
    header: {
      pageSize: 4096,
      commit: 2,
      minTxid: 1n,
      maxTxid: 1n,
      timestampMs: 1_795_388_019_357,
      walOffset: 0,
      walSize: 0,
      walSalt1: 0,
      walSalt2: 0,
      epoch: 0n,
      counter: 0,
      rolling: null,
      hasChecksums: false,
      preApply: 0n,
    },
    trailer: { postApply: 0n, fileChecksum: 0xe8cbef5f0b92eb41n },
    pages: 2,
    size: 366,
  });
  const { index } = ltxTailDecode(bytes, bytes.length);
  deepStrictEqual([...must(index, 'an index').offsets], [offsets.get('page 1'), offsets.get('page 2')]);
  deepStrictEqual([...must(index, 'an index').sizes], [163, 64]);
  deepStrictEqual(rows(pages, 'SELECT id, v FROM t'), ['1 hello', '2 world']);
});

test('Litestream’s later file is applied to its snapshot', () => {
  const { pages } = ltxDecoded(goldenRead('ltx-litestream-0.5.17-snapshot.txt').bytes);
  const later = ltxDecoded(goldenRead('ltx-litestream-0.5.17-later.txt').bytes);
  deepStrictEqual([later.summary.header.minTxid, later.summary.header.commit], [2n, 2]);
  for (const [i, pgno] of later.pgnos.entries()) {
    pages.set(later.pages.subarray(i * 4096, (i + 1) * 4096), (pgno - 1) * 4096);
  }
  deepStrictEqual(rows(pages, 'SELECT id, v FROM t'), ['1 again', '2 world']);
});

test('a file with pages in LZ4 frames is read, each frame from where it is annotated', () => {
  const { bytes, offsets } = goldenRead('ltx-lz4-1.9.4-legacy.txt');
  const { pages } = ltxDecoded(bytes);
  deepStrictEqual(rows(pages, 'SELECT id, v FROM t'), ['1 hello', '2 world']);
  const second = bytes.subarray(offsets.get('page 2'), offsets.get('end of the frames'));
  deepStrictEqual(ltxFrameDecode(second, 512), { pgno: 2, page: pages.subarray(512) });
});

test('every golden LTX file is read alike in pieces of any size', () => {
  ok(LTX_FILES.length >= 4, String(LTX_FILES));
  for (const name of LTX_FILES) {
    const { bytes } = goldenRead(name);
    const whole = ltxDecoded(bytes);
    for (const pieceBytes of [1, 7, 100]) deepStrictEqual(ltxDecoded(bytes, pieceBytes), whole, name);
  }
});

test('LZ4 frames of Litestream 0.3 hold a database, and a WAL whose chain is whole', () => {
  const snapshot = goldenRead('lz4-litestream-0.3.13-snapshot.txt').bytes;
  strictEqual(lz4FrameMeasure(snapshot), snapshot.length);
  const database = lz4FrameDecode(snapshot, 1_000_000);
  deepStrictEqual([database.length, databaseHeaderDecode(database).journal], [2048, 'wal']);
  database.fill(1, 18, 20); // or SQLite would look for a WAL
  deepStrictEqual(rows(database, 'SELECT id, v FROM t'), ['1 hello']);

  const wal = lz4FrameDecode(goldenRead('lz4-litestream-0.3.13-wal.txt').bytes, 1_000_000);
  const header = must(walHeaderDecode(wal), 'a WAL header');
  deepStrictEqual([header.pageSize, header.bigEndian], [512, false]);
  const last = walFrameDecode(wal, frameOffset(3, 512));
  deepStrictEqual(walVerify(wal.subarray(WAL_HEADER_BYTES), header), { frames: 4, checksum: last.checksum });
  strictEqual(last.commit, 4);
});

test('what Millrace wrote in archive format 1 is read, additions included', () => {
  const { bytes, offsets } = goldenRead('ltx-millrace-1.txt');
  const { summary, pages, checksums } = ltxDecoded(bytes);
  const [a = 0n, b = 0n] = checksums;
  const { header } = summary;
  deepStrictEqual([header.epoch, header.counter], [7n, 2]);
  deepStrictEqual(header.rolling, { post: (a ^ b) | CHECKSUM_FLAG, pre: CHECKSUM_FLAG });
  strictEqual(offsets.get('reserved: tag "MR1"'), 80);
  deepStrictEqual(ltxHeaderEncode(ltxHeaderDecode(bytes)), bytes.slice(0, 100));
  deepStrictEqual(pages, ltxDecoded(goldenRead('ltx-lz4-1.9.4-legacy.txt').bytes).pages);
});
