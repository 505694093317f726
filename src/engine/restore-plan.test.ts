import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { isFault } from '../base/fault.ts';
import { txid, txidFormat } from '../base/ids.ts';
import type { WallMs } from '../base/ids.ts';
import type { LtxFile } from '../storage/archive-keys.ts';
import { restorable } from './restorable.ts';
import { restorePlan } from './restore-plan.ts';
import type { RestorePlan } from './restore-plan.ts';
import { restoreTime } from './restore-time.ts';
import { runs } from '../../test/support/runs.ts';

/** `'0 3-3'`: level 0, TXID 3. */
function file(text: string): LtxFile {
  const [, level, min, max] = /^(\d) (\d+)-(\d+)$/.exec(text)!;
  const key = `ltx/${level}/${txidFormat(txid(BigInt(min!)))}-${txidFormat(txid(BigInt(max!)))}.ltx`;
  return {
    level: Number(level),
    minTxid: txid(BigInt(min!)),
    maxTxid: txid(BigInt(max!)),
    key,
    size: 10,
    modifiedMs: 0,
  };
}

function filesOf(...texts: readonly string[]): LtxFile[] {
  return texts.map(file);
}

function textOf(plan: RestorePlan): string[] {
  return plan.files.map(({ level, minTxid, maxTxid }) => `${level} ${minTxid}-${maxTxid}`);
}

const at = (n: number) => ({ kind: 'txid', txid: txid(n) }) as const;
const HEAD = { kind: 'head' } as const;

function fails(kind: string, code: string, details: Record<string, string>): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isFault(error), String(error));
    assert.deepEqual([error.kind, error.code], [kind, code], error.message);
    for (const [name, value] of Object.entries(details))
      assert.equal(error.details[name], value.padStart(16, '0'), name);
    return true;
  };
}

test('the plan is the newest snapshot and as few files as continue it', () => {
  const files = filesOf('9 1-3', '9 1-6', '1 4-8', '1 7-9', '2 7-12', '0 13-13', '0 12-12');
  assert.deepEqual(textOf(restorePlan(files, HEAD)), ['9 1-6', '2 7-12', '0 13-13']);
});

test('files may overlap: what a later one repeats is harmless', () => {
  assert.deepEqual(textOf(restorePlan(filesOf('1 1-2', '2 2-5'), HEAD)), ['1 1-2', '2 2-5']);
});

test('of files that end alike, the one that begins first is taken, then the one of the higher level', () => {
  assert.deepEqual(textOf(restorePlan(filesOf('9 1-2', '1 3-5', '2 2-5', '3 2-5'), HEAD)), [
    '9 1-2',
    '3 2-5',
  ]);
});

test('a TXID is reached exactly, never passed', () => {
  const files = filesOf('0 1-1', '0 2-2', '0 3-3', '1 1-3', '9 1-3');
  assert.deepEqual(textOf(restorePlan(files, at(2))), ['0 1-1', '0 2-2']);
  assert.deepEqual(textOf(restorePlan(files, at(3))), ['9 1-3']);
});

test('an archive without snapshots begins with the L0 of TXID 1', () => {
  assert.deepEqual(textOf(restorePlan(filesOf('0 1-1', '0 2-2'), HEAD)), ['0 1-1', '0 2-2']);
});

test('an empty archive is a Fault', () => {
  assert.throws(() => restorePlan([], HEAD), fails('invalid', 'archive-empty', {}));
});

test('a gap is named, with what lies before and behind it', () => {
  const files = filesOf('9 1-2', '0 3-3', '0 6-6', '0 7-7');
  assert.throws(
    () => restorePlan(files, HEAD),
    fails('gap', 'archive-gap', { first: '4', last: '5', before: '3' }),
  );
  assert.throws(
    () => restorePlan(files, at(4)),
    fails('gap', 'archive-gap', { first: '4', last: '5', before: '3' }),
  );
  assert.deepEqual(textOf(restorePlan(files, at(3))), ['9 1-2', '0 3-3']);
});

test('without any snapshot, everything before the first file is missing', () => {
  assert.throws(
    () => restorePlan(filesOf('0 3-3', '0 4-4'), HEAD),
    fails('gap', 'archive-gap', { first: '1', last: '2' }),
  );
});

test('a snapshot behind a gap heals it', () => {
  const files = filesOf('0 1-1', '0 4-4', '9 1-4', '0 5-5');
  assert.deepEqual(textOf(restorePlan(files, HEAD)), ['9 1-4', '0 5-5']);
});

test('a TXID outside the archive names the range that exists', () => {
  const files = filesOf('9 1-3', '0 4-4');
  assert.throws(
    () => restorePlan(files, at(5)),
    fails('invalid', 'txid-outside-archive', { first: '3', last: '4' }),
  );
});

test('a TXID inside a compacted file names its neighbours', () => {
  const files = filesOf('1 1-3', '1 4-8');
  assert.throws(
    () => restorePlan(files, at(5)),
    fails('invalid', 'txid-between-files', { before: '3', after: '8' }),
  );
  assert.throws(() => restorePlan(files, at(2)), fails('invalid', 'txid-between-files', { after: '3' }));
});

const anyFiles = fc
  .array(
    fc.record({ level: fc.nat(9), a: fc.integer({ min: 1, max: 12 }), b: fc.integer({ min: 1, max: 12 }) }),
    { maxLength: 14 },
  )
  .map((records) =>
    records.map(({ level, a, b }) => {
      const max = Math.max(a, b);
      return file(`${level} ${level === 9 ? 1 : level === 0 ? max : Math.min(a, b)}-${max}`);
    }),
  );

/** By definition: all states that some chain of files reaches. */
function reachable(files: readonly LtxFile[]): Set<bigint> {
  const reached = new Set<bigint>([0n]);
  for (let before = 0; before !== reached.size;) {
    before = reached.size;
    for (const { minTxid, maxTxid } of files) {
      for (const from of reached) {
        const continues = from === 0n ? minTxid === 1n : minTxid <= from + 1n && maxTxid > from;
        if (continues) reached.add(maxTxid);
      }
    }
  }
  reached.delete(0n);
  return reached;
}

test('a TXID has a plan exactly where some chain of files leads to it, and the plan is one', () => {
  const seen = { plans: 0, faults: new Set<string>() };
  fc.assert(
    fc.property(anyFiles, fc.integer({ min: 1, max: 13 }), (files, n) => {
      const reached = reachable(files);
      assert.deepEqual(
        restorable(files).txids,
        [...reached].sort((a, b) => Number(a - b)),
      );
      try {
        const plan = restorePlan(files, at(n));
        assert.ok(reached.has(BigInt(n)));
        assert.equal(plan.files.at(-1)!.maxTxid, BigInt(n));
        let end = 0n;
        for (const { minTxid, maxTxid } of plan.files) {
          assert.ok(end === 0n ? minTxid === 1n : minTxid <= end + 1n && maxTxid > end);
          end = maxTxid;
        }
        seen.plans++;
      } catch (error) {
        assert.ok(isFault(error, 'invalid', 'gap'), String(error));
        assert.ok(!reached.has(BigInt(n)));
        seen.faults.add(error.code);
      }
    }),
    { numRuns: runs(1_000) },
  );
  assert.ok(seen.plans > 50);
  assert.deepEqual([...seen.faults].sort(), [
    'archive-empty',
    'archive-gap',
    'txid-between-files',
    'txid-outside-archive',
  ]);
});

test('gaps are the TXIDs that no file holds', () => {
  fc.assert(
    fc.property(anyFiles, (files) => {
      const { gaps, head } = restorable(files);
      for (let n = 1n; n <= (head ?? 0n); n++) {
        const isHeld = files.some(({ minTxid, maxTxid }) => minTxid <= n && n <= maxTxid);
        assert.equal(
          gaps.some(({ first, last }) => first <= n && n <= last),
          !isHeld,
          `TXID ${n}`,
        );
      }
    }),
    { numRuns: runs(300) },
  );
});

test('a time finds the newest TXID sealed by then, with few headers read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 500 }), fc.nat(510_000), async (count, wallMs) => {
      const files = Array.from({ length: count }, (_, i) => file(`0 ${i + 1}-${i + 1}`));
      let reads = 0;
      const timestampOf = async ({ maxTxid }: LtxFile): Promise<WallMs> => {
        reads++;
        return (Number(maxTxid) * 1_000) as WallMs;
      };
      const expected = Math.min(count, Math.floor(wallMs / 1_000));
      try {
        assert.equal(await restoreTime(files, wallMs as WallMs, timestampOf), BigInt(expected));
      } catch (error) {
        assert.ok(isFault(error, 'invalid') && error.code === 'time-outside-archive', String(error));
        assert.equal(expected, 0);
      }
      assert.ok(reads <= 2 + Math.ceil(Math.log2(count + 1)), `${reads} reads of ${count}`);
    }),
    { numRuns: runs(200) },
  );
});

test('a time behind a gap is not answered with the state before the gap', async () => {
  const files = filesOf('0 1-1', '0 2-2', '0 4-4');
  const timestampOf = async ({ maxTxid }: LtxFile): Promise<WallMs> => Number(maxTxid) as WallMs;
  assert.equal(await restoreTime(files, 3 as WallMs, timestampOf), 2n);
  assert.equal(await restoreTime(files, 4 as WallMs, timestampOf), 4n);
});

test('the moment of a TXID is that of its own file, not of a snapshot made later', async () => {
  const files = filesOf('9 1-2', '0 1-1', '0 2-2', '0 3-3');
  const timestampOf = async ({ level, maxTxid }: LtxFile): Promise<WallMs> =>
    (level === 9 ? 99 : Number(maxTxid)) as WallMs;
  assert.equal(await restoreTime(files, 2 as WallMs, timestampOf), 2n);
});
