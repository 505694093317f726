import assert from 'node:assert/strict';
import { test } from 'node:test';

import { legacyPageFrame } from '../../test/support/lz4-frames.ts';
import { pageOf } from '../../test/support/states.ts';
import { concat } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import type { Checksum } from '../base/ids.ts';
import { crc64, encodePages, pageChecksums } from '../format/kernel.ts';
import { decodeFrames } from './jobs.ts';
import type { DecodeInput } from './jobs.ts';

const PAGE_SIZE = 512;

function inputOf(
  frames: readonly Uint8Array[],
  pgnos: readonly number[],
  gaps: readonly number[] = [],
): DecodeInput {
  const parts: Uint8Array[] = [];
  const offsets: number[] = [];
  let at = 0;
  frames.forEach((frame, i) => {
    const gap = new Uint8Array(gaps[i] ?? 0).fill(0xee);
    offsets.push(at + gap.length);
    parts.push(gap, frame);
    at += gap.length + frame.length;
  });
  return {
    bytes: concat(parts),
    pageSize: PAGE_SIZE,
    pgnos: Uint32Array.from(pgnos),
    offsets: Float64Array.from(offsets),
    sizes: Uint32Array.from(frames, (frame) => frame.length),
    isOwned: new Uint8Array(frames.length).fill(1),
  };
}

function block(pgno: number): Uint8Array {
  return encodePages(Uint32Array.of(pgno), pageOf(pgno, 1, PAGE_SIZE), PAGE_SIZE, 0n as Checksum).bytes;
}

function legacy(pgno: number): Uint8Array {
  return legacyPageFrame(pgno, pageOf(pgno, 1, PAGE_SIZE));
}

function expected(pgnos: readonly number[]): { pages: Uint8Array; checksum: bigint } {
  const pages = concat(pgnos.map((pgno) => pageOf(pgno, 1, PAGE_SIZE)));
  const checksums = pageChecksums(Uint32Array.from(pgnos), pages, PAGE_SIZE);
  return { pages, checksum: checksums.reduce((xor, checksum) => xor ^ checksum, 0n) };
}

test('frames of either encoding, with gaps or without, decode to their pages', () => {
  const frames = [block(2), block(3), legacy(7), legacy(8), block(9), block(12)];
  const output = decodeFrames(inputOf(frames, [2, 3, 7, 8, 9, 12], [0, 0, 0, 5, 0, 9]));
  assert.deepEqual([...output.pgnos], [2, 3, 7, 8, 9, 12]);
  const { pages, checksum } = expected([2, 3, 7, 8, 9, 12]);
  assert.deepEqual(output.pages, pages);
  assert.equal(output.checksum, checksum);
});

test('the CRC is that of an LTX file: frame headers, and pages as they decode', () => {
  const output = decodeFrames(inputOf([block(2), legacy(3)], [2, 3]));
  const covered = concat([
    block(2).subarray(0, 10),
    pageOf(2, 1, PAGE_SIZE),
    legacy(3).subarray(0, 6),
    pageOf(3, 1, PAGE_SIZE),
  ]);
  assert.equal(output.crc, crc64(covered));
  assert.equal(output.crcBytes, covered.length);
});

test('pages that nobody wants are left out, but not out of the CRC', () => {
  const input = inputOf([block(2), block(3)], [2, 3]);
  const output = decodeFrames({ ...input, isOwned: Uint8Array.of(0, 1) });
  assert.deepEqual([...output.pgnos], [3]);
  assert.deepEqual(output.pages, expected([3]).pages);
  assert.equal(output.checksum, expected([3]).checksum);
  assert.equal(output.crc, decodeFrames(input).crc);
});

test('frames that the index describes otherwise are corrupt', () => {
  const frames = [block(2), block(3)];
  const wrong: DecodeInput[] = [
    inputOf(frames, [2, 4]),
    { ...inputOf(frames, [2, 3]), sizes: Uint32Array.from(frames, (frame) => frame.length - 1) },
    {
      ...inputOf(frames, [2]),
      sizes: Uint32Array.of(frames[0]!.length + frames[1]!.length),
      offsets: Float64Array.of(0),
    },
  ];
  for (const input of wrong)
    assert.throws(
      () => decodeFrames(input),
      (error) => isFault(error, 'corrupt'),
    );
});
