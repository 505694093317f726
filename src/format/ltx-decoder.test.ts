import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { Bug } from '../base/assert.ts';
import { concat, view } from '../base/bytes.ts';
import type { Checksum } from '../base/ids.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { ltxBytes, ltxCases, ltxDecoded, pageOf } from '../../test/support/ltx-cases.ts';
import type { LtxCase } from '../../test/support/ltx-cases.ts';
import { legacyPageFrame } from '../../test/support/lz4-frames.ts';
import { crc64 } from './kernel.ts';
import { LIMITS, LtxDecoder } from './ltx-decoder.ts';
import { ltxTrailerEncode } from './ltx-file.ts';
import { ltxFramesDecode } from './ltx-frame.ts';
import { CHECKSUM_FLAG, ltxHeaderEncode } from './ltx-header.ts';
import type { LtxHeader } from './ltx-header.ts';
import { LtxIndexWriter } from './ltx-index.ts';
import { runs } from '../../test/support/runs.ts';

interface Parts {
  readonly header: LtxHeader;
  readonly frames: readonly Uint8Array[];
  readonly pgnos: readonly number[];
  /** Instead of the index that the frames ask for. */
  readonly index?: Uint8Array;
  readonly postApply?: bigint;
  readonly headerBytes?: Uint8Array;
}

/** A file put together by hand, sound in its checksum and, where `parts` say so, in nothing else. */
function assembled(parts: Parts): Uint8Array {
  const { header, frames, pgnos } = parts;
  const head = parts.headerBytes ?? ltxHeaderEncode(header);
  const writer = new LtxIndexWriter();
  let crc = crc64(head);
  let end = head.length;
  for (const [i, frame] of frames.entries()) {
    writer.add(pgnos[i] ?? 0, end, frame.length);
    crc = ltxFramesDecode(frame, header.pageSize, crc).crc;
    end += frame.length;
  }
  writer.end();
  const post = new Uint8Array(8);
  view(post).setBigUint64(0, parts.postApply ?? 0n);
  const behind = concat([new Uint8Array(6), parts.index ?? writer.take(), post]);
  const trailer = new Uint8Array(8);
  view(trailer).setBigUint64(0, crc64(behind, crc) | CHECKSUM_FLAG);
  return concat([head, ...frames, behind, trailer]);
}

/** The same file with its pages in LZ4 frames, as Litestream wrote before 0.5.16. */
function legacyParts({ header, pgnos, pages }: LtxCase): Parts {
  const frames = [...pgnos].map((pgno, i) =>
    legacyPageFrame(pgno, pages.subarray(i * header.pageSize, (i + 1) * header.pageSize)),
  );
  return { header, frames, pgnos: [...pgnos] };
}

const page = (seed: number): Uint8Array => pageOf('text', 512, seed);
const [someCase] = fc.sample(
  ltxCases.filter(({ header }) => header.minTxid > 1n),
  { numRuns: 1, seed: 7 },
);
const header: LtxHeader = { ...(someCase as LtxCase).header, pageSize: 512, commit: 9 };

/** Pages 2, 4 and 6 of a later transaction, in LZ4 frames. */
const example: Parts = {
  header,
  pgnos: [2, 4, 6],
  frames: [2, 4, 6].map((pgno) => legacyPageFrame(pgno, page(pgno))),
};

test('a file may come in pieces of any size', () => {
  fc.assert(
    fc.property(ltxCases, fc.integer({ min: 1, max: 5000 }), (of, pieceBytes) => {
      const bytes = ltxBytes(of, true);
      const { summary, ...batch } = ltxDecoded(bytes, Math.max(pieceBytes, bytes.length >> 8));
      deepStrictEqual(batch, { pgnos: of.pgnos, pages: of.pages, checksums: ltxDecoded(bytes).checksums });
      strictEqual(summary.size, bytes.length);
    }),
    { numRuns: runs(200) },
  );
});

test('both page encodings give the same pages and checksums', () => {
  fc.assert(
    fc.property(ltxCases, fc.integer({ min: 1, max: 5000 }), (of, pieceBytes) => {
      const legacy = assembled(legacyParts(of));
      const { summary: _, ...old } = ltxDecoded(legacy, Math.max(pieceBytes, legacy.length >> 8));
      const { summary: __, ...current } = ltxDecoded(ltxBytes(of));
      deepStrictEqual(old, current);
    }),
    { numRuns: runs(200) },
  );
});

test('batches are bounded, however well the pages compress', () => {
  const count = 12_000;
  const pgnos = Uint32Array.from({ length: count }, (_, i) => i + 1);
  const bytes = ltxBytes({
    header: { ...header, commit: count },
    pgnos,
    pages: new Uint8Array(count * 512),
    kinds: [],
  });
  const decoder = new LtxDecoder();
  const sizes = [...decoder.push(bytes)].map(({ pages }) => pages.length);
  strictEqual(decoder.end().pages, count);
  ok(sizes.length > 1 && sizes.every((size) => size <= LIMITS.batchBytes), String(sizes));
});

test('a file that is cut anywhere is truncated, and one that goes on is not ended', () => {
  const bytes = assembled(example);
  for (let size = 0; size < bytes.length; size++) {
    throws(
      () => ltxDecoded(bytes.subarray(0, size)),
      { kind: 'corrupt', code: 'ltx-truncated' },
      `${size} bytes`,
    );
  }
  throws(() => ltxDecoded(concat([bytes, Uint8Array.of(0)])), { kind: 'corrupt', code: 'ltx-trailing' });
  throws(() => ltxDecoded(concat([bytes, Uint8Array.of(0)]), 1), { kind: 'corrupt', code: 'ltx-trailing' });
});

test('no bit of a file can be changed without a Fault, but where LZ4 says the same in another way', () => {
  const bytes = assembled(example);
  const { pages } = ltxDecoded(bytes);
  let harmless = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    if (!faultsOnly(() => ltxDecoded(flipped))) continue;
    harmless++;
    deepStrictEqual(ltxDecoded(flipped).pages, pages, `bit ${bit}`);
  }
  ok(harmless < bytes.length / 8, `${harmless} of ${bytes.length * 8} bits are harmless`);
});

test('pages that are out of order, out of range or missing are refused, whatever the checksum says', () => {
  const refuse = (code: string, change: Partial<Parts>): void => {
    throws(() => ltxDecoded(assembled({ ...example, ...change })), { kind: 'corrupt', code });
  };
  const frames = (...pgnos: readonly number[]): Partial<Parts> => ({
    pgnos,
    frames: pgnos.map((pgno) => legacyPageFrame(pgno, page(pgno))),
  });
  ok(ltxDecoded(assembled(example)));
  refuse('ltx-pages', frames(4, 2));
  refuse('ltx-pages', frames(4, 4));
  refuse('ltx-pages', frames(2, 10));
  refuse('ltx-pages', { header: { ...header, commit: 3_000_000 }, ...frames(2_097_153) });
  refuse('ltx-pages', { header: { ...header, commit: 3, minTxid: 1n as never }, ...frames(1, 3) });
  refuse('ltx-pages', { header: { ...header, commit: 3, minTxid: 1n as never }, ...frames(1, 2) });
  refuse('ltx-index', { pgnos: [2, 4, 7] });
  refuse('ltx-index', { index: new Uint8Array(18) });
  refuse('ltx-trailer', { postApply: CHECKSUM_FLAG | 1n });
});

test('the checksum of the database that a snapshot carries is verified, in either place', () => {
  const pgnos = [1, 2];
  const frames = pgnos.map((pgno) => legacyPageFrame(pgno, page(pgno)));
  const [a = 0n, b = 0n] = ltxFramesDecode(concat(frames), 512).checksums;
  const post = (a ^ b) | CHECKSUM_FLAG;
  const snapshot: LtxHeader = { ...header, minTxid: 1n as never, commit: 2 };
  const rolled = (sum: bigint): Uint8Array =>
    assembled({
      header: { ...snapshot, rolling: { post: sum as Checksum, pre: 0n as Checksum } },
      frames,
      pgnos,
    });
  ok(ltxDecoded(rolled(post)));
  throws(() => ltxDecoded(rolled(post ^ 1n)), { kind: 'corrupt', code: 'ltx-rolling' });

  const headerBytes = ltxHeaderEncode(snapshot);
  view(headerBytes).setUint32(4, 0); // checksums are kept, as LiteFS does
  const kept = (sum: bigint): Uint8Array =>
    assembled({ header: snapshot, frames, pgnos, headerBytes, postApply: sum });
  strictEqual(ltxDecoded(kept(post)).summary.trailer.postApply, post);
  throws(() => ltxDecoded(kept(post ^ 1n)), { kind: 'corrupt', code: 'ltx-rolling' });
  throws(() => ltxDecoded(kept(0n)), { kind: 'corrupt', code: 'ltx-trailer' });
});

test('the smallest file holds nothing', () => {
  const bytes = assembled({ header, pgnos: [], frames: [] });
  strictEqual(bytes.length, 131);
  deepStrictEqual(ltxDecoded(bytes).summary.trailer, {
    postApply: 0n,
    fileChecksum: view(bytes).getBigUint64(123),
  });
  strictEqual(ltxTrailerEncode(ltxDecoded(bytes).summary.trailer).length, 16);
});

test('a decoder whose batches were left, or that threw, is a bug to go on with', () => {
  const left = new LtxDecoder();
  const batches = left.push(assembled(example));
  strictEqual(batches.next().done, false);
  throws(() => left.end(), Bug);
  throws(() => [...left.push(Uint8Array.of(1))], Bug);
  const failed = new LtxDecoder();
  throws(() => [...failed.push(new Uint8Array(200))], { code: 'ltx-header' });
  throws(() => failed.end(), Bug);
});

test('damaged files are Faults, or what they were', () => {
  const seen = { refused: 0, unharmed: 0 };
  const property = (of: LtxCase, isLegacy: boolean, all: Parameters<typeof damaged>[1]): void => {
    const bytes = isLegacy ? assembled(legacyParts(of)) : ltxBytes(of, true);
    const hurt = damaged(bytes, all);
    if (!faultsOnly(() => ltxDecoded(hurt, Math.max(1, hurt.length >> 2)))) {
      seen.refused++;
      return;
    }
    seen.unharmed++;
    const { summary, pages } = ltxDecoded(hurt);
    deepStrictEqual([summary.header.maxTxid, pages], [of.header.maxTxid, of.pages]);
  };
  fc.assert(fc.property(ltxCases, fc.boolean(), damages, property), { numRuns: runs(500) });
  ok(seen.refused > 300, JSON.stringify(seen));
});
