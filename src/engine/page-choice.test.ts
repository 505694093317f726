import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { pgno } from '../base/ids.ts';
import { PageWindow, fetchRanges } from './page-choice.ts';
import type { FrameList } from './page-choice.ts';
import { runs } from '../../test/support/runs.ts';

function framesOf(pages: readonly number[], sizes: readonly number[] = []): FrameList {
  const offsets: number[] = [];
  let offset = 100;
  pages.forEach((_, i) => {
    offsets.push(offset);
    offset += sizes[i] ?? 20;
  });
  return {
    count: pages.length,
    pgnos: Uint32Array.from(pages),
    offsets: Float64Array.from(offsets),
    sizes: Uint32Array.from(pages, (_, i) => sizes[i] ?? 20),
  };
}

const LIMITS = { windowPages: 64, rangeBytesMax: 100, pagesBytesMax: 4_096, gapBytesMax: 30 };

test('who comes first owns a page, up to the size of the database', () => {
  const window = new PageWindow(pgno(1), { commit: 6, lockPage: pgno(5) }, 8);
  assert.deepEqual([...window.claim(framesOf([3, 7]))], [1, 0]);
  assert.deepEqual([...window.claim(framesOf([2, 3]))], [1, 0]);
  assert.equal(window.missing(), 1);
  assert.deepEqual([...window.claim(framesOf([1, 2, 3, 4, 5, 6, 7, 8]))], [1, 0, 0, 1, 0, 1, 0, 0]);
  assert.equal(window.missing(), null);
});

test('the lock page is never missing, and never owned', () => {
  const window = new PageWindow(pgno(5), { commit: 5, lockPage: pgno(5) }, 8);
  assert.equal(window.missing(), null);
  assert.deepEqual([...window.claim(framesOf([5]))], [0]);
});

test('newest-first claims in windows give every page the newest frame there is', () => {
  const anyPages = fc
    .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 })
    .map((pages) => pages.sort((a, b) => a - b));
  fc.assert(
    fc.property(
      fc.array(anyPages, { maxLength: 5 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 64 }),
      (files, commit, width) => {
        const owners = new Map<number, number>();
        for (let first = 1; first <= 60; first += width) {
          const window = new PageWindow(pgno(first), { commit, lockPage: pgno(1_000) }, width);
          for (let i = files.length - 1; i >= 0; i--) {
            const inside = files[i]!.filter((page) => page >= window.first && page < window.end);
            window.claim(framesOf(inside)).forEach((flag, at) => {
              if (flag === 1) owners.set(inside[at]!, i);
            });
          }
          const unowned = Array.from({ length: width }, (_, i) => first + i).find(
            (page) => page <= commit && !owners.has(page),
          );
          assert.equal(window.missing(), unowned ?? null);
        }
        for (let page = 1; page <= 60; page++) {
          const newest = page <= commit ? files.findLastIndex((pages) => pages.includes(page)) : -1;
          assert.equal(owners.get(page) ?? -1, newest, `page ${page}`);
        }
      },
    ),
    { numRuns: runs(300) },
  );
});

test('ranges hold the wanted frames, all of them, once, and keep to their limits', () => {
  let ranges = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ size: fc.integer({ min: 12, max: 150 }), owned: fc.boolean() }), {
        maxLength: 40,
      }),
      fc.boolean(),
      (list, all) => {
        const frames = framesOf(
          list.map((_, i) => i + 1),
          list.map(({ size }) => size),
        );
        const isOwned = Uint8Array.from(list, ({ owned }) => (owned ? 1 : 0));
        const made = fetchRanges(frames, isOwned, { pageSize: 512, all, limits: LIMITS });
        const pages: number[] = [];
        let end = 0;
        for (const range of made) {
          const { frames: inside } = range;
          assert.ok(range.offset >= end, 'ranges ascend');
          end = range.offset + range.length;
          assert.equal(inside.offsets[0], range.offset);
          assert.equal(inside.offsets[inside.count - 1]! + inside.sizes[inside.count - 1]!, end);
          assert.ok(range.length <= LIMITS.rangeBytesMax || inside.count === 1);
          assert.ok(inside.count * 512 <= LIMITS.pagesBytesMax);
          for (let i = 1; i < inside.count; i++) {
            const gap = inside.offsets[i]! - inside.offsets[i - 1]! - inside.sizes[i - 1]!;
            assert.ok(gap <= (all ? 0 : LIMITS.gapBytesMax));
          }
          pages.push(...inside.pgnos);
          assert.deepEqual(
            [...range.isOwned],
            [...inside.pgnos].map((page) => isOwned[page - 1]),
          );
        }
        const wanted = list.flatMap(({ owned }, i) => (all || owned ? [i + 1] : []));
        assert.deepEqual(pages, wanted);
        ranges += made.length;
      },
    ),
    { numRuns: runs(300) },
  );
  assert.ok(ranges > 300);
});
