import { deepStrictEqual, ok, strictEqual, throws } from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { view } from '../base/bytes.ts';
import { damaged, damages, faultsOnly } from '../../test/support/fuzz.ts';
import { ltxBytes, ltxCases, ltxDecoded } from '../../test/support/ltx-cases.ts';
import { LTX_FILE_BYTES_MIN, ltxTailDecode, ltxTrailerDecode, ltxTrailerEncode } from './ltx-file.ts';
import { ltxFrameDecode } from './ltx-frame.ts';
import { runs } from '../../test/support/runs.ts';

test('the tail is enough to find any page', () => {
  fc.assert(
    fc.property(ltxCases, (of) => {
      const bytes = ltxBytes(of);
      const { index, trailer } = ltxTailDecode(bytes.subarray(100), bytes.length);
      if (index === null) throw new Error('the whole file was there');
      deepStrictEqual(trailer, ltxDecoded(bytes).summary.trailer);
      deepStrictEqual(index.pgnos, of.pgnos);
      const { pageSize } = of.header;
      index.offsets.forEach((offset, i) => {
        const frame = bytes.subarray(offset, offset + (index.sizes[i] ?? 0));
        const page = of.pages.subarray(i * pageSize, (i + 1) * pageSize);
        deepStrictEqual(ltxFrameDecode(frame, pageSize), { pgno: of.pgnos[i], page });
      });
    }),
    { numRuns: runs(200) },
  );
});

test('a tail that is too short says how many bytes are missing, and then they are enough', () => {
  fc.assert(
    fc.property(ltxCases, fc.nat(), (of, some) => {
      const bytes = ltxBytes(of);
      let tailBytes = some % bytes.length;
      for (let rounds = 0; ; rounds++) {
        ok(rounds <= 2, 'two further reads are enough');
        const { missing, index } = ltxTailDecode(bytes.subarray(bytes.length - tailBytes), bytes.length);
        if (missing === 0) {
          deepStrictEqual(index?.pgnos, of.pgnos);
          return;
        }
        tailBytes += missing;
      }
    }),
    { numRuns: runs(200) },
  );
});

test('a trailer gives back what it was made of', () => {
  const flag = 1n << 63n;
  for (const trailer of [
    { postApply: 0n, fileChecksum: flag },
    { postApply: flag | 1n, fileChecksum: flag | 2n },
  ]) {
    deepStrictEqual(ltxTrailerDecode(ltxTrailerEncode(trailer as never)), trailer);
  }
  for (const trailer of [
    { postApply: 0n, fileChecksum: 1n },
    { postApply: 1n, fileChecksum: flag },
  ]) {
    const bytes = ltxTrailerEncode(trailer as never);
    throws(() => ltxTrailerDecode(bytes), { kind: 'corrupt', code: 'ltx-trailer' });
  }
});

test('a file that is too short, or an index that is too long, is refused', () => {
  strictEqual(LTX_FILE_BYTES_MIN, 131);
  throws(() => ltxTailDecode(new Uint8Array(130), 130), { kind: 'corrupt', code: 'ltx-truncated' });
  const bytes = new Uint8Array(131);
  view(bytes).setBigUint64(123, 1n << 63n);
  for (const size of [0n, 2n, 1n << 40n, (1n << 64n) - 1n]) {
    view(bytes).setBigUint64(107, size);
    throws(() => ltxTailDecode(bytes, 131), { kind: 'corrupt', code: 'ltx-trailer' }, `${size}`);
  }
  view(bytes).setBigUint64(107, 1n);
  strictEqual(ltxTailDecode(bytes, 131).index?.pgnos.length, 0);
});

test('a damaged tail is a Fault, or is read', () => {
  let refused = 0;
  fc.assert(
    fc.property(ltxCases, damages, (of, all) => {
      const bytes = damaged(ltxBytes(of).subarray(100), all);
      if (!faultsOnly(() => ltxTailDecode(bytes, bytes.length + 100))) refused++;
    }),
    { numRuns: runs(400) },
  );
  ok(refused > 100, `only ${refused} of 400 were refused`);
});
