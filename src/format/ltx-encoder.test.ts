import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { Bug } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import { txid } from '../base/ids.ts';
import { PAGE_KINDS, ltxCases, ltxDecoded, pageOf } from '../../test/support/ltx-cases.ts';
import type { LtxCase } from '../../test/support/ltx-cases.ts';
import { crc64, pageChecksums } from './kernel.ts';
import { LtxEncoder, snapshotPages } from './ltx-encoder.ts';
import type { LtxImage } from './ltx-encoder.ts';
import { CHECKSUM_FLAG } from './ltx-header.ts';
import type { LtxHeader } from './ltx-header.ts';
import { runs } from '../../test/support/runs.ts';

/** Encodes a file whose pages come `perAdd` at a time. */
function encoded(
  { header, pgnos, pages }: LtxCase,
  perAdd: number,
): { image: LtxImage; checksums: bigint[] } {
  const encoder = new LtxEncoder(header.pageSize);
  const checksums: bigint[] = [];
  for (let i = 0; i < pgnos.length; i += perAdd) {
    const some = pages.subarray(i * header.pageSize, (i + perAdd) * header.pageSize);
    checksums.push(...encoder.add(pgnos.subarray(i, i + perAdd), some));
  }
  strictEqual(encoder.pages, pgnos.length);
  const { size } = encoder;
  const image = encoder.finish(header);
  strictEqual(image.size, size, 'the size was known before');
  return { image, checksums };
}

/**
 * FileChecksum by the words of the format: header, each page header, size field and page, everything behind.
 */
function checksumOf({ header, pages }: LtxCase, file: Uint8Array): bigint {
  const parts = [file.subarray(0, 100)];
  let at = 100;
  for (let i = 0; i * header.pageSize < pages.length; i++) {
    const prefix = file.subarray(at, at + 10);
    parts.push(prefix, pages.subarray(i * header.pageSize, (i + 1) * header.pageSize));
    at += 10 + new DataView(prefix.buffer, prefix.byteOffset).getUint32(6);
  }
  parts.push(file.subarray(at, -8));
  return crc64(concat(parts)) | CHECKSUM_FLAG;
}

test('a file gives back what it was made of, however its pages came', () => {
  const seen = {
    snapshot: 0,
    later: 0,
    empty: 0,
    aroundLockPage: 0,
    ...Object.fromEntries(PAGE_KINDS.map((k) => [k, 0])),
  };
  fc.assert(
    fc.property(ltxCases, fc.integer({ min: 1, max: 9 }), (of, perAdd) => {
      const { image, checksums } = encoded(of, perAdd);
      const file = concat(image.chunks);
      strictEqual(file.length, image.size);
      strictEqual(image.fileChecksum, checksumOf(of, file));
      const { summary, pgnos, pages, checksums: read } = ltxDecoded(file);
      deepStrictEqual(summary.header, { ...of.header, hasChecksums: false, preApply: 0n });
      deepStrictEqual([summary.pages, summary.size], [of.pgnos.length, file.length]);
      deepStrictEqual(pgnos, of.pgnos);
      deepStrictEqual(pages, of.pages);
      deepStrictEqual([...read], checksums);
      deepStrictEqual(read, pageChecksums(of.pgnos, of.pages, of.header.pageSize));
      count(seen, of);
    }),
    { numRuns: runs(250) },
  );
  for (const [name, number] of Object.entries(seen)) ok(number > 5, `${name}: ${number} of 250`);
});

function count(seen: Record<string, number>, { header, pgnos, kinds }: LtxCase): void {
  const add = (name: string): void => void (seen[name] = (seen[name] ?? 0) + 1);
  add(header.minTxid === 1n ? 'snapshot' : 'later');
  if (pgnos.length === 0) add('empty');
  if ((pgnos[0] ?? 0) > 10_000) add('aroundLockPage');
  for (const kind of new Set(kinds)) add(kind);
}

test('the bytes do not depend on how many pages come at a time', () => {
  fc.assert(
    fc.property(ltxCases, fc.integer({ min: 1, max: 9 }), (of, perAdd) => {
      deepStrictEqual(concat(encoded(of, perAdd).image.chunks), concat(encoded(of, 1000).image.chunks));
    }),
    { numRuns: runs(200) },
  );
});

test('a snapshot holds every page but the lock page', () => {
  strictEqual(snapshotPages(10, 4096), 10);
  strictEqual(snapshotPages(262_144, 4096), 262_144);
  strictEqual(snapshotPages(262_145, 4096), 262_144);
  strictEqual(snapshotPages(300_000, 4096), 299_999);
});

test('what may not be in a file is a bug', () => {
  const of = fc.sample(
    ltxCases.filter(({ header }) => header.minTxid > 1n),
    { numRuns: 1, seed: 1 },
  )[0];
  const header = { ...(of?.header as LtxHeader), pageSize: 512, commit: 3_000_000 };
  const page = pageOf('text', 512, 1);
  const add = (...pgnos: readonly number[]): LtxEncoder => {
    const encoder = new LtxEncoder(512);
    for (const pgno of pgnos) encoder.add(Uint32Array.of(pgno), page);
    return encoder;
  };
  ok(add(1, 2, 2_097_152, 2_097_154).finish(header));
  throws(() => add(2, 1), Bug, 'pages ascend');
  throws(() => add(2, 2), Bug, 'no page comes twice');
  throws(() => add(0), Bug, 'pages count from 1');
  throws(() => add(2_097_153), Bug, 'the lock page');
  throws(() => add().add(Uint32Array.of(1, 2), page), Bug, 'a page each');
  throws(() => add(5).finish({ ...header, commit: 4 }), Bug, 'a page beyond the end');
  throws(() => add(5).finish({ ...header, pageSize: 1024 }), Bug, 'another page size');
  const snapshot = { ...header, commit: 3, minTxid: txid(1) };
  ok(add(1, 2, 3).finish(snapshot));
  throws(() => add(1, 3).finish(snapshot), Bug, 'a snapshot with a hole');
  const finished = add(1);
  finished.finish(header);
  throws(() => finished.finish(header), Bug, 'twice');
  throws(() => finished.add(Uint32Array.of(2), page), Bug, 'after the end');
  throws(() => new LtxEncoder(1000), Bug);
});
