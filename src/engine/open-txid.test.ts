import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { WAL_FRAME_HEADER_BYTES, frameBytes } from '../format/wal.ts';
import { FrameRun } from './frame-run.ts';
import { OpenTxid } from './open-txid.ts';
import { runs } from '../../test/support/runs.ts';

const PAGE_SIZE = 512;

/** One frame: a page whose every byte is `fill`; `commit` is the size after it, or 0. */
interface Frame {
  readonly pgno: number;
  readonly commit: number;
  readonly fill: number;
}

function runOf(frames: readonly Frame[]): FrameRun {
  const step = frameBytes(PAGE_SIZE);
  const bytes = new Uint8Array(frames.length * step);
  const view = new DataView(bytes.buffer);
  frames.forEach(({ pgno, commit, fill }, index) => {
    view.setUint32(index * step, pgno);
    view.setUint32(index * step + 4, commit);
    bytes.fill(fill, index * step + WAL_FRAME_HEADER_BYTES, (index + 1) * step);
  });
  return new FrameRun(bytes, PAGE_SIZE);
}

/**
 * Transactions of a few pages each, which grow and shrink the database; some spill pages beyond their size.
 */
const framesArbitrary = fc
  .array(
    fc.record({
      pgnos: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
      size: fc.integer({ min: 1, max: 10 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((transactions) =>
    transactions.flatMap(({ pgnos, size }, t) =>
      pgnos.map((pgno, p): Frame => ({
        pgno,
        commit: p === pgnos.length - 1 ? size : 0,
        fill: (t * 7 + p) % 251,
      })),
    ),
  );

/**
 * The plain way: every transaction applied to an array of pages, of which each remembers whether it
 * changed.
 */
function modelOf(frames: readonly Frame[], sizeBefore: number): { pages: Map<number, number>; size: number } {
  let size = sizeBefore;
  const pages = new Map<number, number>();
  let transaction: Frame[] = [];
  for (const frame of frames) {
    transaction.push(frame);
    if (frame.commit === 0) continue;
    for (const { pgno, fill } of transaction) pages.set(pgno, fill);
    transaction = [];
    size = frame.commit;
    for (const pgno of pages.keys()) if (pgno > size) pages.delete(pgno);
  }
  return { pages, size };
}

test('I6: what is taken is every page that changed, all of the growth, and nothing beyond the end', () => {
  fc.assert(
    fc.property(
      framesArbitrary,
      fc.integer({ min: 1, max: 10 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 6 })),
      (frames, size, cuts) => {
        const open = new OpenTxid(PAGE_SIZE, size, 1 << 24);
        for (let at = 0; at < frames.length;) {
          const count = Number(cuts.next().value);
          open.absorb(runOf(frames.slice(at, at + count)));
          at += count;
        }
        const model = modelOf(frames, size);
        const taken = open.take();
        assert.equal(taken.size, model.size);
        assert.ok(taken.pgnos.every((pgno, i) => pgno <= taken.size && pgno > (taken.pgnos[i - 1] ?? 0)));
        for (const [pgno, fill] of model.pages) {
          assert.ok(taken.pgnos.includes(pgno), `page ${pgno} changed`);
          assert.equal(taken.pages.get(pgno)?.[0], fill);
        }
        for (let pgno = size + 1; pgno <= model.size; pgno++)
          assert.ok(taken.pgnos.includes(pgno), `new page ${pgno}`);
        assert.equal(taken.commits, frames.filter(({ commit }) => commit !== 0).length);
      },
    ),
    { numRuns: runs(300) },
  );
});

test('I9: images are let go at the limit, and the set says so', () => {
  const open = new OpenTxid(PAGE_SIZE, 1, 8 * PAGE_SIZE);
  let overflows = 0;
  for (let pgno = 2; pgno <= 200; pgno++) {
    open.absorb(runOf([{ pgno, commit: pgno, fill: pgno }]));
    assert.ok(open.imageBytes <= 8 * PAGE_SIZE, `${open.imageBytes} bytes are held`);
    if (pgno === 10) assert.ok(open.overflowed);
    if (open.overflowed) overflows += 1;
  }
  assert.ok(overflows > 100, 'it stays said, until the seal');
  open.restart(200);
  assert.equal(open.overflowed, false);
});

test('I9: a transaction that never commits is held within the limit too', () => {
  const open = new OpenTxid(PAGE_SIZE, 1, 8 * PAGE_SIZE);
  for (let pgno = 2; pgno <= 50; pgno++) open.absorb(runOf([{ pgno, commit: 0, fill: 1 }]));
  assert.ok(open.overflowed);
});
