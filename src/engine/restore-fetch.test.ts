import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { imageOf, ltxOf } from '../../test/support/archive-builder.ts';
import type { State } from '../../test/support/archive-builder.ts';
import { anySteps, pageOf, statesOf } from '../../test/support/states.ts';
import { must } from '../base/assert.ts';
import { concat } from '../base/bytes.ts';
import { isFault } from '../base/fault.ts';
import { txid } from '../base/ids.ts';
import type { MonoMs, WallMs } from '../base/ids.ts';
import type { Clock, Pool } from '../base/ports.ts';
import type { LtxFile } from '../storage/archive.ts';
import { jobs } from './jobs.ts';
import type { RestoreJobs } from './jobs.ts';
import { PlanFile } from './plan-file.ts';
import type { ReadPart } from './plan-file.ts';
import { fetchPages } from './restore-fetch.ts';
import type { FetchProof } from './restore-fetch.ts';
import { runs } from '../../test/support/runs.ts';

const PAGE_SIZE = 512;
/** Everything in the smallest pieces there are: no file is held whole, indexes come in crumbs. */
const CRUMBS = { tailBytes: 131, chunkBytes: 16 };
const LIMITS = { windowPages: 7, rangeBytesMax: 400, pagesBytesMax: 2_048, gapBytesMax: 60 };

const clock: Clock = {
  wallMs: () => 0 as WallMs,
  monoMs: () => 0 as MonoMs,
  sleep: async () => {},
  yield: async () => {},
};
const pool: Pool<RestoreJobs> = {
  width: 1,
  run: (async (_name: 'decodeFrames', input: Parameters<RestoreJobs['decodeFrames']>[0]) =>
    jobs.decodeFrames(input)) as Pool<RestoreJobs>['run'],
  close: async () => {},
};

interface Fetched {
  readonly proof: FetchProof;
  readonly image: Uint8Array;
  readonly bytesRead: number;
}

function lastOf(states: readonly State[]): State {
  return must(states.at(-1), 'there is a state');
}

type Objects = readonly { readonly file: LtxFile; readonly bytes: Uint8Array }[];

function objectsOf(states: readonly State[], hasRolling: boolean): Objects {
  return states.map((_, i) => {
    const n = i + 1;
    const image = ltxOf(
      states,
      { level: 0, min: n, max: n },
      { pageSize: PAGE_SIZE, hasRolling: () => hasRolling },
    );
    const file = {
      level: 0,
      minTxid: txid(n),
      maxTxid: txid(n),
      key: `ltx/${n}`,
      size: image.size,
      modifiedMs: 0,
    };
    return { file, bytes: concat(image.chunks) };
  });
}

async function fetchAll(objects: Objects, pages: number): Promise<Fetched> {
  const image = new Uint8Array(pages * PAGE_SIZE);
  let bytesRead = 0;
  const read: ReadPart = async (file, { offset, length }) => {
    const { bytes } = objects.find((object) => object.file.key === file.key)!;
    assert.ok(offset + length <= bytes.length, 'no read goes beyond the file');
    bytesRead += length;
    return bytes.slice(offset, offset + length);
  };
  const files: PlanFile[] = [];
  for (const { file } of objects) files.push(await PlanFile.open(file, read, CRUMBS));
  const write = (first: number, bytes: Uint8Array): void => {
    // A flipped size lets pages beyond the image pass for a while.
    if (first * PAGE_SIZE <= image.length)
      image.set(bytes.subarray(0, image.length - (first - 1) * PAGE_SIZE), (first - 1) * PAGE_SIZE);
  };
  const proof = await fetchPages(files, { clock, pool, write, onPages: () => {}, limits: LIMITS });
  return { proof, image, bytesRead };
}

test('files that are too large to hold restore the same, window by window', async () => {
  await fc.assert(
    fc.asyncProperty(anySteps, fc.boolean(), async (steps, hasRolling) => {
      const states = statesOf(steps, PAGE_SIZE);
      const last = lastOf(states);
      const { proof, image } = await fetchAll(objectsOf(states, hasRolling), last.length);
      assert.deepEqual(image, imageOf(last));
      assert.equal(proof, hasRolling ? 'rolling' : 'files');
    }),
    { numRuns: runs(200) },
  );
});

test('without a rolling checksum, every byte of every file is vouched for', async () => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(anySteps, fc.nat(), fc.nat(), fc.nat(7), async (steps, pickFile, pickByte, bit) => {
      const states = statesOf(steps, PAGE_SIZE);
      const objects = objectsOf(states, false);
      const victim = objects[pickFile % objects.length]!;
      victim.bytes[pickByte % victim.bytes.length]! ^= 1 << bit;
      try {
        const { image } = await fetchAll(objects, lastOf(states).length);
        assert.deepEqual(image, imageOf(lastOf(states)));
        passed++;
      } catch (error) {
        assert.ok(isFault(error, 'corrupt'), String(error));
      }
    }),
    { numRuns: runs(300) },
  );
  // The checksum covers pages, not the blocks that hold them: some flips change no page.
  assert.ok(passed <= runs(300) / 25, `${passed} flips passed`);
});

test('with a rolling checksum, a flipped bit is found, or was never read', async () => {
  const found = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anySteps, fc.nat(), fc.nat(), fc.nat(7), async (steps, pickFile, pickByte, bit) => {
      const states = statesOf(steps, PAGE_SIZE);
      const objects = objectsOf(states, true);
      const victim = objects[pickFile % objects.length]!;
      victim.bytes[pickByte % victim.bytes.length]! ^= 1 << bit;
      try {
        const { image, proof } = await fetchAll(objects, lastOf(states).length);
        if (proof === 'rolling') assert.deepEqual(image, imageOf(lastOf(states)));
      } catch (error) {
        assert.ok(isFault(error, 'corrupt'), String(error));
        found.add(error.code);
      }
    }),
    { numRuns: runs(400) },
  );
  for (const code of ['ltx-index', 'ltx-checksum', 'restore-checksum'])
    assert.ok(found.has(code), [...found].join());
});

test('superseded frames of a large file are not read', async () => {
  const first = Array.from({ length: 1_000 }, (_, i) => pageOf(i + 1, 1, PAGE_SIZE));
  const second = first.map((page, i) => (i < 900 ? pageOf(i + 1, 2, PAGE_SIZE) : page));
  const objects = objectsOf([first, second], true);
  const { bytesRead, image } = await fetchAll(objects, 1_000);
  assert.deepEqual(image, imageOf(second));
  assert.ok(bytesRead < objects[1]!.bytes.length + objects[0]!.bytes.length / 4, `${bytesRead} bytes read`);
});

test('a page that no file holds is a Fault', async () => {
  const states = statesOf([{ size: 3, changes: [] }], PAGE_SIZE);
  const grown = [...states[0]!, pageOf(4, 2, PAGE_SIZE), pageOf(5, 2, PAGE_SIZE)];
  const [whole] = objectsOf(states, true);
  // The second TXID grows the file by two pages, and holds only the last.
  const holey = ltxOf(
    [[...states[0]!, grown[3]!], grown],
    { level: 0, min: 2, max: 2 },
    { pageSize: PAGE_SIZE },
  );
  const file = {
    level: 0,
    minTxid: txid(2),
    maxTxid: txid(2),
    key: 'ltx/2',
    size: holey.size,
    modifiedMs: 0,
  };
  const objects = [whole!, { file, bytes: concat(holey.chunks) }];
  await assert.rejects(
    fetchAll(objects, 5),
    (error) => isFault(error, 'corrupt') && error.code === 'page-missing',
  );
});

test('of a large file that is not read whole, everything but the frames is checked', async () => {
  const first = Array.from({ length: 1_000 }, (_, i) => pageOf(i + 1, 1, PAGE_SIZE));
  const second = first.map((page, i) => (i < 900 ? pageOf(i + 1, 2, PAGE_SIZE) : page));
  const size = objectsOf([first, second], true)[0]!.bytes.length;
  const indexBytes = new DataView(objectsOf([first, second], true)[0]!.bytes.buffer).getUint32(size - 20);
  const places = {
    magic: 0,
    txid: 23,
    pageSize: 10,
    endMark: size - 24 - indexBytes - 3,
    index: size - 40,
    trailer: size - 12,
  };
  for (const [name, at] of Object.entries(places)) {
    const objects = objectsOf([first, second], true);
    objects[0]!.bytes[at]! ^= 0x40;
    await assert.rejects(
      fetchAll(objects, 1_000),
      (error) => isFault(error, 'corrupt') && error.details['key'] === 'ltx/1',
      name,
    );
  }
});
