/** The archive lint sees nothing wrong in a good archive, and sees each rule broken in a bad one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { concat } from '../../src/base/bytes.ts';
import { epoch, txid } from '../../src/base/ids.ts';
import type { Checksum, WallMs } from '../../src/base/ids.ts';
import { crc64, encodePages } from '../../src/format/kernel.ts';
import { ltxTrailerEncode } from '../../src/format/ltx-file.ts';
import { CHECKSUM_FLAG, ltxHeaderEncode } from '../../src/format/ltx-header.ts';
import { LtxIndexWriter } from '../../src/format/ltx-index.ts';
import { hostClock } from '../../src/host/clock.ts';
import { ltxKey } from '../../src/storage/archive-keys.ts';
import { Archive } from '../../src/storage/archive.ts';
import { MemoryStore } from '../../src/storage/memory-store.ts';
import { bodyOf } from '../../src/storage/object-store.ts';
import { LINT_RULES, lintArchive } from './archive-lint.ts';

const PAGE_SIZE = 512;
const ROLLING = { a: (CHECKSUM_FLAG | 1n) as Checksum, b: (CHECKSUM_FLAG | 2n) as Checksum };

/** One file, as its header and pages; the rest has defaults that break no rule. */
interface Spec {
  readonly level?: number;
  readonly min: number;
  readonly max?: number;
  readonly commit: number;
  readonly pgnos: readonly number[];
  readonly atMs?: number;
  readonly modifiedMs?: number;
  readonly pageSize?: number;
  readonly epoch?: number;
  readonly walOffset?: number;
  readonly rolling?: { readonly post: Checksum; readonly pre: Checksum };
  /** The name, where it is not that of the header. */
  readonly name?: number;
  /** Applied to the header's bytes before checksums are computed. */
  readonly patch?: (header: DataView) => void;
  readonly postApply?: bigint;
  readonly isCutOff?: boolean;
}

/** Grows from 2 to 5 pages; compacted to level 1; a snapshot at TXID 4. */
const GOOD: readonly Spec[] = [
  { min: 1, commit: 2, pgnos: [1, 2], epoch: 1 },
  { min: 2, commit: 2, pgnos: [2], epoch: 1 },
  { min: 3, commit: 5, pgnos: [1, 3, 4, 5], epoch: 2 },
  { min: 4, commit: 4, pgnos: [1], epoch: 2 },
  { level: 1, min: 1, max: 2, commit: 2, pgnos: [1, 2], atMs: 2, walOffset: 0 },
  { level: 1, min: 3, max: 4, commit: 4, pgnos: [1, 3, 4], atMs: 4, walOffset: 0 },
  { level: 2, min: 1, max: 4, commit: 4, pgnos: [1, 2, 3, 4], atMs: 4, walOffset: 0 },
  { level: 9, min: 1, max: 4, commit: 4, pgnos: [1, 2, 3, 4], walOffset: 0 },
];

/** The bytes of a file that may break any rule: no encoder would write it. */
function bytesOf(spec: Spec): Uint8Array {
  const { min, max = min, pgnos, pageSize = PAGE_SIZE, walOffset = 32 } = spec;
  const salt = walOffset === 0 ? 0 : 7;
  const header = ltxHeaderEncode({
    pageSize,
    commit: spec.commit,
    minTxid: txid(min),
    maxTxid: txid(max),
    timestampMs: (spec.atMs ?? max) as WallMs,
    walOffset,
    walSize: 0,
    walSalt1: salt,
    walSalt2: salt,
    epoch: epoch(spec.epoch ?? 0),
    counter: 0,
    rolling: spec.rolling ?? null,
  });
  spec.patch?.(new DataView(header.buffer));
  const pages = new Uint8Array(pgnos.length * pageSize).fill(min);
  const frames = encodePages(Uint32Array.from(pgnos), pages, pageSize, crc64(header));
  const index = new LtxIndexWriter();
  let at = header.length;
  for (const [i, pgno] of pgnos.entries()) {
    const size = frames.sizes[i] ?? 0;
    index.add(pgno, at, size);
    at += size;
  }
  index.end();
  const postApply = (spec.postApply ?? 0n) as Checksum;
  const end = concat([new Uint8Array(6), index.take()]);
  const covered = concat([end, ltxTrailerEncode({ postApply, fileChecksum: 0n as Checksum }).subarray(0, 8)]);
  const fileChecksum = (crc64(covered, frames.crc) | CHECKSUM_FLAG) as Checksum;
  const bytes = concat([header, frames.bytes, end, ltxTrailerEncode({ postApply, fileChecksum })]);
  return spec.isCutOff === true ? bytes.subarray(0, 150) : bytes;
}

async function archiveOf(specs: readonly Spec[]): Promise<Archive> {
  const store = new MemoryStore(hostClock);
  for (const spec of specs) {
    const { level = 0, max = spec.min } = spec;
    const key = ltxKey('levels-decimal', level, txid(spec.name ?? spec.min), txid(spec.name ?? max));
    await store.put(key, bodyOf(bytesOf(spec)), { modifiedMs: spec.modifiedMs ?? spec.atMs ?? max });
  }
  return new Archive(store);
}

/** The good archive with one file replaced by a variant of it, or left out. */
function withFile(at: number, change: Partial<Spec> | null): readonly Spec[] {
  return GOOD.flatMap((spec, i) => (i !== at ? [spec] : change === null ? [] : [{ ...spec, ...change }]));
}

/** Bad archives, by the rule that each breaks. */
const BAD: Readonly<Record<(typeof LINT_RULES)[number], readonly (readonly Spec[])[]>> = {
  readable: [withFile(1, { isCutOff: true }), withFile(1, { patch: (header) => header.setUint8(0, 0) })],
  W1: [
    withFile(1, null),
    [...GOOD, { min: 6, commit: 4, pgnos: [1] }],
    [...GOOD, { min: 5, max: 6, commit: 4, pgnos: [1] }],
    GOOD.slice(2, 4),
    withFile(3, { min: 5, name: 4 }),
  ],
  W2: [
    withFile(0, { pgnos: [1] }),
    withFile(7, { pgnos: [1, 2, 4] }),
    withFile(7, { min: 3, commit: 4, pgnos: [1, 3, 4] }),
  ],
  W3: [
    withFile(1, {
      postApply: CHECKSUM_FLAG,
      patch: (header) => {
        header.setUint32(4, 0);
        header.setBigUint64(40, CHECKSUM_FLAG);
      },
    }),
  ],
  W4: [
    withFile(1, { walOffset: 0 }),
    withFile(1, { patch: (header) => header.setBigUint64(64, 0n) }),
    withFile(1, { walOffset: 31 }),
  ],
  W5: [withFile(3, null), GOOD.slice(4)],
  W6: [withFile(2, { pgnos: [1, 3, 5] }), withFile(5, { pgnos: [1, 4] })],
  W7: [
    [
      ...withFile(5, { max: 3, commit: 5, pgnos: [1, 3, 4, 5], atMs: 3 }),
      { ...level1(4), max: 4 },
      level2To(3),
    ],
    withFile(4, null).concat({ ...level1(1), max: 1, commit: 2, pgnos: [1, 2] }),
    withFile(6, { max: 3, commit: 5, pgnos: [1, 2, 3, 4, 5], atMs: 3 }),
  ],
  W8: [withFile(3, { pageSize: 1024 })],
  W9: [withFile(2, { atMs: 1 }), withFile(2, { modifiedMs: 99 })],
  W11: [withFile(1, { patch: (header) => header.setUint32(12, 0) })],
  W12: [withFile(1, { epoch: 0 })],
  I7: [
    withFile(1, { rolling: { post: ROLLING.b, pre: ROLLING.a } }).map((spec) =>
      spec.min === 3 && spec.level === undefined
        ? { ...spec, rolling: { post: ROLLING.b, pre: ROLLING.a } }
        : spec,
    ),
  ],
};

function level1(min: number): Spec {
  return { level: 1, min, commit: 4, pgnos: [1], atMs: min, walOffset: 0 };
}

function level2To(max: number): Spec {
  return { level: 2, min: 1, max, commit: 5, pgnos: [1, 2, 3, 4, 5], atMs: max, walOffset: 0 };
}

test('a good archive breaks no rule', async () => {
  assert.deepEqual(await lintArchive(await archiveOf(GOOD)), []);
});

test('an archive whose old files retention deleted breaks no rule', async () => {
  assert.deepEqual(await lintArchive(await archiveOf(GOOD.slice(3, 4).concat(GOOD.slice(5)))), []);
  assert.deepEqual(await lintArchive(await archiveOf(GOOD.slice(3, 7))), []);
});

test('an empty archive breaks no rule', async () => {
  assert.deepEqual(await lintArchive(await archiveOf([])), []);
});

for (const rule of LINT_RULES) {
  test(`an archive that breaks ${rule} is found out`, async () => {
    assert.ok(BAD[rule].length > 0);
    for (const [i, specs] of BAD[rule].entries()) {
      const violations = await lintArchive(await archiveOf(specs));
      const isNamed = violations.some((violation) => violation.startsWith(`${rule} `));
      assert.ok(isNamed, `case ${i} of ${rule}: ${violations.join('; ') || 'no violations'}`);
    }
  });
}

test('a page size that is not the identity’s is found out', async () => {
  const archive = await archiveOf(GOOD);
  const lineage = { id: '00000000000000ff', createdMs: 1, pageSize: 4096, prefix: '' };
  await archive.createIdentity({ format: 1, lineages: [lineage] });
  const violations = await lintArchive(archive);
  assert.ok(
    violations.length === GOOD.length && violations.every((violation) => violation.startsWith('W8 ')),
  );
});
