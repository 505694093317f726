import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { concat, view } from '../base/bytes.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { legacyPageFrame } from '../../test/support/lz4-frames.ts';
import { PAGE_KINDS, pageOf, pageSizes } from '../../test/support/ltx-cases.ts';
import { crc64, encodePages, pageChecksums } from './kernel.ts';
import { LTX_FRAME_BYTES_MAX, ltxFrameBytesMax, ltxFrameDecode, ltxFrameMeasure } from './ltx-frame.ts';
import { ltxFramesDecode } from './ltx-frame.ts';
import type { LtxPageEncoding } from './ltx-frame.ts';
import { runs } from '../../test/support/runs.ts';

interface Page {
  readonly pgno: number;
  readonly page: Uint8Array;
}

const pagesOf: fc.Arbitrary<{ readonly pageSize: number; readonly pages: readonly Page[] }> = pageSizes.chain(
  (pageSize) =>
    fc
      .array(fc.tuple(fc.integer({ min: 1, max: 0xffff_fffe }), fc.constantFrom(...PAGE_KINDS), fc.nat()), {
        minLength: 1,
        maxLength: 5,
      })
      .map((all) => ({
        pageSize,
        pages: all.map(([pgno, kind, seed]) => ({ pgno, page: pageOf(kind, pageSize, seed) })),
      })),
);
const encodings = fc.constantFrom<LtxPageEncoding>('block', 'frame');

function frameOf(encoding: LtxPageEncoding, { pgno, page }: Page): Uint8Array {
  if (encoding === 'frame') return legacyPageFrame(pgno, page);
  return encodePages(Uint32Array.of(pgno), page, page.length, 0n as never).bytes;
}

/** The running CRC by the words of the format: page header, size field if there is one, page. */
function crcOf(frames: readonly Uint8Array[], pages: readonly Page[], encoding: LtxPageEncoding): bigint {
  const prefix = encoding === 'block' ? 10 : 6;
  return crc64(concat(frames.flatMap((frame, i) => [frame.subarray(0, prefix), pages[i]?.page ?? frame])));
}

test('a frame of either encoding gives back its page', () => {
  const seen = { block: 0, frame: 0 };
  fc.assert(
    fc.property(pagesOf, encodings, ({ pageSize, pages }, encoding) => {
      for (const page of pages) {
        const frame = frameOf(encoding, page);
        ok(frame.length <= ltxFrameBytesMax(pageSize) && frame.length <= LTX_FRAME_BYTES_MAX);
        deepStrictEqual(ltxFrameDecode(frame, pageSize), page);
        seen[encoding]++;
      }
    }),
    { numRuns: runs(200) },
  );
  ok(seen.block > 50 && seen.frame > 50, JSON.stringify(seen));
});

test('a run of frames gives back pages, checksums and running CRC', () => {
  fc.assert(
    fc.property(pagesOf, encodings, ({ pageSize, pages }, encoding) => {
      const frames = pages.map((page) => frameOf(encoding, page));
      const run = ltxFramesDecode(concat(frames), pageSize);
      const whole = concat(pages.map(({ page }) => page));
      const pgnos = Uint32Array.from(pages, ({ pgno }) => pgno);
      const checksums = pageChecksums(pgnos, whole, pageSize);
      deepStrictEqual(run, { pgnos, pages: whole, checksums, crc: crcOf(frames, pages, encoding) });
    }),
    { numRuns: runs(200) },
  );
});

test('a frame is measured as soon as it is whole, and not before', () => {
  for (const encoding of ['block', 'frame'] as const) {
    const frame = frameOf(encoding, { pgno: 7, page: pageOf('mixed', 512, 1) });
    const around = concat([Uint8Array.of(1, 2, 3), frame, Uint8Array.of(9)]);
    deepStrictEqual(ltxFrameMeasure(around, 3, 512), { pgno: 7, encoding, size: frame.length });
    for (let end = 3; end < 3 + frame.length; end++) {
      strictEqual(ltxFrameMeasure(around.subarray(0, end), 3, 512), null, `${encoding}: ${end}`);
    }
  }
  strictEqual(ltxFrameMeasure(new Uint8Array(6), 0, 512), 'end');
  strictEqual(ltxFrameMeasure(new Uint8Array(5), 0, 512), null);
  deepStrictEqual(ltxFramesDecode(new Uint8Array(0), 512).pgnos.length, 0);
});

test('a block that is longer than its page is read', () => {
  const noise = { pgno: 1, page: pageOf('noise', 4096, 1) };
  const frame = frameOf('block', noise);
  ok(frame.length > 4096 + 10);
  deepStrictEqual(ltxFrameDecode(frame, 4096), noise);
});

test('a frame that cannot be is refused at once, whatever follows', () => {
  const frame = frameOf('block', { pgno: 7, page: pageOf('text', 512, 1) });
  const changed = (change: (at: DataView) => void): Uint8Array => {
    const bytes = Uint8Array.from(frame);
    change(view(bytes));
    return bytes;
  };
  const breaks: readonly ((at: DataView) => void)[] = [
    (at) => at.setUint32(0, 0),
    (at) => at.setUint32(0, 0xffff_ffff),
    (at) => at.setUint16(4, 2),
    (at) => at.setUint32(6, 0xffff_ffff),
    (at) => at.setUint32(6, ltxFrameBytesMax(512) - 9),
  ];
  for (const change of breaks) {
    throws(() => ltxFrameMeasure(changed(change), 0, 512), { kind: 'corrupt', code: 'ltx-frame' });
  }
  const longest = changed((at) => at.setUint32(6, ltxFrameBytesMax(512) - 10));
  strictEqual(ltxFrameMeasure(longest, 0, 512), null, 'a frame of the greatest size may yet come');
  throws(() => ltxFrameDecode(concat([frame, frame]), 512), { code: 'ltx-frame' });
  throws(() => ltxFrameDecode(frame, 1024), { kind: 'corrupt' });
  throws(() => ltxFrameDecode(legacyPageFrame(1, pageOf('text', 512, 1)), 1024), { code: 'ltx-frame' });
  throws(() => ltxFrameDecode(legacyPageFrame(1, pageOf('text', 1024, 1)), 512), { kind: 'corrupt' });
});

test('damaged frames are Faults or pages', () => {
  fc.assert(
    fc.property(pagesOf, encodings, damages, ({ pageSize, pages }, encoding, all) => {
      const bytes = damaged(concat(pages.map((page) => frameOf(encoding, page))), all);
      faultsOnly(() => ltxFrameMeasure(bytes, 0, pageSize));
      faultsOnly(() => ltxFrameDecode(bytes, pageSize));
      faultsOnly(() => ltxFramesDecode(bytes, pageSize));
    }),
    { numRuns: runs(500) },
  );
});
