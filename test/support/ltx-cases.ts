/** LTX files for tests: headers, page numbers and pages of every kind that a codec must tell apart. */

import fc from 'fast-check';

import { concat } from '../../src/base/bytes.ts';
import { epoch, txid } from '../../src/base/ids.ts';
import type { Checksum, WallMs } from '../../src/base/ids.ts';
import { LtxDecoder } from '../../src/format/ltx-decoder.ts';
import type { LtxSummary } from '../../src/format/ltx-decoder.ts';
import { LtxEncoder } from '../../src/format/ltx-encoder.ts';
import type { LtxBatch } from '../../src/format/ltx-frame.ts';
import { CHECKSUM_FLAG } from '../../src/format/ltx-header.ts';
import type { LtxHeader } from '../../src/format/ltx-header.ts';
import { lockPage } from '../../src/format/sqlite-header.ts';

/** Every page size of SQLite, small ones more often. */
export const pageSizes: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(512, 1024) },
  { weight: 2, arbitrary: fc.constantFrom(2048, 4096, 8192) },
  { weight: 1, arbitrary: fc.constantFrom(16_384, 32_768, 65_536) },
);

export const PAGE_KINDS = ['zeros', 'text', 'noise', 'mixed'] as const;
export type PageKind = (typeof PAGE_KINDS)[number];

/** A page of one kind, the same for the same seed. */
export function pageOf(kind: PageKind, pageSize: number, seed: number): Uint8Array {
  const page = new Uint8Array(pageSize);
  const noiseFrom = { zeros: pageSize, text: pageSize, noise: 0, mixed: pageSize >> 1 }[kind];
  let state = (seed * 2 + 1) | 0;
  for (let i = 0; i < pageSize; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    if (i >= noiseFrom) page[i] = state;
    else if (kind === 'text') page[i] = 97 + ((i * (1 + (seed & 3))) % 23);
  }
  return page;
}

/** What a file is made of. */
export interface LtxCase {
  readonly header: LtxHeader;
  readonly pgnos: Uint32Array;
  readonly pages: Uint8Array;
  readonly kinds: readonly PageKind[];
}

/**
 * A snapshot, or the pages of later transactions, those around the lock page among them; some files are
 * empty.
 */
export const ltxCases: fc.Arbitrary<LtxCase> = pageSizes.chain((pageSize) =>
  fc
    .record({
      isSnapshot: fc.boolean(),
      steps: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: Math.max(3, 16_384 / pageSize) }),
      isNearLockPage: fc.boolean(),
      beyond: fc.nat(5),
      kinds: fc.array(fc.constantFrom(...PAGE_KINDS), { minLength: 1 }),
      seed: fc.nat(),
      header: headerParts,
    })
    .map(({ isSnapshot, steps, isNearLockPage, beyond, kinds, seed, header }) => {
      const lock = lockPage(pageSize);
      const pgnos: number[] = [];
      let last = isSnapshot || !isNearLockPage ? 0 : lock - 2;
      for (const step of isSnapshot ? steps.map(() => 1) : steps) {
        last += step;
        if (last !== lock) pgnos.push(last);
      }
      if (isSnapshot && pgnos.length === 0) pgnos.push((last = 1));
      const pageKinds = pgnos.map((_, i) => kinds[i % kinds.length] ?? 'zeros');
      const pages = concat(pageKinds.map((kind, i) => pageOf(kind, pageSize, seed + i)));
      const commit = isSnapshot ? last : Math.max(1, last + beyond);
      const minTxid = txid(isSnapshot ? 1n : header.minTxid);
      const maxTxid = txid(minTxid + header.span);
      const { minTxid: _, span: __, ...rest } = header;
      return {
        header: { ...rest, pageSize, commit, minTxid, maxTxid, rolling: null },
        pgnos: Uint32Array.from(pgnos),
        pages,
        kinds: pageKinds,
      };
    }),
);

const u32 = fc.oneof(fc.nat(10), fc.integer({ min: 0, max: 0xffff_ffff }));

const headerParts = fc
  .record({
    minTxid: fc.bigInt({ min: 2n, max: (1n << 62n) - 1n }),
    span: fc.bigInt({ min: 0n, max: 1n << 61n }),
    timestampMs: fc.maxSafeInteger().map((ms) => ms as WallMs),
    walOffset: fc.oneof(fc.constant(0), fc.integer({ min: 32, max: Number.MAX_SAFE_INTEGER })),
    walSize: fc.maxSafeNat(),
    walSalt1: u32,
    walSalt2: u32,
    epoch: u32.map((value) => epoch(value)),
    counter: u32,
  })
  .map((parts) => (parts.walOffset > 0 ? parts : { ...parts, walSize: 0, walSalt1: 0, walSalt2: 0 }));

/** Checksums of a database, as the rolling checksums of a header. */
export const flagged: fc.Arbitrary<Checksum> = fc
  .bigInt({ min: 0n, max: CHECKSUM_FLAG - 1n })
  .map((value) => (value | CHECKSUM_FLAG) as Checksum);

/** The bytes of a file. Its rolling checksum, where it is to have one, is that of its own pages. */
export function ltxBytes({ header, pgnos, pages }: LtxCase, isRolling = false): Uint8Array {
  const encoder = new LtxEncoder(header.pageSize);
  const checksums = encoder.add(pgnos, pages);
  const post = (checksums.reduce((sum, next) => sum ^ next, 0n) | CHECKSUM_FLAG) as Checksum;
  const image = encoder.finish(
    isRolling ? { ...header, rolling: { post, pre: CHECKSUM_FLAG as Checksum } } : header,
  );
  return concat(image.chunks);
}

/** A file that was decoded whole. */
export interface LtxDecoded extends LtxBatch {
  readonly summary: LtxSummary;
}

/** Decodes a file that comes in pieces of `pieceBytes`. */
export function ltxDecoded(bytes: Uint8Array, pieceBytes: number = bytes.length): LtxDecoded {
  const decoder = new LtxDecoder();
  const batches: LtxBatch[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    // A piece that is overwritten afterwards, as a buffer that is used again would be.
    const piece = Uint8Array.from(bytes.subarray(at, at + pieceBytes));
    batches.push(...decoder.push(piece));
    piece.fill(0xee);
  }
  return {
    summary: decoder.end(),
    pgnos: Uint32Array.from(batches.flatMap(({ pgnos }) => [...pgnos])),
    pages: concat(batches.map(({ pages }) => pages)),
    checksums: BigUint64Array.from(batches.flatMap(({ checksums }) => [...checksums])),
  };
}
